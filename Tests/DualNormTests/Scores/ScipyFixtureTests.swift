import Foundation
import MedicalImaging
import Testing

@testable import Basics
@testable import Scores

/// Random blobs, holes, borders and single voxels; expected values from Tools/fixtures_scores.py (numpy and scipy).
@Suite struct ScipyFixtureTests {
  struct Fixture: Decodable {
    struct Expected: Decodable {
      let dice, meanPredictionToReference, meanReferenceToPrediction, assd, hausdorff: Double
      let percentile95, nsd: [Double]
      let surfaceVoxels: [Int]
    }
    let name: String
    let size: [Int]
    let spacingMM, tolerancesMM: [Double]
    /// Run lengths along x, then y, then z; the first run is background.
    let prediction, reference: [Int]
    let expected: Expected

    func labelMap(_ runs: [Int]) -> LabelMap {
      let voxels = runs.enumerated().flatMap { [LabelValue](repeating: LabelValue($0 % 2), count: $1) }
      return LabelMap(
        voxels: voxels,
        geometry: Geometry(
          size: SIMD3(size[0], size[1], size[2]), spacingMM: SIMD3(spacingMM[0], spacingMM[1], spacingMM[2])))
    }
  }

  static let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../Fixtures/scores/surface_distances.json")

  @Test func metricsEqualScipy() throws {
    let fixtures = try JSONDecoder().decode([Fixture].self, from: Data(contentsOf: Self.file))
    #expect(fixtures.count == 8)
    for fixture in fixtures {
      let scorer = Scorer(scheme: LabelScheme(groups: [[1]]), tolerancesMM: fixture.tolerancesMM)
      let scores = scorer.scores(
        prediction: fixture.labelMap(fixture.prediction), reference: fixture.labelMap(fixture.reference), site: "S",
        caseName: fixture.name, pass: "final")
      #expect(scores.count == 1 && scores[0].outcome == .found)
      let expected = fixture.expected
      let metrics: [Metric] = [.dice, .assd, .hd95, .hausdorff]
      expectClose(
        metrics.map { scores[0][$0] ?? .nan },
        [expected.dice, expected.assd, expected.percentile95.max()!, expected.hausdorff], within: 1e-9)
      expectClose(
        fixture.tolerancesMM.map { scores[0][.nsd(toleranceMM: $0)] ?? .nan }, expected.nsd, within: 1e-12)
    }
  }

  @Test func directedDistancesEqualScipy() throws {
    for fixture in try JSONDecoder().decode([Fixture].self, from: Data(contentsOf: Self.file)) {
      let mask = { (runs: [Int]) in
        let labels = fixture.labelMap(runs)
        return Mask(voxels: labels.voxels.map { $0 == 1 }, geometry: labels.geometry)
      }
      let distances = try #require(
        SurfaceDistances(prediction: mask(fixture.prediction), reference: mask(fixture.reference)))
      let directed = [distances.predictionToReferenceMM, distances.referenceToPredictionMM]
      let expected = fixture.expected
      #expect(directed.map(\.count) == expected.surfaceVoxels, "\(fixture.name)")
      expectClose(
        directed.map { $0.reduce(0, +) / Double($0.count) },
        [expected.meanPredictionToReference, expected.meanReferenceToPrediction], within: 1e-9)
      expectClose(directed.map { percentile(95, ofSorted: $0) }, expected.percentile95, within: 1e-9)
    }
  }
}
