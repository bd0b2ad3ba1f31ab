import MedicalImaging
import Testing

@testable import Scores

@Suite struct ScorerTests {
  let scorer = Scorer(scheme: LabelScheme(groups: [[1], [2, 3], [4]], names: ["one", "two or three", "four"]))

  /// A row of voxels of 2 × 1 × 0.5 mm, 1 mm³.
  func scores(_ prediction: [LabelValue]?, _ reference: [LabelValue]) -> [CaseScore] {
    let geometry = Geometry(size: [reference.count, 1, 1], spacingMM: [2, 1, 0.5])
    return scorer.scores(
      prediction: prediction.map { LabelMap(voxels: $0, geometry: geometry) },
      reference: LabelMap(voxels: reference, geometry: geometry), site: "S", caseName: "C", pass: "final")
  }

  @Test func everyOutcome() {
    let scores = scores([1, 1, 2, 0, 0, 0], [0, 1, 3, 2, 4, 0])
    let twoThirds: Double? = 2.0 / 3
    #expect(scores.map(\.className) == ["one", "two or three", "four"])
    #expect(scores.map(\.classIndex) == [1, 2, 3])
    #expect(scores.map(\.label) == ["1", "2+3", "4"])
    #expect(scores.map(\.outcome) == [.found, .found, .miss])
    #expect(scores.map { $0[.dice] } == [twoThirds, twoThirds, 0])
    #expect(scores.map { $0[.assd] } == [twoThirds, twoThirds, nil])
    #expect(scores.map { $0[.hausdorff] } == [2, 2, nil])
    #expect(scores.map { $0[.nsd(toleranceMM: 1)] } == [twoThirds, twoThirds, 0])
    #expect(scores.map { $0[.nsd(toleranceMM: 2)] } == [1, 1, 0])
    #expect(scores.map { $0[.predictionVolume] } == [2, 1, 0])
    #expect(scores.map { $0[.referenceVolume] } == [1, 2, 1])
  }

  @Test func falseAlarmIsZeroAndBothEmptyUndefined() {
    let scores = scores([1, 0], [0, 0])
    #expect(scores.map(\.outcome) == [.falseAlarm, .bothEmpty, .bothEmpty])
    for metric in Convention.dualnorm.metrics(tolerancesMM: [1, 2]) {
      let values = scores.map { $0[metric] }
      switch metric {
      case .dice, .nsd: #expect(values == [0, nil, nil])
      case .assd, .hd95, .hausdorff: #expect(values == [nil, nil, nil])
      case .predictionVolume: #expect(values == [1, 0, 0])
      case .referenceVolume: #expect(values == [0, 0, 0])
      default: Issue.record("\(metric) is no metric of ours")
      }
      #expect(scores.allSatisfy { $0.metrics.keys.contains(metric) })
    }
  }

  @Test func noPredictionIsAMiss() {
    #expect(scores(nil, [0, 1, 4]).map(\.outcome) == [.miss, .bothEmpty, .miss])
  }

  /// Label 9 is in no class, so it counts as background on both sides.
  @Test func valuesOfNoClassAreBackground() {
    #expect(scores([9, 1], [1, 9]).map { $0[.dice] } == [0, nil, nil])
    #expect(scores([9, 9], [9, 9]).map(\.outcome) == [.bothEmpty, .bothEmpty, .bothEmpty])
  }
}
