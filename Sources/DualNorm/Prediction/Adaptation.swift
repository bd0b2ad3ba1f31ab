import Basics
package import Datasets
import Foundation
package import MedicalImaging
import Scores
package import Torch

/// The source of the batch statistics that segment a case.
package enum Adaptation: String, Sendable, CaseIterable {
  /// Running statistics of the training.
  case none
  /// Statistics of the case itself, without its labels (AdaBN, Li et al. 2018).
  case `case`
  /// Statistics of all cases to be segmented from its site.
  case site

  /// The suffix of an adapted pass's name in tables: `final+adapt`.
  package static let passSuffix = "+adapt"
}

extension DualNormNetwork {
  /// The statistics of all batch norms over slices of unlabelled volumes; see `BatchStatistics.applied`.
  ///
  /// Both passes run with the statistics of each batch. A batch has at most 8 slices, or 2 windows of a 3-D network,
  /// spread over all volumes, so it resembles the whole. Batch b of B takes the rows b, b + B, b + 2B, … in order.
  ///
  /// - Parameters:
  ///   - volumes: volumes of any size; each batch holds windows of one size.
  ///   - site: index of their site among the training sites; nil for another site. Then every branch of
  ///     domain-specific batch norm gets its own statistics.
  ///   - progress: called with the number of batches done and their total.
  func batchStatistics(
    of volumes: [PreparedVolume], _ sampling: any Sampling, site: Int?, progress: (Int, Int) throws -> Void
  ) rethrows -> BatchStatistics {
    try segmenter(ofSite: site).batchStatistics(of: volumes, sampling, on: device, progress: progress)
  }
}

extension Segmenter {
  /// The statistics of all batch norms of the networks; see `DualNormNetwork.batchStatistics`.
  func batchStatistics(
    of volumes: [PreparedVolume], _ sampling: any Sampling, on device: Device, progress: (Int, Int) throws -> Void
  ) rethrows -> BatchStatistics {
    let statistics = BatchStatistics()
    let batches = spreadBatches(of: volumes, sampling)
    try withoutGradients {
      for (index, batch) in batches.enumerated() {
        _ = scores(of: sampling.input(batch, on: device), .measurement(statistics))
        try progress(index + 1, batches.count)
      }
    }
    return statistics
  }
}

private func spreadBatches(
  of volumes: [PreparedVolume], _ sampling: any Sampling
) -> [[(volume: PreparedVolume, window: Window)]] {
  let all = volumes.flatMap { volume in
    sampling.windows(covering: volume).flatMap(sampling.rows).map { (volume: volume, window: $0) }
  }
  return all.map(\.window.extent).firstOccurrences.flatMap { extent in
    let windows = all.filter { $0.window.extent == extent }
    return spread(windows.count, atMost: sampling.statisticsBatchSize).map { batch in batch.map { windows[$0] } }
  }
}

/// The numbers below `count` in the fewest groups of at most `size`, each spread over the whole range.
func spread(_ count: Int, atMost size: Int) -> [[Int]] {
  let groups = (count + size - 1) / size
  return (0..<groups).map { Array(stride(from: $0, to: count, by: groups)) }
}

/// Provides the batch statistics for each case of a list.
package final class Adapter {
  private let model: SegmentationModel
  private let adaptation: Adaptation
  private let cases: [Case]
  private let excluded: [LabelValue]
  private let progress: (Int, Int) throws -> Void
  /// Statistics of the last requested site.
  private var ofSite: (name: String, statistics: BatchStatistics)?

  /// - Parameters:
  ///   - cases: all cases to be segmented.
  ///   - excluded: see `ModelDescription.prepared`.
  ///   - progress: called with the number of batches done and their total, while a site is measured.
  package init(
    _ model: SegmentationModel, _ adaptation: Adaptation, cases: [Case], excluding excluded: [LabelValue] = [],
    progress: @escaping (Int, Int) throws -> Void = { _, _ in }
  ) {
    (self.model, self.adaptation, self.cases) = (model, adaptation, cases)
    (self.excluded, self.progress) = (excluded, progress)
  }

  /// - Parameter site: the site to treat the case as; see `SegmentationModel.segment`.
  /// - Returns: nil without adaptation.
  /// - Throws: `Refusal` for cases too small for statistics; a reading error that concerns more than one case.
  package func statistics(for item: PreparedCase, site: String?) throws -> BatchStatistics? {
    switch adaptation {
    case .none: return nil
    case .case: return try statistics(of: [item], site: site)
    case .site:
      if let ofSite, ofSite.name == item.source.site { return ofSite.statistics }
      // Unreadable cases fail when their turn comes.
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
    let statistics = try model.batchStatistics(of: items.map(\.volume), site: site, progress: progress)
    guard statistics.smallestCount ?? 2 >= 2 else {
      throw Refusal(
        .input, items[0].source.reference.path,
        "is a single slice of \(items[0].volume.height)×\(items[0].volume.width) pixels (H×W), of which "
          + "\(Setting.adapt) cannot take statistics", remedy: "leave \(Setting.adapt) out")
    }
    return statistics
  }
}
