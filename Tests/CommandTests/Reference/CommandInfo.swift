import Foundation

@testable import DualNormCLI

/// A verb, as `dualnorm --experimental-dump-help` describes it.
struct CommandInfo: Decodable {
  let commandName: String
  let superCommands: [String]?
  let shouldDisplay: Bool
  let abstract: String?
  let discussion: String?
  let subcommands: [CommandInfo]?
  let arguments: [ArgumentInfo]?

  private struct Tool: Decodable { let command: CommandInfo }

  /// The whole command, from the program itself.
  static let dualnorm = Result {
    try JSONDecoder().decode(Tool.self, from: Data(endInThisProcess(["--experimental-dump-help"]).message.utf8)).command
  }

  /// The words of the verb: `dualnorm experiment matrix`.
  var path: String { ((superCommands ?? []) + [commandName]).joined(separator: " ") }

  /// The visible verbs below this one; each comes before its own.
  var verbs: [CommandInfo] {
    (subcommands ?? []).filter { $0.shouldDisplay && $0.commandName != "help" }.flatMap { [$0] + $0.verbs }
  }

  /// The arguments besides `--help` and `--version`.
  var ownArguments: [ArgumentInfo] {
    (arguments ?? []).filter { $0.shouldDisplay && !["help", "version"].contains($0.preferredName?.name) }
      .reduce(into: []) { own, argument in
        if let last = own.last, argument.isOpposite(of: last) {
          own[own.count - 1].names = (last.names ?? []) + (argument.names ?? [])
        } else {
          own.append(argument)
        }
      }
  }

  private var paragraphs: [String] { (discussion ?? "").components(separatedBy: "\n\n") }

  private static func isExample(_ paragraph: String) -> Bool { paragraph.hasPrefix("Example") }

  /// Command lines of the paragraph that begins with `Example:` or `Examples:`.
  var examples: [String] {
    paragraphs.filter(Self.isExample).flatMap { $0.split(separator: "\n") }.compactMap { line in
      line.range(of: "dualnorm ").map { String(line[$0.lowerBound...]) }
    }
  }

  /// The other paragraphs of its help.
  var remarks: [String] { paragraphs.filter { !$0.isEmpty && !Self.isExample($0) } }
}

/// An argument, option or flag of a verb.
struct ArgumentInfo: Decodable, Equatable {
  enum Kind: String, Decodable { case positional, option, flag }

  struct Name: Decodable, Equatable {
    let kind: String
    let name: String

    var typed: String { (kind == "long" ? "--" : "-") + name }
  }

  struct Completion: Decodable, Equatable {
    struct Values: Decodable, Equatable { let values: [String] }
    struct Anything: Decodable, Equatable {}

    let list: Values?
    let file: Anything?
    let directory: Anything?
  }

  let kind: Kind
  let shouldDisplay: Bool
  let sectionTitle: String?
  let isOptional: Bool
  let isRepeating: Bool
  fileprivate(set) var names: [Name]?
  let preferredName: Name?
  let valueName: String?
  let defaultValue: String?
  let allValues: [String]?
  let completionKind: Completion?
  let abstract: String?

  /// Tells whether this is the `--no-` form of a flag.
  fileprivate func isOpposite(of other: ArgumentInfo) -> Bool {
    guard kind == .flag, let name = preferredName?.name, let flag = other.preferredName?.name else { return false }
    return name == "no-" + flag
  }

  /// The words that it accepts, if they are known.
  var values: [String] { kind == .flag ? [] : allValues ?? completionKind?.list?.values ?? [] }

  private static let mark = "(default: "

  /// The help sentence without the default at its end.
  var purpose: String {
    let text = abstract ?? ""
    guard let range = text.range(of: Self.mark) else { return text }
    return text[..<range.lowerBound].trimmingCharacters(in: .whitespaces)
  }

  /// The default, from the parser or from the help sentence.
  var standard: String? {
    if let defaultValue { return defaultValue }
    guard let abstract, let range = abstract.range(of: Self.mark) else { return nil }
    return String(abstract[range.upperBound...].prefix { $0 != ")" })
  }
}
