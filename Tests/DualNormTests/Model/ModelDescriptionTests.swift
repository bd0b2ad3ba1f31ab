import Foundation
import Testing

@testable import DualNorm
@testable import Scores

@Suite struct ModelDescriptionTests {
  private func description(_ change: (inout ModelDescription) throws -> Void = { _ in }) throws -> ModelDescription {
    var result = ModelDescription(
      network: NetworkPlan(classes: 2, dual: [.inc]), preparation: try PreparationPlan(),
      labels: LabelScheme(groups: [[1]]), modalities: ["image"])
    try change(&result)
    return result
  }

  private func format(_ description: ModelDescription) throws -> Int? {
    let data = try JSONEncoder().encode(description)
    #expect(try JSONDecoder().decode(ModelDescription.self, from: data) == description)
    return try (JSONSerialization.jsonObject(with: data) as? [String: Any])?["format"] as? Int
  }

  /// Readers of format 1 would ignore the new keys and segment differently.
  @Test func theFormatIsTheFirstThatHasAllThatIsUsed() throws {
    #expect(try format(description()) == 1)
    #expect(try format(description { $0.preparation = try PreparationPlan(whitening: .foreground) }) == 2)
    #expect(try format(description { $0.network.dual?.maskSource = .uniform }) == 2)
    #expect(try format(description { $0.network.dual?.localStatistics = .measured }) == 2)
    #expect(try format(description { $0.labels = LabelScheme(groups: [[1]], excluded: [4]) }) == 2)
    #expect(
      try format(
        description {
          ($0.network.norm, $0.network.sites, $0.sites) = (.dsbn, 2, ["A", "B"])
        }) == 2)
    let mixed = LargestComponents.validated(classes: [.init(kept: false, gain: -0.5)], cases: 2)
    #expect(try format(description { $0.largestComponents = mixed }) == 3)
    #expect(try format(description { $0.largestComponents = .published }) == 1)
    #expect(try format(description { $0.preparation = try PreparationPlan(padsSlices: false) }) == 3)
    let nested = NetworkPlan(.nestedUNet, classes: 2, dual: ["x0_0"])
    #expect(try format(description { $0.network = nested }) == 4)
    #expect(try format(description { $0.labels = LabelScheme(groups: [[256]]) }) == 6)
    let moments = PreparationPlan.Moments(mean: 100, deviation: 20)
    #expect(try format(description { $0.preparation = try PreparationPlan(whitening: .ct, moments: moments) }) == 6)
  }

  @Test func whatIsSaidOfOtherClassesIsRefused() throws {
    let other = try description { $0.largestComponents = .undecided(classes: 2) }
    #expect(
      sentence { try other.validate(file: "model.json") }
        == "model.json: says of 2 classes whether the largest component is kept, and there are 1; restore the file.")
  }

  @Test func readersOfEarlierFormatsRefuseTheBackbonesThatTheyDoNotKnow() throws {
    for architecture in Architecture.allCases {
      let network = NetworkPlan(architecture, classes: 2)
      let expected = architecture == .residualUNet ? 1 : architecture == .nestedUNet ? 4 : 7
      #expect(try format(description { $0.network = network }) == expected, "\(architecture.rawValue)")
    }
  }

  @Test func aLaterFormatIsRefused() throws {
    let json = #"{"format": 8, "network": "of another kind"}"#
    #expect(
      sentence { try JSONDecoder().decode(ModelDescription.self, from: Data(json.utf8)) }
        == "is of format 8, and this program reads up to 7; use a newer dualnorm.")
  }
}
