import Foundation
import Testing

@testable import DualNorm

@Suite struct ModelDescriptionTests {
  private func description(_ change: (inout ModelDescription) throws -> Void = { _ in }) throws -> ModelDescription {
    var result = ModelDescription(
      network: UNetConfiguration(classes: 2, dualBlocks: [.inc]), preparation: try PreparationPlan(),
      labels: LabelScheme(groups: [[1]]), modalities: ["image"])
    try change(&result)
    return result
  }

  private func format(_ description: ModelDescription) throws -> Int? {
    let data = try JSONEncoder().encode(description)
    #expect(try JSONDecoder().decode(ModelDescription.self, from: data) == description)
    return try (JSONSerialization.jsonObject(with: data) as? [String: Any])?["format"] as? Int
  }

  /// Readers of format 1 would ignore the keys and segment otherwise.
  @Test func theFormatIsTheFirstThatHasAllThatIsUsed() throws {
    #expect(try format(description()) == 1)
    #expect(try format(description { $0.preparation = try PreparationPlan(whitening: .foreground) }) == 2)
    #expect(try format(description { $0.network.maskSource = .uniform }) == 2)
    #expect(try format(description { $0.network.localStatistics = .measured }) == 2)
    #expect(try format(description { $0.labels = LabelScheme(groups: [[1]], excluded: [4]) }) == 2)
    #expect(
      try format(
        description {
          ($0.network.norm, $0.network.sites, $0.sites) = (.dsbn, 2, ["A", "B"])
        }) == 2)
  }

  @Test func aLaterFormatIsRefused() throws {
    let json = #"{"format": 3, "network": "of another kind"}"#
    #expect(
      sentence { try JSONDecoder().decode(ModelDescription.self, from: Data(json.utf8)) }
        == "is of format 3, and this program reads up to 2; use a newer dualnorm.")
  }
}
