import ArgumentParser
import DualNorm
import Foundation

struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Train a network on a folder of volumes: plain norms first, then dual blocks.",
    discussion: """
      Example: dualnorm train --data DATA --output RUN --width 16 --iterations 1200,900

      Writes the folder RUN: model.safetensors and model.json (the model), config.yaml, splits.json, log.csv and \
      checkpoints. Ctrl-C stops after the step at hand; dualnorm train --resume RUN goes on.
      """)

  @Option(
    help: ArgumentHelp("The data set: site folders, a dataset.json layout, or one folder of pairs.", valueName: "dir"))
  var data: String?
  @Option(help: ArgumentHelp("The run folder to make.", valueName: "dir")) var output: String?
  @Option(help: ArgumentHelp("Go on with a run that was stopped; it keeps its own options.", valueName: "run"))
  var resume: String?
  @OptionGroup(title: "Training options") var options: TrainOptions
  @Flag(help: "No messages but errors.") var quiet = false

  func validate() throws {
    if resume != nil {
      guard data == nil, output == nil else {
        throw ValidationError("--resume takes data and output from the run; leave --data and --output out.")
      }
      guard options.areDefault else {
        throw ValidationError("--resume takes all options from the run; leave the others out.")
      }
    } else if output == nil {
      throw ValidationError("Missing expected argument '--output <dir>' (or '--resume <run>')")
    } else if data == nil, options.config == nil {
      throw ValidationError("Missing expected argument '--data <dir>'")
    }
  }

  func run() throws {
    Interruption.listen()
    let session = try resume.map { try TrainingSession(resuming: RunFolder(URL(fileURLWithPath: $0))) } ?? start()
    let preparing = ThreadSafeProgress("cases prepared", quiet: quiet)
    let trainer = try session.trainer(preparing: preparing.update)
    preparing.clear()
    try Self.train(trainer, session.run, quiet: quiet)
    let path = session.run.url.path
    if !quiet { printError("Trained \(path). Next: dualnorm evaluate --model \(path) --data DIR --output DIR") }
  }

  private func start() throws -> TrainingSession {
    let configuration = try options.resolved(data: data)
    let checking = ThreadSafeProgress("cases checked", quiet: quiet)
    return try TrainingSession(
      starting: RunFolder(URL(fileURLWithPath: output!)), configuration: configuration,
      report: { message in
        checking.clear()
        if !quiet { printError(message) }
      }, checking: checking.update)
  }

  /// Trains with progress; after Ctrl-C says how to go on and ends the command.
  static func train(_ trainer: Trainer, _ run: RunFolder, quiet: Bool) throws {
    let total = trainer.stages.reduce(0) { $0 + $1.iterations }
    let progress = Progress("iterations", of: total, done: trainer.finishedIterations, quiet: quiet)
    var unfound: [String] = []
    let isFinished = try trainer.train(shouldStop: Interruption.requested) { report in
      progress.advance(report.summary)
      if let validation = report.validation {
        unfound = validation.unfoundClasses
        progress.clear()
        if !quiet { printError("\(report.stage.rawValue) \(report.iteration)/\(report.iterations): \(validation)") }
      }
    }
    progress.clear()
    guard isFinished else {
      printError("Stopped; continue with: dualnorm train --resume \(run.url.path)")
      throw ExitCode(Interruption.exitCode)
    }
    if !quiet, !unfound.isEmpty {
      printError(
        "Warning: \(unfound.joined(separator: ", ")) was found in no validation case; train longer (--iterations), with a "
          + "larger --width, or with another --seed.")
    }
  }
}

extension TrainingProgress {
  /// `dual 120/900, loss 0.312 0.287, rate 8.3e-04`
  fileprivate var summary: String {
    let losses = losses.map { String(format: "%.3f", $0.value) }.joined(separator: " ")
    return "\(stage.rawValue) \(iteration)/\(iterations), loss \(losses), rate \(String(format: "%.1e", learningRate))"
  }
}
