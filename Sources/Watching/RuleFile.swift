import Basics
package import Foundation

/// The rules of a YAML file as they are written, in their order; the first that takes a series counts.
package struct RuleFile: Codable, Sendable {
  package var rules: [Rule] = []

  package struct Rule: Codable, Sendable {
    package var name: String?
    /// Run folders; several are an ensemble.
    package var model: Names?
    package var match: [String: String]?
    package var images: Int?
    package var store: String?
    package var site: String?

    package init() {}
  }

  /// One name, or a list of them.
  package struct Names: Codable, Sendable {
    package let all: [String]

    package init(_ all: [String]) { self.all = all }

    package init(from decoder: any Decoder) throws {
      let value = try decoder.singleValueContainer()
      if let list = try? value.decode([String].self) { all = list } else { all = [try value.decode(String.self)] }
    }

    package func encode(to encoder: any Encoder) throws {
      var value = encoder.singleValueContainer()
      try value.encode(all)
    }
  }

  package init(_ rules: [Rule]) { self.rules = rules }

  /// - Throws: `Refusal` naming the file, and the rule and key that are wrong.
  package init(contentsOf file: URL) throws {
    let sample = "rules: [{name: liver, model: runs/liver, match: {Modality: CT}, store: dicom://PACS@host:104}]"
    self = try OptionsFile(
      defaults: { _ in RuleFile([]) }, keys: ["rules"],
      entryKeys: ["rules": ["name", "model", "match", "images", "store", "site"]], sample: sample,
      example: { _ in sample }
    ).read(file)
    guard !rules.isEmpty else {
      throw Refusal(.input, file.path, "has no rules", remedy: "write one, for example `\(sample)`")
    }
    for (index, rule) in rules.enumerated() { try rule.requireWhole("\(file.path): rule \(index + 1)") }
    let names = rules.compactMap(\.name)
    if let twice = names.first(where: { name in names.count { $0 == name } > 1 }) {
      throw Refusal(.input, file.path, "has two rules named \(twice)", remedy: "give each a name of its own")
    }
  }
}

extension RuleFile.Rule {
  /// The conditions, sorted by their elements.
  ///
  /// - Throws: `Refusal` for an unknown element.
  package var conditions: [HeaderCondition] {
    get throws { try (match ?? [:]).sorted { $0.key < $1.key }.map { try HeaderCondition($0.key, $0.value) } }
  }

  fileprivate func requireWhole(_ place: String) throws {
    func missing(_ key: String, _ example: String) -> Refusal {
      Refusal(.input, place, "has no \(key)", remedy: "add one, for example `\(key): \(example)`")
    }
    guard let name, !name.isEmpty else { throw missing("name", "liver") }
    guard let model, !model.all.isEmpty, !model.all.contains("") else { throw missing("model", "runs/liver") }
    guard store != nil else { throw missing("store", "dicom://PACS@host:104") }
    if let images, images < 1 {
      throw Refusal(.input, place, "wants \(images) images", remedy: "give a number from 1 on, or leave images out")
    }
    do { _ = try conditions } catch let refusal as Refusal { throw refusal.about(place) }
  }
}
