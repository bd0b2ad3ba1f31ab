import ArgumentParser
import Basics
import Experiments
import Foundation

/// The command of one cell in an experiment, started by `CellProcess`.
struct RunCellCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run-cell", abstract: "Train and test one cell; started by the other verbs.", shouldDisplay: false)

  @Argument var experiment: String
  @Option var method: String
  @Option var setting: String
  @Option var seed: UInt64
  @Flag var keepMasks = false

  func run() throws {
    Interruption.listen()
    ParentWatch.start()
    Warnings.listen { sentence in
      tell(.warning(sentence))
      printError("Warning: \(sentence)")
    }
    do {
      try lockLog()
      guard try runCell() else { throw ExitCode(CellReport.stoppedStatus) }
    } catch let error where !(error is ExitCode) {
      tell(.error("\(error)"))
      printError("Error: \(error)")
      throw ExitCode.failure
    }
  }

  private func runCell() throws -> Bool {
    let experiment = try Experiment(contentsOf: URL(fileURLWithPath: experiment))
    let wanted = { (cell: ExperimentCell) in
      cell.method.name == method && cell.setting.name == setting && cell.seed == seed
    }
    guard let cell = experiment.cells.first(where: wanted) else {
      throw Refusal(.input, experiment.folder.path, "has no cell \(method)/\(setting)/seed-\(seed)")
    }
    return try experiment.run(cell, keepMasks: keepMasks, shouldStop: Self.shouldStop) { event in
      switch event {
      case .steps(let count, let resumed): tell(resumed ? .resumed(count) : .done(count))
      case .message(let message): printError(message)
      }
    }
  }

  private static func shouldStop() -> Bool { Interruption.isRequested || ParentWatch.hasAsked }

  /// Locks the log in place of the cell, and waits while an earlier process of the cell is still ending.
  private func lockLog() throws {
    while flock(STDERR_FILENO, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK || errno == EINTR {
      if Self.shouldStop() { throw ExitCode(CellReport.stoppedStatus) }
      usleep(50_000)
    }
  }

  private func tell(_ report: CellReport) {
    // If nobody listens any more, `ParentWatch` ends this process.
    try? FileHandle.standardOutput.write(contentsOf: Data((report.line + "\n").utf8))
  }
}

/// A watch on the parent process.
private enum ParentWatch {
  // Written once by the watching thread, read between steps.
  nonisolated(unsafe) private static var asked: sig_atomic_t = 0

  /// Tells whether the parent asked to stop after the current step.
  static var hasAsked: Bool { asked != 0 }

  /// Starts the watch: this process exits as soon as its parent has ended in any way. Every file is written atomically.
  static func start() {
    Thread.detachNewThread {
      var byte: UInt8 = 0
      while true {
        let count = read(STDIN_FILENO, &byte, 1)
        if count == 1 { asked = 1 } else if count == 0 || errno != EINTR { _exit(1) }
      }
    }
  }
}
