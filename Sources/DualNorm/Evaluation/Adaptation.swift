import Torch

/// What batch statistics a case is segmented with.
public enum Adaptation: String, Sendable, CaseIterable {
  /// Those that training left.
  case none
  /// Those of the case itself, without its labels (AdaBN, Li et al. 2018).
  case `case`
  /// Those of all cases of its site that are to be segmented.
  case site
}

extension DualNormUNet {
  /// The statistics of all batch norms over slices of unlabelled volumes; see `BatchStatistics.applied`.
  ///
  /// Both passes run with the statistics of each batch. Batches are of 8 slices that are spread over all volumes, so that
  /// they are like the whole: batch b of B takes the slices b, b + B, b + 2B, … of one volume after the other.
  ///
  /// - Parameters:
  ///   - volumes: batches hold slices of one size.
  ///   - site: place of their site among those trained on; nil for another one, and then every branch of
  ///     domain-specific batch norm gets its own.
  func batchStatistics(of volumes: [PreparedVolume], site: Int?) -> BatchStatistics {
    let statistics = BatchStatistics()
    let sizes = volumes.map { ImageSize(height: $0.height, width: $0.width) }
    withoutGradients {
      for size in sizes.firstOccurrences {
        let slices = volumes.filter { $0.height == size.height && $0.width == size.width }
          .flatMap { volume in (0..<volume.depth).map { (volume, $0) } }
        for batch in spread(slices.count, atMost: 8) {
          let (images, labels) = input(batch.map { slices[$0] })
          let rows = site.map { SiteRows(site: $0, count: batch.count) }
          forEachPass(over: images, sites: rows, reference: labels, .measurement(statistics)) { _, _ in }
        }
      }
    }
    return statistics
  }
}

/// The numbers below `count` in as few groups of at most `size` as there can be, each spread over all of them.
func spread(_ count: Int, atMost size: Int) -> [[Int]] {
  let groups = (count + size - 1) / size
  return (0..<groups).map { Array(stride(from: $0, to: count, by: groups)) }
}

/// Hands out the batch statistics that each case of a list is segmented with.
public final class Adapter {
  private let model: SegmentationModel
  private let adaptation: Adaptation
  private let cases: [Case]
  /// Those of the site that was asked for last.
  private var ofSite: (name: String, statistics: BatchStatistics)?

  /// - Parameter cases: all that are to be segmented.
  public init(_ model: SegmentationModel, _ adaptation: Adaptation, cases: [Case]) {
    (self.model, self.adaptation, self.cases) = (model, adaptation, cases)
  }

  /// - Parameter site: what the case's site is taken for; see `SegmentationModel.segment`.
  /// - Returns: nil without adaptation.
  /// - Throws: `InputError` for cases too small to have statistics, or what reading them throws.
  public func statistics(for item: PreparedCase, site: String?) throws -> BatchStatistics? {
    switch adaptation {
    case .none: return nil
    case .case: return try statistics(of: [item], site: site)
    case .site:
      if let ofSite, ofSite.name == item.source.site { return ofSite.statistics }
      let others = try cases.filter { $0.site == item.source.site }.map(model.prepared)
      let found = try statistics(of: others, site: site)
      ofSite = (item.source.site, found)
      return found
    }
  }

  private func statistics(of items: [PreparedCase], site: String?) throws -> BatchStatistics {
    let statistics = model.network.batchStatistics(
      of: items.map(\.volume), site: model.description.branch(ofSite: site))
    guard statistics.smallestCount ?? 2 >= 2 else {
      throw InputError(
        "\(items[0].source.images[0].path): is a single slice of 16×16 pixels, of which --adapt cannot take statistics; "
          + "leave --adapt out.")
    }
    return statistics
  }
}
