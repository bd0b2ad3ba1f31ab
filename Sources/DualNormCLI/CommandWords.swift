import ArgumentParser
import Basics
import Foundation

/// Wrong usage of the command line: one sentence, and the verb whose help explains more.
struct WrongUsage: Error, CustomStringConvertible {
  let description: String
  let verb: [String]

  init(_ description: String, verb: [String]) { (self.description, self.verb) = (description, verb) }
}

/// The words of a command line, checked before they are parsed.
///
/// The parser itself names missing options before misspelt ones, and accepts an empty text as a path.
struct CommandWords {
  private let words: [String]

  init(_ words: [String]) { self.words = words }

  /// - Throws: `WrongUsage` for an unknown verb or option, for an empty text, and for several missing options.
  func check() throws {
    var (command, verb): (any ParsableCommand.Type, [String]) = (DualNormCommand.self, [])
    var rest = words[...]
    if rest.first == "help" {
      rest = rest.dropFirst()
      guard rest.allSatisfy({ !$0.hasPrefix("-") }) else { return }
    }
    while let word = rest.first, !word.hasPrefix("-"), !command.configuration.subcommands.isEmpty {
      command = try subcommand(word, of: command, verb)
      verb.append(word)
      rest = rest.dropFirst()
    }
    let isLeaf = command.configuration.subcommands.isEmpty
    guard isLeaf, words.first != "help", !rest.contains(where: Self.asksForHelp.contains) else { return }
    try VerbWords(rest, of: VerbOptions(command), verb: verb).check()
  }

  private static let asksForHelp: Set<String> = ["-h", "--help", "-help", "--version"]

  private func subcommand(
    _ word: String, of command: any ParsableCommand.Type, _ verb: [String]
  ) throws -> any ParsableCommand.Type {
    let known = command.configuration.subcommands
    func name(_ command: any ParsableCommand.Type) -> String { command.configuration.commandName ?? "" }
    if let found = known.first(where: { name($0) == word }) { return found }
    let names = known.filter { $0.configuration.shouldDisplay }.map(name)
    let meant = Self.verbsElsewhere[word].flatMap { names.contains($0) ? $0 : nil } ?? near(word, among: names)
    throw WrongUsage(
      "\"\(word)\" is no verb of \((["dualnorm"] + verb).joined(separator: " "))"
        + (meant.map { "; did you mean \($0)?" } ?? "; it has \(names.joined(separator: ", "))."), verb: verb)
  }

  /// Verbs by the names that other programs give them.
  private static let verbsElsewhere = [
    "segment": "predict", "infer": "predict", "inference": "predict", "test": "evaluate", "eval": "evaluate",
    "fit": "train", "convert": "import",
  ]
}

/// The words after a verb.
private struct VerbWords {
  private let words: ArraySlice<String>
  private let options: VerbOptions
  private let verb: [String]

  init(_ words: ArraySlice<String>, of options: VerbOptions, verb: [String]) {
    (self.words, self.options, self.verb) = (words, options, verb)
  }

  func check() throws {
    var given: Set<String> = []
    var positions = options.positionals[...]
    var rest = words
    while let word = rest.popFirst() {
      if word == "--" { return }
      guard word.hasPrefix("-"), word.count > 1, !word.dropFirst().first!.isNumber else {
        guard let argument = positions.first else { continue }
        try requireText(word, of: argument)
        given.insert(argument.title)
        if !argument.isRepeating { positions = positions.dropFirst() }
        continue
      }
      let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      guard let option = options.named(parts[0]) else {
        if options.areFlags(parts[0]) { continue }
        throw unknown(parts[0])
      }
      given.insert(option.title)
      if option.kind == .flag { continue }
      if parts.count == 2 { try requireText(parts[1], of: option) } else { try takeValues(of: option, from: &rest) }
    }
    try requireAll(given)
  }

  private func takeValues(of option: VerbOptions.Argument, from rest: inout ArraySlice<String>) throws {
    let takesAnything = option.parsingStrategy == "unconditional"
    while let value = rest.first, takesAnything || !value.hasPrefix("-") || value == "-" {
      try requireText(value, of: option)
      rest = rest.dropFirst()
      if option.parsingStrategy != "upToNextOption" { return }
    }
  }

  /// Refuses an empty text: an unset shell variable would read the current folder, or write into it.
  private func requireText(_ value: String, of argument: VerbOptions.Argument) throws {
    guard value.isEmpty else { return }
    throw WrongUsage(
      "\(argument.title) is an empty text; give its value (a variable of the shell may not be set).", verb: verb)
  }

