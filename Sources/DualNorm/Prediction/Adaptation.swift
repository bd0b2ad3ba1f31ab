import Basics
import Datasets
import Scores
import Torch

/// What batch statistics a case is segmented with.
package enum Adaptation: String, Sendable, CaseIterable {
  /// Those that training left.
  case none
  /// Those of the case itself, without its labels (AdaBN, Li et al. 2018).
  case `case`
  /// Those of all cases of its site that are to be segmented.
  case site

  /// What an adapted pass has behind its name in tables: `final+adapt`.
  package static let passSuffix = "+adapt"
}

extension DualNormNetwork {
  /// The statistics of all batch norms over slices of unlabelled volumes; see `BatchStatistics.applied`.
  ///
  /// Both passes run with the statistics of each batch. Batches are of 8 slices that are spread over all volumes, so that
  /// they are like the whole: batch b of B takes the slices b, b + B, b + 2B, … of one volume after the other.
  ///
  /// - Parameters:
  ///   - volumes: batches hold windows of one size.
  ///   - site: place of their site among those trained on; nil for another one, and then every branch of
  ///     domain-specific batch norm gets its own.
  ///   - progress: told the batches done, of how many.
  func batchStatistics(
    of volumes: [PreparedVolume], _ sampling: some Sampling, site: Int?, progress: (Int, Int) throws -> Void
  ) rethrows -> BatchStatistics {
    let statistics = BatchStatistics()
    let batches = spreadBatches(of: volumes, sampling)
    let segmenter = segmenter(ofSite: site)
    try withoutGradients {
      for (index, batch) in batches.enumerated() {
        _ = segmenter.scores(of: sampling.input(batch, on: device), .measurement(statistics))
        try progress(index + 1, batches.count)
      }
    }
    return statistics
  }
}

private func spreadBatches(
  of volumes: [PreparedVolume], _ sampling: some Sampling
) -> [[(volume: PreparedVolume, window: Window)]] {
  let all = volumes.flatMap { volume in
    sampling.windows(covering: volume).flatMap(\.slicesApart).map { (volume: volume, window: $0) }
  }
  return all.map(\.window.size).firstOccurrences.flatMap { size in
    let windows = all.filter { $0.window.size == size }
    return spread(windows.count, atMost: 8).map { batch in batch.map { windows[$0] } }
  }
}

/// The numbers below `count` in as few groups of at most `size` as there can be, each spread over all of them.
func spread(_ count: Int, atMost size: Int) -> [[Int]] {
  let groups = (count + size - 1) / size
  return (0..<groups).map { Array(stride(from: $0, to: count, by: groups)) }
}

/// Hands out the batch statistics that each case of a list is segmented with.
package final class Adapter {
  private let model: SegmentationModel
  private let adaptation: Adaptation
  private let cases: [Case]
  private let excluded: [UInt8]
  private let progress: (Int, Int) throws -> Void
  /// Those of the site that was asked for last.
  private var ofSite: (name: String, statistics: BatchStatistics)?

  /// - Parameters:
  ///   - cases: all that are to be segmented.
  ///   - excluded: see `SegmentationModel.prepared`.
  ///   - progress: told the batches done, of how many, while the statistics of a site are taken.
  package init(
    _ model: SegmentationModel, _ adaptation: Adaptation, cases: [Case], excluding excluded: [UInt8] = [],
    progress: @escaping (Int, Int) throws -> Void = { _, _ in }
  ) {
    (self.model, self.adaptation, self.cases) = (model, adaptation, cases)
    (self.excluded, self.progress) = (excluded, progress)
  }

  /// - Parameter site: what the case's site is taken for; see `SegmentationModel.segment`.
  /// - Returns: nil without adaptation.
  /// - Throws: `Refusal` for cases too small to have statistics, or what reading them throws.
  package func statistics(for item: PreparedCase, site: String?) throws -> BatchStatistics? {
    switch adaptation {
    case .none: return nil
    case .case: return try statistics(of: [item], site: site)
    case .site:
      if let ofSite, ofSite.name == item.source.site { return ofSite.statistics }
      // Those that cannot be read fail when it is their turn.
      let others = try cases.filter { $0.site == item.source.site }
        .compactMap { scan in
          do {
            return try model.description.prepared(scan, excluding: excluded)
          } catch  where CaseFailure.isOfOneCase(error) {
            return nil
          }
        }
      let found = try statistics(of: others, site: site, progress)
      ofSite = (item.source.site, found)
      return found
    }
  }

  private func statistics(
    of items: [PreparedCase], site: String?, _ progress: (Int, Int) throws -> Void = { _, _ in }
  ) throws -> BatchStatistics {
    let statistics = try model.network.batchStatistics(
      of: items.map(\.volume), model.sampling, site: model.description.branch(ofSite: site), progress: progress)
    guard statistics.smallestCount ?? 2 >= 2 else {
      throw Refusal(
        .input, items[0].source.reference.path,
        "is a single slice of \(items[0].volume.height)×\(items[0].volume.width) pixels (H×W), of which "
          + "\(Setting.adapt) cannot take statistics", remedy: "leave \(Setting.adapt) out")
    }
    return statistics
  }
}
