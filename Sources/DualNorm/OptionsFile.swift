import Foundation
import Yams

/// A YAML file whose keys are options, such as a training configuration or a recipe for data.
struct OptionsFile<Options: Codable> {
  /// What a key has that the file leaves out; it may depend on what the file says.
  let defaults: (Node?) throws -> Options
  /// All keys, in the order in which they are told.
  let keys: [String]
  /// The keys of the entries of an option that is a list of mappings, by option.
  var entryKeys: [String: [String]] = [:]
  /// Makes what a file of an earlier version says into what is said now.
  var upgrade: (Node) -> Node = { $0 }
  /// What a file with no options could hold, on one line.
  let sample: String
  /// A value of the option as YAML, on one line.
  let example: (String) -> String

  /// - Throws: `InputError` naming the file and the key that is unknown or has a value of the wrong shape.
  func read(_ url: URL) throws -> Options {
    try read(YAMLText.read(url, what: "options"), file: url.path)
  }

  /// - Parameter file: where the text is from, for messages.
  func read(_ text: String, file: String) throws -> Options {
    let given: Node?
    do {
      given = try Yams.compose(yaml: text)
    } catch {
      throw InputError("\(file): is not YAML (\(oneLine(error))).")
    }
    var values = try Yams.compose(yaml: yaml(defaults(given)))!
    if let given = given.map(upgrade), given.null == nil {
      guard let mapping = given.mapping else {
        throw InputError("\(file): holds no options; write one a line, for example `\(sample)`.")
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
      throw InputError("\(file): \(describe(error)).")
    }
  }

  /// The options as such a file, keys sorted.
  func yaml(_ options: Options) throws -> String {
    let encoder = YAMLEncoder()
    encoder.options.sortKeys = true
    return try encoder.encode(options)
  }

  private func requireKnown(_ name: String, among known: [String], _ kind: String, _ place: String) throws {
    guard !known.contains(name) else { return }
    throw InputError(
      "\(place): the \(kind) \"\(quoted(name))\" is unknown; the nearest one is \"\(nearest(to: name, among: known))\"."
    )
  }

  private func oneLine(_ error: any Error) -> String {
    "\(error)".split(whereSeparator: \.isNewline).first.map(String.init) ?? "\(error)"
  }

  private func describe(_ error: DecodingError) -> String {
    switch error {
    case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context),
      .keyNotFound(_, let context):
      let path = context.codingPath.first?.stringValue ?? "the file"
      let hint = keys.contains(path) ? "; a value looks like \(example(path))" : ""
      return "the option \"\(path)\" has a value of the wrong shape\(hint)"
    @unknown default: return "\(error)"
    }
  }
}

/// The candidate that takes the fewest edits to become `name`.
public func nearest(to name: String, among candidates: [String]) -> String {
  let name = compared(name)
  var best: (candidate: String, distance: Int)?
  for candidate in candidates {
    let distance = editDistance(name, compared(candidate), below: best?.distance ?? Int.max)
    if distance < best?.distance ?? Int.max { best = (candidate, distance) }
  }
  return best?.candidate ?? ""
}

/// How many letters must be changed, added or left out to make one word of the other (Levenshtein). Of words that are longer
/// than any name only the beginnings count.
public func editDistance(_ a: String, _ b: String) -> Int { editDistance(compared(a), compared(b), below: Int.max) }

/// The letters of a name that are compared: a file may hold names of megabytes, and the work grows by their square. File
/// systems have names of up to 255 bytes.
private func compared(_ name: String) -> [Character] { Array(String(name.unicodeScalars.prefix(255))) }

/// - Returns: some number from `limit` on where the distance is not below it.
private func editDistance(_ a: [Character], _ b: [Character], below limit: Int) -> Int {
  guard abs(a.count - b.count) < limit else { return limit }
  var row = Array(0...b.count)
  for (i, x) in a.enumerated() {
    var diagonal = row[0]
    row[0] = i + 1
    for (j, y) in b.enumerated() {
      (diagonal, row[j + 1]) = (row[j + 1], min(row[j] + 1, row[j + 1] + 1, diagonal + (x == y ? 0 : 1)))
    }
    // It never falls from row to row.
    guard row.min()! < limit else { return limit }
  }
  return row[b.count]
}
