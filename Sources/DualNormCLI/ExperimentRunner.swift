import ArgumentParser
import Basics
import DualNorm
import Experiments
import Foundation

/// Runs the unfinished cells, several at once, each in its own process.
final class ExperimentRunner {
  private let experiment: Experiment
  private let jobs: Int
  private let keepMasks: Bool
  private var waiting: [ExperimentCell]
  private var running: [CellProcess] = []
  private var finished: Int
  private var failed = 0
  /// The warnings reported so far, by this process or a cell.
  private var warned = Set(Warnings.reported)
  private let progress: Progress

  init(_ experiment: Experiment, jobs: Int, keepMasks: Bool, quiet: Bool) {
    self.experiment = experiment
    self.jobs = jobs
    self.keepMasks = keepMasks
    waiting = experiment.cells.filter { !$0.isFinished }
    finished = experiment.cells.count - waiting.count
    let total = experiment.cells.reduce(0) { $0 + $1.steps }
    let left = waiting.reduce(0) { $0 + $1.steps }
    progress = Progress("steps", of: total, done: total - left, quiet: quiet)
  }

  /// - Returns: the number of failed cells; their errors were shown.
  /// - Throws: `ExitCode` after Ctrl-C, once all cells have stopped.
  func run() throws -> Int {
    sayWhatIsAhead()
    var isStopping = false
    while !running.isEmpty || (!waiting.isEmpty && !isStopping) {
      if Interruption.isRequested, !isStopping {
        isStopping = true
        for process in running { process.stop() }
      }
      while !isStopping, running.count < jobs, !waiting.isEmpty { start(waiting.removeFirst()) }
      usleep(20_000)
      update()
    }
    progress.clear()
    guard isStopping else { return failed }
    Messages.show("Stopped; continue with: \(Self.commandLine)")
    throw ExitCode(Interruption.exitCode)
  }

  private func sayWhatIsAhead() {
    let threads = experiment.configuration.training.threads ?? 1
    Messages.say(
      "\(experiment.cells.count) cells of \(experiment.configuration.methods.count) methods"
        + (finished > 0 ? ", \(finished) of them finished" : "") + "; \(jobs) at a time with \(threads) thread"
        + (threads == 1 ? "." : "s each."))
  }

  private func start(_ cell: ExperimentCell) {
    do {
      running.append(try CellProcess(cell, of: experiment, keepMasks: keepMasks))
    } catch {
      fail(cell, "\(error)", undone: cell.steps)
    }
  }

  private func fail(_ cell: ExperimentCell, _ reason: String, undone: Int) {
    failed += 1
    progress.clear()
    let sentence = "\(cell.name) failed: \(reason)"
    Messages.print(Messages.format == .text ? sentence : nil, LogLine(error: sentence))
    progress.skip(undone)
  }

  /// Reads progress from running cells and reaps finished ones.
  private func update() {
    takeSteps()
    let ended = running.filter(\.hasEnded)
    // Reads their last reports.
    if !ended.isEmpty { takeSteps() }
    running.removeAll { process in ended.contains { $0 === process } }
    for process in ended { takeLeave(of: process) }
  }

  private func takeSteps() {
    var advanced = 0
    for process in running {
      for warning in process.takeWarnings() { warn(of: process.cell, warning) }
      let told = process.takeSteps()
      progress.skip(told.resumed)
      advanced += told.advanced
    }
    if advanced > 0 { progress.advance(by: advanced, running.map(\.cell.name).joined(separator: ", ")) }
  }

  /// Reports a cell's warning once for all cells that have it; the table counts them.
  private func warn(of cell: ExperimentCell, _ warning: String) {
    let sentence = cell.run.withoutPath(warning)
    if warned.insert(sentence).inserted { Warnings.report("\(cell.name): \(sentence)") }
  }

  private func takeLeave(of process: CellProcess) {
    let cell = process.cell
    progress.clear()
    if cell.isFinished {
      finished += 1
      // The cell does not report its last tested case.
      progress.advance(by: cell.steps - process.steps)
      progress.clear()
      Messages.say("Finished \(cell.name) (\(finished) of \(experiment.cells.count))")
    } else if !process.wasStopped || !Interruption.isRequested {
      fail(cell, process.failure, undone: cell.steps - process.steps)
    }
  }

  /// The user's command line, quoted for a shell.
  private static var commandLine: String {
    (["dualnorm"] + CommandLine.arguments.dropFirst()).map(shellQuoted).joined(separator: " ")
  }
}
