import DualNorm
import Foundation

/// The output of `train` on standard error besides warnings: sentences and progress, or lines of JSON.
final class TrainingMessages {
  private let quiet: Bool
  private var progress: Progress?
  private var validation: ValidationScore?

  init(quiet: Bool) { self.quiet = quiet }

  func say(_ message: String) { Messages.say(message) }

  /// Starts showing the progress of a training.
  func begin(_ trainer: Trainer) {
    let total = trainer.stages.reduce(0) { $0 + $1.iterations }
    progress = Progress("iterations", of: total, done: trainer.finishedIterations, quiet: quiet, delay: 1)
  }

  /// Says how long the training will take, and which options would take an hour if it takes longer.
  ///
  /// - Parameter configuration: the training's configuration.
  func sayHowLong(_ trainer: Trainer, _ configuration: TrainingConfiguration) throws {
    let total = trainer.stages.reduce(0) { $0 + $1.iterations }
    // Timing would take as long as the training.
    guard !quiet, total - trainer.finishedIterations >= 20 else { return }
    let pace = try trainer.pace(shouldStop: Interruption.requested)
    let seconds = pace.seconds(of: trainer.stages, done: trainer.finishedIterations)
    let steps = trainer.stages.compactMap { stage, _ in
      pace.times[stage].map { String(format: "%.2g s a step of the %@ stage", $0.step, stage.rawValue) }
    }
    say("Time: about \(Progress.duration(seconds)) on this machine (\(steps.joined(separator: ", "))).")
    guard seconds > 3600, trainer.finishedIterations == 0 else { return }
    let smaller = try SmallerTraining(of: configuration, trainer.stages) { width in
      try width == configuration.width ? pace : trainer.pace(width: width, shouldStop: Interruption.requested)
    }
    say("For a first look, \(smaller.options) takes about \(Progress.duration(smaller.seconds)).")
  }

  /// Shows some iterations, and every validation.
  func advance(_ report: TrainingProgress) {
    guard let progress else { return }
    validation = report.validation ?? validation
    switch Messages.format {
    case .text:
      progress.advance(report.summary(validation))
      guard report.validation != nil else { return }
      say("\(report.stage.rawValue) \(report.iteration)/\(report.iterations): \(validation!)")
    case .json:
      let isDue = progress.count()
      guard !quiet, isDue || report.validation != nil else { return }
      Messages.print(nil, Line(report, validation, progress))
    }
  }

  func clear() { progress?.clear() }

}

/// Options for a training that ends within an hour.
struct SmallerTraining {
  let options: String
  let seconds: Double

  /// - Parameter pace: measures the pace of networks of a width.
  init(
    of configuration: TrainingConfiguration, _ asked: [(stage: Stage, iterations: Int)],
    pace: (Int) throws -> TrainingPace
  ) rethrows {
    let width = min(configuration.width, 16)
    let pace = try pace(width)
    let share = min(1, 3600 / pace.seconds(of: asked))
    let stages = asked.map {
      (stage: $0.stage, iterations: share < 1 ? Self.rounded(Double($0.iterations) * share) : $0.iterations)
    }
    func iterations(_ stage: Stage) -> Int { stages.first { $0.stage == stage }?.iterations ?? 0 }
    options = [
      width < configuration.width ? "--width \(width)" : nil,
      share < 1 ? "--iterations \(StageIterations(plain: iterations(.plain), dual: iterations(.dual)))" : nil,
    ].compactMap { $0 }.joined(separator: " ")
    seconds = pace.seconds(of: stages)
  }

  /// Rounds down to two digits.
  private static func rounded(_ number: Double) -> Int {
    let unit = number < 100 ? 1 : pow(10, (log10(number)).rounded(.down) - 1)
    return max(1, Int((number / unit).rounded(.down) * unit))
  }
}

/// A line of JSON; keys without a value are omitted.
private struct Line: Encodable {
  var stage: Stage?
  var iteration, iterations, done, total: Int?
  var rate, secondsLeft, learningRate, lossFirst, lossFinal, validationDice: Double?
  var validationDiceBySite: [Entry]?

  struct Entry: Encodable {
    let site: String
    let dice: Double
  }

  /// - Parameter validation: the last validation, possibly of an earlier iteration.
  init(_ report: TrainingProgress, _ validation: ValidationScore?, _ progress: Progress) {
    (stage, iteration, iterations) = (report.stage, report.iteration, report.iterations)
    (done, total, rate, secondsLeft) = (progress.done, progress.total, progress.rate, progress.secondsLeft)
    learningRate = report.learningRate
    lossFirst = report.losses.first { $0.pass == .first }?.value
    lossFinal = report.losses.first { $0.pass == .final }?.value
    validationDice = validation?.dice
    // The encoder would rename site names if they were keys.
    validationDiceBySite = validation?.diceBySite.sorted { $0.key < $1.key }.map { Entry(site: $0.key, dice: $0.value) }
  }
}

extension TrainingProgress {
  /// `dual 120/900, loss 0.312 0.287, rate 8.3e-04, validation Dice 0.873 (Site-A 0.880, Site-B 0.866)`
  fileprivate func summary(_ validation: ValidationScore?) -> String {
    let losses = losses.map { String(format: "%.3f", $0.value) }.joined(separator: " ")
    return
      "\(stage.rawValue) \(iteration)/\(iterations), loss \(losses), rate \(String(format: "%.1e", learningRate))"
      + (validation.map { ", \($0)" } ?? "")
  }
}
