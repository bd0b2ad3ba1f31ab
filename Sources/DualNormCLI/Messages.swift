import ArgumentParser
import Basics
import DualNorm
import Foundation

/// The message options of verbs that take long or print messages.
struct MessageOptions: ParsableArguments {
  @Flag(name: .shortAndLong, help: "Show only errors, and warnings of results that may be wrong.")
  var quiet = false
  @Flag(name: .shortAndLong, help: "Show more messages: each case, and how long it took.") var verbose = false
  @Option(
    help: ArgumentHelp(
      "Format of the messages on standard error: text, or json with one object per line (docs/runs.md).",
      valueName: "text|json"))
  var logFormat = Messages.Format.text

  func validate() throws {
    if quiet, verbose { throw ValidationError("--quiet and --verbose contradict each other; leave one out.") }
  }
}

extension Messages.Format: ExpressibleByArgument {}

/// Messages of a command on standard error, as sentences or as lines of JSON. Any thread may call its functions.
///
/// Errors that end the command are plain sentences in both formats, and printed elsewhere.
enum Messages {
  enum Format: String, CaseIterable { case text, json }

  /// Guards the state below and the terminal's progress line; a `Progress` locks it while it prints.
  static let lock = NSRecursiveLock()
  nonisolated(unsafe) private static var options = (format: Format.text, quiet: false, verbose: false)
  /// The progress whose line is on the terminal.
  nonisolated(unsafe) static weak var shown: Progress?

  /// Sets a command's options, and shows every warning from now on.
  static func begin(_ given: MessageOptions) {
    lock.withLock { options = (given.logFormat, given.quiet, given.verbose) }
    Warnings.listen { show(warning: $0) }
  }

  /// Shows a library's message; tables only as text.
  static func say(_ message: TrainingSession.Message) {
    switch message {
    case .sentence(let sentence): say(sentence)
    case .table(let table): if format == .text { say(table) }
    }
  }

  static var format: Format { lock.withLock { options.format } }

  /// Shows a message unless `--quiet` is given.
  static func say(_ message: String) {
    guard !lock.withLock({ options.quiet }) else { return }
    show(message)
  }

  /// Shows a message even with `--quiet`.
  static func show(_ message: String) { print(format == .text ? message : nil, LogLine(message: message)) }

  /// Shows a warning that may come again.
  static func show(warning: String) { print(format == .text ? "Warning: \(warning)" : nil, LogLine(warning: warning)) }

  /// Shows an error that does not end the command at once.
  static func show(error: String) { print(format == .text ? "Error: \(error)" : nil, LogLine(error: error)) }

  /// Tells whether progress shows each case.
  static var isVerbose: Bool { lock.withLock { options.verbose } }

  /// Prints a text, or a line of JSON if there is no text. Progress continues below it.
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

/// A line of JSON; keys without a value are omitted.
struct LogLine: Encodable {
  var message, warning, error: String?
  /// The reasons why cases of a batch failed.
  var reasons: [String]?
  /// The counted unit in the plural, and the current item.
  var unit, detail: String?
  var done, total: Int?
  var rate, secondsLeft: Double?
}
