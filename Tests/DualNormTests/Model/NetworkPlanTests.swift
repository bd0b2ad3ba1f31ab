import Foundation
import Testing

@testable import Basics
@testable import DualNorm
@testable import Scores

@Suite struct NetworkPlanTests {
  /// A file that train wrote before there were sites, mask sources and local statistics.
  @Test func filesOfEarlierVersionsAreRead() throws {
    let json = """
      {"classes": 3, "input_channels": 3, "width": 4, "norm": "bn", "dual_blocks": ["inc"], "mask": "hard", "reduction": 2}
      """
    let read = try JSONDecoder().decode(NetworkPlan.self, from: Data(json.utf8))
    #expect(read == NetworkPlan(classes: 3, width: 4, dual: DualPlan([.inc], maskKind: .hard)))
    #expect(read.sites == 1 && read.architecture == .residualUNet)
  }

  @Test func whatIsWrittenIsRead() throws {
    let configuration = NetworkPlan(
      classes: 3, width: 16, norm: .dsbn,
      dual: DualPlan([.mid], maskSource: .reference, localStatistics: .measured),
      size: Extent(height: 32, width: 48),
      sites: 4)
    let json = try JSONEncoder().encode(configuration)
    #expect(try JSONDecoder().decode(NetworkPlan.self, from: json) == configuration)
    let text = String(decoding: json, as: UTF8.self)
    for part in ["\"sites\":4", "\"mask_source\":\"reference\"", "\"local_statistics\":\"measured\""] {
      #expect(text.contains(part))
    }
    #expect(
      configuration.summary
        == "width 16, 3 channels in, 3 classes out, norm dsbn of 4 sites for 32×48 only, dual blocks mid (soft masks, "
        + "reduction 2, reference mask, measured local statistics)")
  }

  /// The order in which dual blocks are named says nothing, so it makes no other network.
  @Test func dualBlocksHaveTheOrderOfTheNetwork() throws {
    #expect(NetworkPlan(classes: 2, dual: ["up1", "inc"]) == NetworkPlan(classes: 2, dual: ["inc", "up1"]))
    let json = """
      {"architecture": "unet++", "classes": 2, "input_channels": 3, "width": 4, "norm": "bn", "mask": "soft",
       "reduction": 2, "dual_blocks": ["x1_1", "x9_9", "x4_0"]}
      """
    let read = try JSONDecoder().decode(NetworkPlan.self, from: Data(json.utf8))
    #expect(read.dual?.blocks == ["x4_0", "x1_1", "x9_9"])
  }

  @Test(arguments: [(PlainNorm.dsbn, 0), (.bn, 2), (.gn, 3)]) func onlyDomainSpecificNormHasSites(
    norm: PlainNorm, sites: Int
  ) {
    #expect(
      throws: Refusal(
        .input,
        sentence:
          "The network has \(sites) sites; domain-specific batch norm (dsbn) has at least 1, every other norm exactly 1."
      )
    ) { try NetworkPlan(classes: 2, norm: norm, sites: sites).validate() }
  }

  @Test func aDescriptionNamesEverySite() throws {
    var description = ModelDescription(
      network: NetworkPlan(classes: 2, norm: .dsbn, sites: 2), preparation: try PreparationPlan(),
      labels: LabelScheme(groups: [[1]]), modalities: ["image"], sites: ["A"])
    #expect(
      throws: Refusal(
        .input,
        sentence: "model.json: domain-specific batch norm has 2 branches, and 1 site is named; restore the file.")
    ) { try description.validate(file: "model.json") }
    description.sites = ["A", "B"]
    try description.validate(file: "model.json")
    #expect(description.branch(ofSite: "B") == 1 && description.branch(ofSite: "C") == nil)
    #expect(description.branch(ofSite: nil) == nil)
  }
}
