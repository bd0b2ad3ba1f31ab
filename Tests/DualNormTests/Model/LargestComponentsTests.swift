import Foundation
import MedicalImaging
import Testing

@testable import DualNorm
@testable import Scores

@Suite struct LargestComponentsTests {
  private func model(_ rule: LargestComponents?) throws -> ModelDescription {
    ModelDescription(
      network: NetworkPlan(classes: 3), preparation: try PreparationPlan(),
      labels: LabelScheme(groups: [[1], [2]]), modalities: ["image"], largestComponents: rule)
  }

  private let measured = LargestComponents.validated(
    classes: [.init(kept: true, gain: 0.0124), .init(kept: false, gain: -0.25)], cases: 4)

  @Test func theModelDecidesUnlessAsked() throws {
    #expect(try model(measured).largestComponentClasses(.asInModel) == [1])
    #expect(try model(measured).largestComponentClasses(.ofAll) == [1, 2])
    #expect(try model(measured).largestComponentClasses(.ofNone) == [])
    #expect(try model(.undecided(classes: 2)).largestComponentClasses(.asInModel) == [])
    for rule in [nil, LargestComponents.published] {
      #expect(try model(rule).largestComponentClasses(.asInModel) == [1, 2])
    }
    #expect(try model(measured).largestComponentNames() == ["label 1"])
  }

  @Test(arguments: [
    (LargestComponents?.none, "kept of all classes, because an earlier version made this model"),
    (.published, "kept of all classes, as published"),
    (.undecided(classes: 2), "kept of no class, because no validation case has shown what it gains"),
    (
      .validated(classes: [.init(kept: true, gain: 0.0124), .init(kept: false, gain: -0.25)], cases: 4),
      "kept of label 1 (Dice +0.012), not of label 2 (Dice \u{2212}0.250), by 4 validation cases"
    ),
    (
      .validated(classes: [.init(kept: false, gain: 0), .init(kept: false, gain: nil)], cases: 1),
      "kept of no class, not of label 1 (Dice +0.000), label 2 (in no case), by 1 validation case"
    ),
  ])
  func saysWhatIsDoneAndWhy(rule: LargestComponents?, sentence: String) throws {
    #expect(try model(rule).largestComponentSummary() == sentence)
    #expect(try model(rule).summary.contains("\ncomponents:   the largest is \(sentence)"))
    #expect(try model(rule).largestComponentSummary(.ofNone) == "kept of no class, as asked")
  }

  @Test func filesOfEarlierVersionsAreRead() throws {
    func choice(_ json: String) throws -> LargestComponentChoice {
      try JSONDecoder().decode([LargestComponentChoice].self, from: Data("[\(json)]".utf8))[0]
    }
    #expect(try choice("true") == .ofAll && choice("false") == .ofNone && choice(#""model""#) == .asInModel)
    #expect(throws: DecodingError.self) { try choice(#""modle""#) }
    for value in [LargestComponentChoice.asInModel, .ofAll, .ofNone] {
      #expect(try JSONDecoder().decode([LargestComponentChoice].self, from: JSONEncoder().encode([value])) == [value])
    }
    for rule in [measured, .published] {
      #expect(try JSONDecoder().decode(LargestComponents.self, from: JSONEncoder().encode(rule)) == rule)
    }
  }

  /// Removing a speck beside an organ helps; removing one of a pair of organs does not.
  @Test func theGainIsThatOfTheLargestComponent() {
    let geometry = Geometry(size: [8, 3, 1])
    let truth: [UInt8] = [
      1, 1, 1, 0, 0, 0, 0, 0,
      1, 1, 1, 0, 0, 0, 0, 0,
      2, 2, 0, 0, 0, 0, 2, 2,
    ]
    let found: [UInt8] = [
      1, 1, 1, 0, 0, 0, 0, 1,
      1, 1, 1, 0, 0, 0, 0, 0,
      2, 2, 0, 0, 0, 0, 2, 2,
    ]
    let gains = LargestComponents.gains(ClassMap(voxels: found, geometry: geometry), truth, classes: 4)
    #expect(abs(gains[0]! - (1 - 12.0 / 13)) < 1e-12)
    #expect(abs(gains[1]! - (4.0 / 6 - 1)) < 1e-12)
    #expect(gains[2] == nil)
  }
}
