import Basics
import Foundation
import MedicalImaging
import Testing

@testable import Watching

@Suite struct RuleTests {
  private static let slice = dicomFixtures.appendingPathComponent("oblique/IM1")

  @Test func patterns() throws {
    func fits(_ pattern: String, _ value: String) throws -> Bool {
      try HeaderCondition("SeriesDescription", pattern).fits(value)
    }
    #expect(
      try fits("*t2*", "AX T2 TSE") && fits("AX T2 TSE", "ax t2 tse") && fits("T?", "t1") && fits("[ab]*", "Brain"))
    #expect(try !fits("t2", "AX T2") && !fits("*t2", "T2 TSE") && !fits("T?", "T10") && !fits("[ab]*", "Chest"))
  }

  @Test func conditionsOfAHeader() throws {
    let header = try SeriesHeader(contentsOf: Self.slice)
    #expect(header.series == "1.2.826.0.1.3680043.10.1234.5" && header.values(of: .kernel).isEmpty)
    func holds(_ element: String, _ pattern: String) throws -> Bool {
      try HeaderCondition(element, pattern).holds(for: header)
    }
    #expect(try holds("Modality", "mr") && holds("modality", "M?") && holds("SeriesDescription", "T1 *"))
    #expect(try !holds("Modality", "CT") && !holds("ConvolutionKernel", "*"))
  }

  @Test func aMissingElementIsNamed() {
    let all = HeaderElement.allCases.map(\.rawValue)
    #expect(
      refusal { try HeaderCondition("SeriesDescripton", "*") }?.hasPrefix(
        "\"SeriesDescripton\": is no element that a rule can ask for; the elements are Modality, ") == true)
    #expect(
      refusal { try HeaderCondition("SeriesDescripton", "*") }?.hasSuffix(
        ": did you mean SeriesDescription?") == true && all.count == Set(all).count)
    #expect(
      refusal { try HeaderCondition("Modality", "") } == "Modality: has an empty pattern; give one, such as \"*t2*\".")
  }

  private func rules(_ text: String) throws -> RuleFile {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("rules-\(UUID()).yaml")
    defer { try? FileManager.default.removeItem(at: file) }
    try Data(text.utf8).write(to: file)
    do { return try RuleFile(contentsOf: file) } catch let refusal as Refusal {
      throw Refusal(.input, sentence: refusal.description.replacingOccurrences(of: file.path, with: "FILE"))
    }
  }

  @Test func aFileOfRules() throws {
    let found = try rules(
      """
      rules:
        - name: prostate
          model: runs/prostate
          match: {Modality: MR, SeriesDescription: "*t2*"}
          images: 10
          store: dicom://PACS@host:104
        - {name: liver, model: [a, b], store: "dicomweb+https://host/web", site: Site-A}
      """
    ).rules
    #expect(found.map(\.name) == ["prostate", "liver"] && found.map(\.model?.all) == [["runs/prostate"], ["a", "b"]])
    #expect(try found[0].conditions.map(\.element) == [.modality, .seriesDescription])
    #expect(
      try found[0].images == 10 && found[1].images == nil && found[1].conditions.isEmpty && found[1].site == "Site-A")
  }

  @Test(arguments: [
    ("rules: []", "FILE: has no rules; write one, for example `"),
    ("", "FILE: has no rules; write one, for example `"),
    ("rules: [{model: a, store: b}]", "FILE: rule 1: has no name; add one, for example `name: liver`."),
    ("rules: [{name: a, store: b}]", "FILE: rule 1: has no model; add one, for example `model: runs/liver`."),
    (
      "rules: [{name: a, model: [], store: b}]", "FILE: rule 1: has no model; add one, for example `model: runs/liver`."
    ),
    (
      "rules: [{name: a, model: b}]",
      "FILE: rule 1: has no store; add one, for example `store: dicom://PACS@host:104`."
    ),
    (
      "rules: [{name: a, model: b, store: c, images: 0}]",
      "FILE: rule 1: wants 0 images; give a number from 1 on, or leave images out."
    ),
    (
      "rules: [{name: a, model: b, store: c}, {name: a, model: b, store: c}]",
      "FILE: has two rules named a; give each a name of its own."
    ),
    (
      "rules: [{name: a, modle: b, store: c}]",
      "FILE: rules: the key \"modle\" is unknown; the nearest one is \"model\"."
    ),
    ("rule: []", "FILE: the option \"rule\" is unknown; the nearest one is \"rules\"."),
    ("rules: 3", "FILE: the option \"rules\" has a value of the wrong shape; a value looks like"),
    ("rules: [{name: a, model: b, store: c, match: {Modalty: MR}}]", "FILE: rule 1: \"Modalty\": is no element"),
    ("{", "FILE: is not YAML"),
  ])
  func aWrongFile(text: String, beginning: String) {
    #expect(refusal { try rules(text) }?.hasPrefix(beginning) == true, "\(refusal { try rules(text) } ?? "no refusal")")
  }
}

/// The sentence of the refusal that a body throws.
func refusal(_ body: () throws -> some Any) -> String? {
  do {
    _ = try body()
    return nil
  } catch {
    return (error as? Refusal)?.description ?? "another error: \(error)"
  }
}

let dicomFixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
  "../Fixtures/dicom"
)
.standardizedFileURL
