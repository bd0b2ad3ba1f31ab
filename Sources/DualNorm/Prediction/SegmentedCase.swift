import Basics
package import Datasets
import Foundation

/// The results of a case, and what is doubtful about them.
package struct SegmentedCase: Sendable {
  package let results: [SegmentationModel.Segmentation]
  package let warnings: [String]
  /// Seconds that the network took.
  package let seconds: Double

  package var last: SegmentationModel.Segmentation { results.last! }
}

extension PredictionService {
  /// Reads a case and segments it, and returns all doubts in place of reporting them.
  ///
  /// - Parameter name: the case's name in the doubts.
  /// - Throws: `Refusal` for files that cannot be used; `CancellationError` where the options' `progress` ends it.
  package nonisolated func segmentWithDoubts(
    _ scan: Case, named name: String, _ options: SegmentationOptions
  ) async throws -> SegmentedCase {
    var (item, warnings): (PreparedCase?, [String]) = try await offPool { [description] in
      try Warnings.collecting {
        let item = try description.prepared(scan)
        var far = FarVolumes(description)
        far.add(item)
        far.report()
        return item
      }
    }
    let start = Date()
    let (results, more) = try await Warnings.collecting { try await segment(item.take()!, options) }
    let seconds = -start.timeIntervalSinceNow
    warnings += more
    let found = FoundVolumes(in: results.last!.labels, scheme: description.labels, of: scan, named: name)
    warnings += [description.doubtOfRows(in: [scan]), FoundVolumes.warning(of: [found])].compactMap { $0 }
    return SegmentedCase(results: results, warnings: description.warnings + warnings, seconds: seconds)
  }
}