  private func unknown(_ name: String) -> WrongUsage {
    let program = (["dualnorm"] + verb).joined(separator: " ")
    return WrongUsage(
      "\(name) is no option of \(program)"
        + (options.meant(by: name).map { "; did you mean \($0)?" }
          ?? "; \((["dualnorm", "help"] + verb).joined(separator: " ")) lists them."),
      verb: verb)
  }

  /// Names all missing options at once; the parser names only the first.
  private func requireAll(_ given: Set<String>) throws {
    let missing = options.required.filter { !given.contains($0.title) }.map { "'\($0.usage)'" }
    guard missing.count > 1, !words.isEmpty else { return }
    throw WrongUsage(
      "Missing expected arguments \(missing.dropLast().joined(separator: ", ")) and \(missing.last!)", verb: verb)
  }
}

/// The arguments of a verb, from its own description.
private struct VerbOptions {
  struct Argument: Decodable {
    enum Kind: String, Decodable { case positional, option, flag }
    struct Name: Decodable {
      let kind: String
      let name: String
      var typed: String { (kind == "long" ? "--" : "-") + name }
    }

    let kind: Kind
    let shouldDisplay: Bool
    let isOptional, isRepeating: Bool
    let parsingStrategy: String
    let names: [Name]?
    let preferredName: Name?
    let valueName: String?

    /// `--output`, or `<file>`.
    var title: String { preferredName?.typed ?? "<\(valueName ?? "")>" }

    /// `--input <file|dir> ...`
    var usage: String {
      (kind == .option ? "\(title) <\(valueName ?? "")>" : title) + (isRepeating ? " ..." : "")
    }
  }

  private struct Tool: Decodable {
    struct Command: Decodable { let arguments: [Argument]? }
    let command: Command
  }

  private let arguments: [Argument]
  private let byName: [String: Argument]

  init(_ command: any ParsableCommand.Type) throws {
    let tool = try JSONDecoder().decode(Tool.self, from: Data(command._dumpHelp().utf8))
    arguments = tool.command.arguments ?? []
    byName = Dictionary(
      arguments.flatMap { argument in (argument.names ?? []).map { ($0.typed, argument) } },
      uniquingKeysWith: { first, _ in first })
  }

  func named(_ name: String) -> Argument? { byName[name] }

  var positionals: [Argument] { arguments.filter { $0.kind == .positional } }
  var required: [Argument] { arguments.filter { !$0.isOptional && $0.kind != .flag } }

  /// Tells whether a word is several one-letter flags, such as `-qv`.
  func areFlags(_ word: String) -> Bool {
    !word.hasPrefix("--") && word.dropFirst().allSatisfy { byName["-\($0)"] != nil }
  }

  /// The option that the user probably meant: another program's name for it, or the nearest spelling.
  func meant(by name: String) -> String? {
    let shown = arguments.filter { $0.shouldDisplay && $0.kind != .positional }.flatMap { $0.names ?? [] }.map(\.typed)
    let word = String(name.drop { $0 == "-" })
    let elsewhere = Self.optionsElsewhere[word.replacingOccurrences(of: "_", with: "-")] ?? []
    let long = shown.filter { $0.hasPrefix("--") }.map { String($0.dropFirst(2)) }
    return elsewhere.first { shown.contains("--\($0.prefix { $0 != " " })") }.map { "--" + $0 }
      ?? near(word, among: long).map { "--" + $0 }
  }

  /// Options by the names that other programs give them; the first that the verb has applies.
  private static let optionsElsewhere = [
    "epochs": ["iterations"], "steps": ["iterations"], "lr": ["learning-rate"], "wd": ["weight-decay"],
    "tta": ["mirror", "adapt"], "mirroring": ["mirror", "adapt"], "json": ["format json", "log-format json"],
    "gpu": ["device cuda"], "cuda": ["device cuda"], "workers": ["threads", "jobs"], "checkpoint": ["model", "resume"],
    "run": ["model", "resume"], "data": ["input", "images"], "input": ["data", "images"], "images": ["input", "data"],
    "masks": ["labels"], "debug": ["verbose"], "silent": ["quiet"], "npz": ["probabilities"],
    "save-probabilities": ["probabilities"], "continue": ["resume"], "overwrite": ["output"],
  ]
}

/// The word that the user probably meant: one that begins with it, or the nearest if it is near enough.
private func near(_ word: String, among candidates: [String]) -> String? {
  if word.count > 2, let longer = candidates.first(where: { $0.hasPrefix(word) }) { return longer }
  let nearest = nearest(to: word, among: candidates)
  return !nearest.isEmpty && editDistance(word, nearest) <= max(1, min(word.count, nearest.count) / 3) ? nearest : nil
}
