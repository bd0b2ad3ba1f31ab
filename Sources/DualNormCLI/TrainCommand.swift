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
      checkpoints. Ctrl-C stops after the step at hand; dualnorm train --resume RUN, or the same command again, goes on.

      dualnorm train --resume RUN --iterations 6000,2000 trains longer (or shorter, but not less than is done). The stage at \
      hand goes on in the cosine schedule of the new length from where it is, so that the rate rises; a plateau schedule \
      knows no length. A stage that is over keeps its number. docs/runs.md says more.
      """)

  @Option(
    help: ArgumentHelp("The data set: site folders, a dataset.json layout, or one folder of pairs.", valueName: "dir"))
  var data: String?
  @Option(help: ArgumentHelp("The run folder to make, or to go on in with the same options.", valueName: "dir"))
  var output: String?
  @Option(
    help: ArgumentHelp("Go on with a run; it keeps its own options, but for --iterations.", valueName: "run"))
  var resume: String?
  @OptionGroup(title: "Training options") var options: TrainOptions
  @Flag(help: "No messages but errors.") var quiet = false

  func validate() throws {
    if resume != nil {
      guard data == nil, output == nil else {
        throw ValidationError("--resume takes data and output from the run; leave --data and --output out.")
      }
      var others = options
      others.iterations = nil
      guard others.areDefault else {
        throw ValidationError("--resume takes all options but --iterations from the run; leave the others out.")
      }
    } else if output == nil {
      throw ValidationError("Missing expected argument '--output <dir>' (or '--resume <run>')")
    } else if data == nil, options.config == nil {
      throw ValidationError("Missing expected argument '--data <dir>'")
    }
  }

  func run() throws {
    Interruption.listen()
    let run = RunFolder(URL(fileURLWithPath: resume ?? output!))
    do {
      let session = try resume == nil ? begin(run) : goOn(run)
      let preparing = ThreadSafeProgress("cases prepared", quiet: quiet)
      defer { preparing.clear() }
      let trainer = try session.trainer(preparing: preparing.update, shouldStop: Interruption.requested)
      preparing.clear()
      let wasFinished = trainer.isFinished
      try Self.train(trainer, run, quiet: quiet)
      if !quiet { sayWhatIsNext(run, wasFinished: wasFinished) }
    } catch is StopRequested {
      try Self.stop(run)
    }
  }

  private func sayWhatIsNext(_ run: RunFolder, wasFinished: Bool) {
    let path = shellQuoted(run.url.path)
    if wasFinished {
      printError(
        "\(run.url.path) was finished before. To train longer: dualnorm train --resume \(path) --iterations PLAIN,DUAL")
    } else {
      printError("Trained \(run.url.path). Next: dualnorm evaluate --model \(path) --data DIR --output DIR")
    }
  }

  /// Starts a run, or goes on with the one that the same command has started.
  private func begin(_ run: RunFolder) throws -> TrainingSession {
    let configuration = try options.resolved(data: data)
    guard run.isBegun || run.isCutShort else { return try start(run, configuration) }
    let recorded = try run.readConfiguration()
    try recorded.requireSame(as: configuration, in: run)
    return try run.isBegun ? TrainingSession(resuming: run) : start(run, recorded)
  }

  private func goOn(_ run: RunFolder) throws -> TrainingSession {
    guard run.isCutShort else { return try TrainingSession(resuming: run, iterations: options.iterations?.values) }
    var configuration = try run.readConfiguration()
    configuration.iterations = options.iterations?.values ?? configuration.iterations
    return try start(run, configuration)
  }

  private func start(_ run: RunFolder, _ configuration: TrainingConfiguration) throws -> TrainingSession {
    let checking = ThreadSafeProgress("cases checked", quiet: quiet)
    defer { checking.clear() }
    return try TrainingSession(
      starting: run, configuration: configuration,
      report: { message in
        checking.clear()
        if !quiet { printError(message) }
      }, checking: checking.update, shouldStop: Interruption.requested)
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
    guard isFinished else { return try stop(run) }
    if !quiet, !unfound.isEmpty {
      printError(
        "Warning: \(unfound.joined(separator: ", ")) was found in no validation case; train longer (--iterations), with a "
          + "larger --width, or with another --seed.")
    }
  }
}

extension TrainCommand {
  /// Ends the command after Ctrl-C, saying how to go on.
  static func stop(_ run: RunFolder) throws {
    printError(
      run.isBegun || run.isCutShort
        ? "Stopped; continue with: dualnorm train --resume \(shellQuoted(run.url.path))"
        : "Stopped before the training began; there is nothing to go on with.")
    throw ExitCode(Interruption.exitCode)
  }
}

extension TrainingProgress {
  /// `dual 120/900, loss 0.312 0.287, rate 8.3e-04`
  fileprivate var summary: String {
    let losses = losses.map { String(format: "%.3f", $0.value) }.joined(separator: " ")
    return "\(stage.rawValue) \(iteration)/\(iterations), loss \(losses), rate \(String(format: "%.1e", learningRate))"
  }
}
