import Basics
package import DualNorm
import Foundation
package import MedicalImaging

/// A rule: which series a model segments, and where the segmentation goes.
package struct SeriesRule: Sendable {
  package let name: String
  /// Conditions that must all hold; an empty list takes every series.
  let conditions: [HeaderCondition]
  /// The number of images below which a series is none of this rule's.
  let leastImages: Int
  let service: PredictionService
  let options: SegmentationOptions
  /// The server that gets the segmentation.
  package let server: any SeriesServer

  /// - Throws: `Refusal` for a model that does not segment a single new series.
  package init(
    named name: String, conditions: [HeaderCondition], leastImages: Int, _ service: PredictionService,
    _ options: SegmentationOptions, server: any SeriesServer
  ) throws {
    let description = service.description
    guard description.modalities.count == 1 else {
      throw Refusal(
        .input, "the rule \(name)",
        "its model takes \(description.modalities.count) modalities (\(listed(description.modalities, atMost: 8))), and a "
          + "series is one", remedy: "name a model of one modality")
    }
    try description.requireNoReference(named: "the rule \(name)")
    (self.name, self.conditions, self.leastImages) = (name, conditions, leastImages)
    (self.service, self.options, self.server) = (service, options, server)
  }

  func takes(_ header: SeriesHeader, images: Int) -> Bool {
    images >= leastImages && conditions.allSatisfy { $0.holds(for: header) }
  }
}
