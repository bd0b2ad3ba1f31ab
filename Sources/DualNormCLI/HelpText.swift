import ArgumentParser
import Foundation

extension DualNormCommand {
  /// The help of a verb with each example on one line, whatever the terminal's width.
  ///
  /// The parser breaks long lines anywhere, so that a broken command could not be copied.
  static func withWholeExamples(_ message: String, columns: Int = columnsOfTerminal) -> String {
    let usage = "\n\nUSAGE: dualnorm"
    guard message.hasPrefix(overview), let end = message.range(of: usage) else { return message }
    let verb = message[end.upperBound...].prefix { $0 != "\n" }.split(separator: " ").prefix {
      !"<[(-".contains($0.first!)
    }
    guard let configuration = configuration(of: verb.map(String.init)) else { return message }
    let text = [configuration.abstract, configuration.discussion].filter { !$0.isEmpty }.joined(separator: "\n\n")
    return wrapped(overview + text, columns: columns) + message[end.lowerBound...]
  }

  private static let overview = "OVERVIEW: "

  private static func configuration(of verb: [String]) -> CommandConfiguration? {
    var command: any ParsableCommand.Type = DualNormCommand.self
    for word in verb {
      guard let next = command.configuration.subcommands.first(where: { $0.configuration.commandName == word }) else {
        return nil
      }
      command = next
    }
    return command.configuration
  }

  /// Breaks lines at spaces, except within commands.
  private static func wrapped(_ text: String, columns: Int) -> String {
    text.components(separatedBy: "\n").flatMap { line -> [String] in
      guard let command = line.range(of: "dualnorm "), isExample(line[..<command.lowerBound]) else {
        return broken(line, columns: columns)
      }
      let heading = line[..<command.lowerBound].trimmingCharacters(in: .whitespaces)
      return (heading.isEmpty ? [] : [heading]) + ["  " + line[command.lowerBound...]]
    }.joined(separator: "\n")
  }

  /// Tells whether a line shows its command as an example, judged by the text before the command.
  private static func isExample(_ beginning: Substring) -> Bool {
    let words = beginning.trimmingCharacters(in: .whitespaces)
    return words.isEmpty ? beginning.count >= 2 : words.hasPrefix("Example") && words.hasSuffix(":")
  }

  private static func broken(_ line: String, columns: Int) -> [String] {
    var lines: [String] = []
    for word in line.split(separator: " ", omittingEmptySubsequences: false) {
      if let last = lines.last, last.count + 1 + word.count <= columns {
        lines[lines.count - 1] += " " + word
      } else {
        lines.append(String(word))
      }
    }
    return lines
  }

  /// The terminal's width, as the parser determines it for the rest of the help.
  private static var columnsOfTerminal: Int {
    if let given = ProcessInfo.processInfo.environment["COLUMNS"].flatMap(Int.init), given > 0 { return given }
    var size = winsize()
    return ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80
  }
}
