import ArgumentParser
import Basics
@preconcurrency import Foundation  // stdout

struct DualNormCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dualnorm",
    abstract: "Robust segmentation of medical images from many hospitals.",
    discussion: "Start with: dualnorm demo. Every verb explains itself: dualnorm train --help.",
    version: Installation.version,
    subcommands: [
      DemoCommand.self, PrepareCommand.self, CheckCommand.self, TrainCommand.self, EvaluateCommand.self,
      PredictCommand.self, ScoreCommand.self, ExperimentCommand.self, ReportCommand.self, ImportCommand.self,
      ExportCommand.self, ServeCommand.self, WatchCommand.self, InfoCommand.self, PhantomCommand.self,
      BenchmarkCommand.self,
    ])

  /// Parses the words of a command line.
  ///
  /// - Throws: `WrongUsage`, or the parser's error; a request for help is such an error.
  static func parsed(_ words: [String]) throws -> any ParsableCommand {
    try CommandWords(words).check()
    return try parseAsRoot(words)
  }

  /// The end of the command: exit code and last message.
  static func ending(with error: any Error) -> (status: Int32, message: String) {
    guard let error = error as? WrongUsage else {
      return (exitCode(for: error).rawValue, withWholeExamples(fullMessage(for: error)))
    }
    let help = (["dualnorm", "help"] + error.verb).joined(separator: " ")
    return (ExitCode.validationFailure.rawValue, "Error: \(error)\n  See '\(help)' for more information.")
  }

  /// Checks that standard output was written, since a full disk would truncate a printed result silently. A reader that
  /// closes the pipe early, such as `head`, is no failure.
  fileprivate static func requireOutput() throws {
    errno = 0
    let isFlushed = fflush(stdout) == 0
    let code = errno
    guard !isFlushed || ferror(stdout) != 0, !readerHasLeft else { return }
    let reason = code == 0 ? "not all of it arrived" : String(cString: strerror(code))
    throw Refusal(
      .input, "Standard output cannot be written (\(reason))", remedy: "make room where it goes, or send it elsewhere")
  }

  private static var readerHasLeft: Bool {
    var output = pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)
    return poll(&output, 1, 0) == 1 && output.revents & Int16(POLLERR) != 0
  }
}

/// Runs `dualnorm` with the words after its name, and exits with its status.
package func runProgram(_ words: [String]) -> Never {
  Wording.current = .commandLine
  Installation.useDictionaries()
  do {
    var command = try DualNormCommand.parsed(words)
    try command.run()
    try DualNormCommand.requireOutput()
    exit(0)
  } catch {
    let (status, message) = DualNormCommand.ending(with: error)
    if !message.isEmpty { status == 0 ? print(message) : printError(message) }
    fflush(stdout)
    exit(status)
  }
}
