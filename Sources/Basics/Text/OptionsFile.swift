package import Foundation
package import Yams

/// A YAML file whose keys are options, such as a training configuration or a data recipe.
package struct OptionsFile<Options: Codable> {
  /// Gives the values of the keys that a file leaves out; they may depend on the file's contents.
  private let defaults: (Node?) throws -> Options
  /// All keys, in the order in which messages list them.
  private let keys: [String]
  /// For each option that is a list of mappings, the keys of its entries.
  private let entryKeys: [String: [String]]
  /// Converts the contents of an earlier version's file to the current form.
  private let upgrade: (Node) -> Node
  /// An example of a file's contents, on one line.
  private let sample: String
  /// Gives an example value of an option as YAML, on one line.
  private let example: (String) -> String

  package init(
    defaults: @escaping (Node?) throws -> Options, keys: [String], entryKeys: [String: [String]] = [:],
    upgrade: @escaping (Node) -> Node = { $0 }, sample: String, example: @escaping (String) -> String
  ) {
    self.defaults = defaults
    self.keys = keys
    self.entryKeys = entryKeys
    self.upgrade = upgrade
    self.sample = sample
    self.example = example
  }

  /// - Throws: `Refusal` naming the file and the key that is unknown or has a value of the wrong shape.
  package func read(_ url: URL) throws -> Options {
    try read(YAMLText.read(url, what: "options"), file: url.path)
  }

  /// - Parameter file: the source of the text, for messages.
  package func read(_ text: String, file: String) throws -> Options {
    let given: Node?
    do {
      given = try Yams.compose(yaml: text)
    } catch {
      throw Refusal(.input, file, "is not YAML (\(oneLine(error)))")
    }
    var values = try Yams.compose(yaml: yaml(defaults(given)))!
    if let given = given.map(upgrade), given.null == nil {
      guard let mapping = given.mapping else {
        throw Refusal(.input, file, "holds no options", remedy: "write one a line, for example `\(sample)`")
      }
      for (key, value) in mapping {
        let name = key.string ?? ""
        try requireKnown(name, among: keys, "option", file)
        for entry in entryKeys[name] == nil ? [] : value.sequence.map(Array.init) ?? [] {
          for key in entry.mapping?.keys.map({ $0.string ?? "" }) ?? [] {
            try requireKnown(key, among: entryKeys[name] ?? [], "key", "\(file): \(name)")
          }
        }
        values[name] = value
      }
    }
    do {
      return try YAMLDecoder().decode(Options.self, from: Yams.serialize(node: values))
    } catch let error as DecodingError {
      throw refusal(of: error, file)
    }
  }

  /// The options as YAML text, keys sorted.
  package func yaml(_ options: Options) throws -> String {
    let encoder = YAMLEncoder()
    encoder.options.sortKeys = true
    return try encoder.encode(options)
  }

  private func requireKnown(_ name: String, among known: [String], _ kind: String, _ place: String) throws {
    guard !known.contains(name) else { return }
    throw Refusal(
      .input, place, "the \(kind) \"\(quoted(name))\" is unknown",
      detail: "the nearest one is \"\(nearest(to: name, among: known))\"")
  }

  private func oneLine(_ error: any Error) -> String {
    "\(error)".split(whereSeparator: \.isNewline).first.map(String.init) ?? "\(error)"
  }

  private func refusal(of error: DecodingError, _ file: String) -> Refusal {
    switch error {
    case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context),
      .keyNotFound(_, let context):
      let path = context.codingPath.first?.stringValue ?? "the file"
      return Refusal(
        .input, file, "the option \"\(path)\" has a value of the wrong shape",
        detail: keys.contains(path) ? "a value looks like \(example(path))" : "")
    @unknown default: return Refusal(.input, file, "\(error)")
    }
  }
}
