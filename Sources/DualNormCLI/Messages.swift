import ArgumentParser
import Basics
import DualNorm
import Foundation

/// Options of every verb that may take long or has messages.
struct MessageOptions: ParsableArguments {
  @Flag(name: .shortAndLong, help: "No messages but errors and warnings of results that may be wrong.")
  var quiet = false
  @Flag(name: .shortAndLong, help: "More messages: each case, and how long it took.") var verbose = false
  @Option(
    help: ArgumentHelp(
      "Format of the messages on standard error: text, or json for machines, an object a line (docs/runs.md).",
      valueName: "text|json"))
  var logFormat = Messages.Format.text

  func validate() throws {
    if quiet, verbose { throw ValidationError("--quiet and --verbose contradict each other; leave one out.") }
  }
}

extension Messages.Format: ExpressibleByArgument {}

/// Messages of a command on standard error, as sentences or as lines of JSON. Any thread may call it.
///
/// Errors are not its business: they are plain sentences in both formats.
enum Messages {
  enum Format: String, CaseIterable { case text, json }

  /// Guards the state below and the terminal's line of progress; a `Progress` takes it while it prints.
  static let lock = NSRecursiveLock()
  nonisolated(unsafe) private static var options = (format: Format.text, quiet: false, verbose: false)
  /// The progress whose line stands on the terminal.
  nonisolated(unsafe) static weak var shown: Progress?

  /// Takes a command's options, and shows every warning from here on.
  static func begin(_ given: MessageOptions) {
    lock.withLock { options = (given.logFormat, given.quiet, given.verbose) }
    Warnings.listen { sentence in
      print(format == .text ? "Warning: \(sentence)" : nil, LogLine(warning: sentence))
    }
  }

  /// A message of a library: JSON has no tables.
  static func say(_ message: TrainingSession.Message) {
    switch message {
    case .sentence(let sentence): say(sentence)
    case .table(let table): if format == .text { say(table) }
    }
  }

  static var format: Format { lock.withLock { options.format } }

  /// A message that `--quiet` silences.
  static func say(_ message: String) {
    guard !lock.withLock({ options.quiet }) else { return }
    show(message)
  }

  /// A message that `--quiet` does not silence.
  static func show(_ message: String) { print(format == .text ? message : nil, LogLine(message: message)) }

  /// An error that does not end the command at once.
  static func show(error: String) { print(format == .text ? "Error: \(error)" : nil, LogLine(error: error)) }

  /// True where progress shows each case.
  static var isVerbose: Bool { lock.withLock { options.verbose } }

  /// Prints a text or, where there is none, a line of JSON, below which progress goes on.
  static func print(_ text: String?, _ line: some Encodable) {
    lock.withLock {
      shown?.clear()
      printError(text.map(printableLines) ?? json(line))
    }
  }

  private static func json(_ line: some Encodable) -> String {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return (try? encoder.encode(line)).map { printableJSON(String(decoding: $0, as: UTF8.self)) } ?? "{}"
  }
}

/// A line of JSON; keys without a value are left out.
struct LogLine: Encodable {
  var message, warning, error: String?
  /// What is wrong with each case of a batch.
  var reasons: [String]?
  /// What is counted, in the plural, and the one at hand.
  var unit, detail: String?
  var done, total: Int?
  var rate, secondsLeft: Double?
}
