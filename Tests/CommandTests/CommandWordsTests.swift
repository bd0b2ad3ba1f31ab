import Foundation
import Testing

@testable import DualNormCLI

/// Wrong command lines: the error names the wrong word first, and its correction.
@Suite struct CommandWordsTests {
  @Test(arguments: [
    ("\"predit\" is no verb of dualnorm; did you mean predict?", "predit --model RUN"),
    ("\"segment\" is no verb of dualnorm; did you mean predict?", "segment"),
    ("\"nope\" is no verb of dualnorm; it has demo, prepare, check, train, ", "help nope"),
    ("\"martix\" is no verb of dualnorm experiment; did you mean matrix?", "experiment martix --data DATA"),
    (
      "\"cross\" is no verb of dualnorm experiment; did you mean cross-validate?", "experiment cross --data DATA"
    ),
    ("--epochs is no option of dualnorm train; did you mean --iterations?", "train --data DATA --epochs 3"),
    ("--lr is no option of dualnorm train; did you mean --learning-rate?", "train --lr 0.1"),
    ("--learning_rate is no option of dualnorm train; did you mean --learning-rate?", "train --learning_rate=0.1"),
    ("--datta is no option of dualnorm train; did you mean --data?", "train --datta DATA"),
    ("--tta is no option of dualnorm predict; did you mean --", "predict --tta"),
    ("--json is no option of dualnorm check; did you mean --format json?", "check --json DATA"),
    ("--json is no option of dualnorm train; did you mean --log-format json?", "train --json"),
    ("--data is no option of dualnorm predict; did you mean --input?", "predict --data SCANS"),
    ("-z is no option of dualnorm train; dualnorm help train lists them.", "train -z"),
    ("--colour is no option of dualnorm train; dualnorm help train lists them.", "train --window -125,275 --colour"),
    (
      "Missing expected arguments '--input <file|dir> ...' and '--output <file|dir>'", "predict --model RUN"
    ),
  ]) func wrongWords(message: String, line: String) throws {
    let (status, found) = endInThisProcess(line.split(separator: " ").map(String.init))
    #expect(status == 64)
    #expect(found.hasPrefix("Error: \(message)"))
    let verb = line.hasPrefix("help") || found.contains("verb of dualnorm;") ? "" : " " + line.prefix { $0 != " " }
    #expect(found.hasSuffix("\n  See 'dualnorm help\(verb)' for more information."))
    #expect(found.split(separator: "\n").count == 2)
  }

  /// Empty texts, as from an unset variable.
  @Test(arguments: [
    ("<dir>", ["check", ""]), ("--output", ["phantom", "--output", ""]), ("--output", ["phantom", "--output="]),
    ("--data", ["train", "--output", "RUN", "--data", ""]), ("<run|file>", ["info", ""]),
    ("--splits", ["check", "DATA", "--splits", ""]), ("--input", ["predict", "--input", "SCAN", "--input", ""]),
  ]) func emptyTexts(argument: String, words: [String]) throws {
    try expectRefusal(
      "\(argument) is an empty text; give its value (a variable of the shell may not be set).", status: 64, of: words)
  }

  /// Values that look like options, and the parser's own words.
  @Test(arguments: [
    "train --help", "help train", "help experiment matrix", "--version", "experiment cross-validate -h",
    "--experimental-dump-help", "--generate-completion-script bash",
  ]) func wordsThatAreMeant(line: String) {
    #expect(endInThisProcess(line.split(separator: " ").map(String.init)).status == 0)
  }

  @Test func aProcessEndsAlike() throws {
    let wrong = try dualnorm("train", "--epochs", "3")
    #expect(wrong.status == 64 && wrong.output == "")
    #expect(
      wrong.errors == "Error: --epochs is no option of dualnorm train; did you mean --iterations?\n"
        + "  See 'dualnorm help train' for more information.\n")
  }

  /// The help of each verb with examples, which takes the parser a while.
  private static let helpOfVerbs: [String: String] = {
    let verbs = ((try? CommandInfo.dualnorm.get().verbs) ?? []).filter { !$0.examples.isEmpty }
    return Dictionary(
      uniqueKeysWithValues: verbs.map { verb in
        let words = verb.path.split(separator: " ").dropFirst().map(String.init)
        return (verb.path, endInThisProcess(words + ["--help"]).message)
      })
  }()

  /// An example must be copied as a whole.
  @Test(arguments: [40, 60, 80, 200]) func examplesAreNotBroken(columns: Int) throws {
    for verb in try CommandInfo.dualnorm.get().verbs where !verb.examples.isEmpty {
      let help = DualNormCommand.withWholeExamples(try #require(Self.helpOfVerbs[verb.path]), columns: columns)
      for example in verb.examples { #expect(help.contains("\n  \(example)\n"), "\(verb.path), \(columns) columns") }
      let overview = try #require(help.range(of: "\n\nUSAGE: ")).lowerBound
      for line in help[..<overview].split(separator: "\n") where !line.hasPrefix("  dualnorm ") {
        #expect(line.count <= columns || !line.dropLast().contains(" "), "\(verb.path): \(line)")
      }
    }
  }

  @Test func theTerminalsWidthCounts() throws {
    let help = try dualnorm(["train", "--help"], limits: "export COLUMNS=50").output
    #expect(help.hasPrefix("OVERVIEW: Train a network on a folder of volumes:\n"))
    #expect(help.contains("\n  dualnorm train --data DATA --output RUN --width 16 --iterations 1200,900\n"))
  }
}
