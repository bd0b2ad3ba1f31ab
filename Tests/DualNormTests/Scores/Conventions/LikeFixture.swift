import Foundation
import MedicalImaging

@testable import Scores

/// Small label maps, and the results of MedPy, MONAI, nnU-Net and others, from Tools/fixtures_like.py.
struct LikeFixture: Decodable {
  struct Case: Decodable {
    let name: String
    let size: [Int]
    let spacingMM: [Double]
    /// Runs as value, length, value, length, … along x, then y, then z.
    let prediction, reference: [Int]
    /// Expected values by convention, class and metric.
    let expected: [String: [String: [String: Value]]]

    func labelMap(_ runs: [Int]) -> LabelMap {
      let voxels = stride(from: 0, to: runs.count, by: 2).flatMap { index in
        [LabelValue](repeating: LabelValue(runs[index]), count: runs[index + 1])
      }
      return LabelMap(
        voxels: voxels,
        geometry: Geometry(
          size: SIMD3(size[0], size[1], size[2]), spacingMM: SIMD3(spacingMM[0], spacingMM[1], spacingMM[2])))
    }
  }

  /// A number, `"inf"`, or null for NaN and for an error of the tool.
  struct Value: Decodable {
    let number: Double?

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if container.decodeNil() {
        number = nil
      } else if let text = try? container.decode(String.self) {
        number = Double(text)
      } else {
        number = try container.decode(Double.self)
      }
    }
  }

  let cases: [Case]
  /// The tool's own means over all cases, by convention, class (or `mean`) and metric.
  let means: [String: [String: [String: Value]]]

  /// - Parameter name: `slices` for 2-D arrays, `cases` for volumes.
  static func load(_ name: String = "cases") throws -> LikeFixture {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../../Fixtures/like/\(name).json")
    return try JSONDecoder().decode(LikeFixture.self, from: Data(contentsOf: file))
  }

  /// Scores all cases as one site.
  func table(_ convention: Convention) -> ScoreTable {
    let scorer = Scorer(scheme: LabelScheme(groups: [[1], [2]]), convention: convention)
    let scores = cases.flatMap {
      scorer.scores(
        prediction: $0.labelMap($0.prediction), reference: $0.labelMap($0.reference), site: "S", caseName: $0.name,
        pass: "prediction")
    }
    return ScoreTable(scores, tolerancesMM: scorer.tolerancesMM, convention: convention)
  }
}
