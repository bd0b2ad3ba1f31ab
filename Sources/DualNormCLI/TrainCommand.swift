import ArgumentParser
import Basics
import Datasets
import DualNorm
import Foundation

struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Train a network on a folder of volumes: plain norms first, then dual blocks.",
    discussion: """
      Example:
        dualnorm train --data DATA --output RUN --width 16 --iterations 1200,900

      Writes the folder RUN: model.safetensors and model.json (the model), config.yaml, splits.json, log.csv and \
      checkpoints. Ctrl-C stops after the current step; dualnorm train --resume RUN, or the same command again, resumes.

      dualnorm train --resume RUN --iterations 6000,2000 trains longer (or shorter, but not less than is done). The \
      current stage continues on the cosine schedule of the new length, so that a longer one raises the rate; a plateau \
      schedule does not depend on the length. A finished stage keeps its iterations. docs/runs.md has the details.
      """)

  @Option(
    help: ArgumentHelp("The data set: site folders, a dataset.json layout, or one folder of pairs.", valueName: "dir"),
    completion: .directory)
  var data: String?
  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("The run folder to make, or to resume with the same options.", valueName: "dir"),
    completion: .directory)
  var output: String?
  @Option(
    help: ArgumentHelp("Resume a run; it keeps its own options, except --iterations.", valueName: "run"),
    completion: .directory)
  var resume: String?
  @Option(
    help: ArgumentHelp(
      "Time that the training may take on this machine, such as 90s, 20m or 1.5h: chooses --iterations, and unless given --width.",
      valueName: "duration"))
  var time: TimeLimit?
  @OptionGroup(title: "Training options") var options: TrainOptions
  @OptionGroup(title: "Messages") var messages: MessageOptions

  private var quiet: Bool { messages.quiet }

  func validate() throws {
    guard time == nil || options.iterations == nil else {
      throw ValidationError("--time chooses the iterations; leave --iterations out.")
    }
    if resume != nil {
      guard time == nil else {
        throw ValidationError("--time is chosen when a run begins; leave it out, or give --iterations.")
      }
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
    let start = ContinuousClock.now
    Interruption.listen()
    Messages.begin(messages)
    let said = TrainingMessages(quiet: quiet)
    let run = RunFolder(URL(fileURLWithPath: resume ?? output!))
    var hasChosen = time == nil
    do {
      var session = try resume == nil ? begin(run, said) : goOn(run, said)
      try run.keep(Warnings.reported)
      let preparing = ThreadSafeProgress("cases prepared", quiet: quiet)
      defer { preparing.clear() }
      let cases = try session.prepare(preparing: preparing.update, shouldStop: Interruption.requested)
      preparing.clear()
      var trainer = try session.trainer(on: cases)
      if let time, trainer.finishedIterations == 0 {
        let choice = try choose(time, for: trainer, since: start)
        session = try session.fitted(to: choice)
        said.say(
          "Time: \(time) chooses a width of \(choice.width) and \(choice.iterations) iterations, about "
            + "\(Progress.duration(choice.seconds)).")
        trainer = try session.trainer(on: cases)
      }
      hasChosen = true
      try run.keep(Warnings.reported)
      let wasFinished = trainer.isFinished
      if time == nil { try said.sayHowLong(trainer, session.configuration) }
      try Self.train(trainer, run, said)
      said.say(wasFinished ? whatIsLonger(run) : whatIsNext(run, session))
    } catch is StopRequested where !hasChosen {
      Messages.show("Stopped before \(Setting.time) chose the iterations; the same command begins again.")
      throw ExitCode(Interruption.exitCode)
    } catch is StopRequested {
      try Self.stop(run)
    }
  }

  /// Measures the time that is left after one in twenty parts is kept for the end of the training.
  private func choose(_ time: TimeLimit, for trainer: Trainer, since start: ContinuousClock.Instant) throws
    -> TimedTraining
  {
    let elapsed = (ContinuousClock.now - start) / .seconds(1)
    return try trainer.timed(
      seconds: 0.95 * (time.seconds - elapsed), of: time.description, keepsWidth: options.width != nil,
      shouldStop: Interruption.requested)
  }

  private func whatIsLonger(_ run: RunFolder) -> String {
    "\(run.url.path) was finished before. To train longer: dualnorm train --resume \(shellQuoted(run.url.path)) "
      + "--iterations PLAIN,DUAL"
  }

  /// A command to copy, for patients that the network has not seen.
  private func whatIsNext(_ run: RunFolder, _ session: TrainingSession) -> String {
    func evaluate(_ data: String) -> String {
      "dualnorm evaluate --model \(shellQuoted(run.url.path)) --data \(data) --output "
        + shellQuoted(run.url.path + "-evaluation")
    }
    let heldOut = session.split.test.count
    guard heldOut > 0, let data = session.configuration.data else {
      return "Trained \(run.url.path). No case was held out. Next, with data of other patients: " + evaluate("DIR")
    }
    return
      "Trained \(run.url.path). Next, on the held-out cases (\(heldOut)): \(evaluate(shellQuoted(data))) --split test"
  }

  /// Starts a run, or resumes the one that the same command started.
  private func begin(_ run: RunFolder, _ messages: TrainingMessages) throws -> TrainingSession {
    let configuration = try options.resolved(data: data)
    guard run.isBegun || run.isCutShort else { return try start(run, configuration, messages) }
    let recorded = try run.readConfiguration()
    // A run with a time has chosen these.
    let chosen: Set<Setting> = time == nil ? [] : options.width == nil ? [.iterations, .width] : [.iterations]
    try recorded.requireSame(as: configuration, but: chosen, in: run)
    return try run.isBegun ? TrainingSession.resume(run) : start(run, recorded, messages)
  }

  private func goOn(_ run: RunFolder, _ messages: TrainingMessages) throws -> TrainingSession {
    guard run.isCutShort else { return try TrainingSession.resume(run, iterations: options.stageIterations) }
    var configuration = try run.readConfiguration()
    configuration.iterations = try options.stageIterations ?? configuration.iterations
    return try start(run, configuration, messages)
  }

  private func start(
    _ run: RunFolder, _ configuration: TrainingConfiguration, _ messages: TrainingMessages
  ) throws -> TrainingSession {
    let checking = ThreadSafeProgress("cases checked", quiet: quiet)
    defer { checking.clear() }
    return try TrainingSession.begin(
      run, configuration: configuration, choosesWidth: time != nil && options.width == nil,
      report: { message in
        checking.clear()
        Messages.say(message)
      }, checking: checking.update, shouldStop: Interruption.requested)
  }

  /// Trains with progress. After Ctrl-C, says how to resume and ends the command.
  static func train(_ trainer: Trainer, _ run: RunFolder, _ messages: TrainingMessages) throws {
    messages.begin(trainer)
    let isFinished = try trainer.train(shouldStop: Interruption.requested) { messages.advance($0) }
    messages.clear()
    guard isFinished else { return try stop(run) }
    messages.say("Largest component: \(try run.readDescription().largestComponentSummary()).")
  }
}

extension TrainCommand {
  /// Ends the command after Ctrl-C, and says how to resume.
  static func stop(_ run: RunFolder) throws {
    Messages.show(
      run.isBegun || run.isCutShort
        ? "Stopped; continue with: dualnorm train --resume \(shellQuoted(run.url.path))"
        : "Stopped before the training began; there is nothing to go on with.")
    throw ExitCode(Interruption.exitCode)
  }
}
