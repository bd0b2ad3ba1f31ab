import Foundation
import Scores

@testable import DualNorm

/// Small models to export.
enum ExportedModels {
  /// Two modalities of three slices, two passes.
  static func slices() throws -> ModelDescription {
    ModelDescription(
      network: NetworkPlan(classes: 3, inputChannels: 6, width: 2, dual: [.inc]),
      preparation: try PreparationPlan(),
      labels: LabelScheme(groups: [[1, 2], [4]], names: ["prostate \"ü\"", "bladder\n"]), modalities: ["T2", "ADC"])
  }

  /// One pass, and windows of a volume in Hounsfield units.
  static func volumes() throws -> ModelDescription {
    ModelDescription(
      network: NetworkPlan(levels: .volumes(poolings: 3), classes: 2, inputChannels: 1, width: 2),
      preparation: try PreparationPlan(
        window: IntensityWindow(-100, 300), networkSize: Extent(depth: 8, height: 16, width: 24), contextSlices: 1,
        whitening: .ct, multiples: [8, 8, 8], moments: .init(mean: 100, deviation: 50)),
      labels: LabelScheme(groups: [[1]], names: ["liver"]), modalities: ["CT"])
  }

  /// A network for slices of one size.
  static func fixedSize() throws -> ModelDescription {
    let size = Extent(height: 32, width: 48)
    return ModelDescription(
      network: NetworkPlan(classes: 2, width: 2, norm: .ln, size: size),
      preparation: try PreparationPlan(networkSize: size), labels: LabelScheme(groups: [[1]]), modalities: ["image"])
  }
}

extension DataFolder {
  /// All files and folders in it, sorted.
  var contents: [String] { FileManager.default.subpaths(atPath: path)?.sorted() ?? [] }
}
