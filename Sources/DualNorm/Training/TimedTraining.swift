import Basics
import Torch

/// The width and the iterations with which a training ends in a given time on this machine.
package struct TimedTraining: Sendable {
  package let width: Int
  package let iterations: StageIterations
  /// The training's estimated seconds.
  package let seconds: Double

  /// Widths to choose from, the widest first.
  static let widths = [32, 16, 8]
  /// Fewer iterations than this take a narrower network. A wide one that hardly trains loses to a narrow one.
  static let enoughIterations = 2000

  /// Chooses the widest network that trains for enough iterations, or else the narrowest.
  ///
  /// Both stages keep the proportion of the options.
  ///
  /// - Parameters:
  ///   - seconds: time left for the training, its validations included.
  ///   - time: the time as the user gave it, for messages.
  ///   - widths: widths to choose from, the widest first.
  ///   - pace: measures the pace of networks of a width.
  /// - Throws: `Refusal` if not even one iteration and its validation fit.
  package init(
    seconds: Double, of time: String, _ asked: StageIterations, widths: [Int],
    pace: (Int) throws -> TrainingPace
  ) throws {
    for width in widths {
      let pace = try pace(width)
      guard let found = Self.iterations(within: seconds, asked, pace) else {
        if width != widths.last { continue }
        let least = pace.seconds(of: Self.stages(Self.scaled(asked, to: 1)))
        throw Refusal(
          .input,
          "\(Setting.time) is \(time), and one iteration of each stage with its validation takes about "
            + "\(Int(least.rounded(.up))) s",
          detail: "\(Int(max(0, seconds))) s are left after the data were read",
          remedy: "give more time, or a smaller \(Setting.width)")
      }
      if found.total >= Self.enoughIterations || width == widths.last {
        (self.width, iterations) = (width, found)
        self.seconds = pace.seconds(of: Self.stages(found))
        return
      }
    }
    preconditionFailure("a training needs a width")
  }

  /// The most iterations that fit; nil if none do.
  private static func iterations(
    within seconds: Double, _ asked: StageIterations, _ pace: TrainingPace
  ) -> StageIterations? {
    func fits(_ total: Int) -> Bool { pace.seconds(of: stages(scaled(asked, to: total))) <= seconds }
    guard fits(1) else { return nil }
    var (fitting, tooMany) = (1, 2)
    while tooMany < 10_000_000, fits(tooMany) { (fitting, tooMany) = (tooMany, 2 * tooMany) }
    while tooMany - fitting > 1 {
      let middle = (fitting + tooMany) / 2
      if fits(middle) { fitting = middle } else { tooMany = middle }
    }
    return scaled(asked, to: fitting)
  }

  /// Iterations in the proportion of others; a stage that has some keeps at least one.
  private static func scaled(_ asked: StageIterations, to total: Int) -> StageIterations {
    func share(_ count: Int) -> Int { count == 0 ? 0 : max(1, total * count / asked.total) }
    return StageIterations(plain: share(asked.plain), dual: share(asked.dual))
  }

  private static func stages(_ iterations: StageIterations) -> [(stage: Stage, iterations: Int)] {
    Stage.allCases.map { ($0, iterations[$0]) }.filter { $0.1 > 0 }
  }
}

extension Trainer {
  /// Chooses how to train in a time; see `TimedTraining`.
  ///
  /// - Parameters:
  ///   - time: the time as the user gave it, for messages.
  ///   - keepsWidth: whether the options' width stays.
  ///   - shouldStop: asked before each measured step.
  /// - Throws: `Refusal` if the time is too short; `StopRequested`.
  package func timed(
    seconds: Double, of time: String, keepsWidth: Bool, shouldStop: () -> Bool = { false }
  ) throws -> TimedTraining {
    let asked = StageIterations(
      plain: stages.first { $0.stage == .plain }?.iterations ?? 0,
      dual: stages.first { $0.stage == .dual }?.iterations ?? 0)
    let widths = keepsWidth ? [configuration.width] : configuration.timedWidths
    return try TimedTraining(seconds: seconds, of: time, asked, widths: widths) {
      try pace(width: $0, shouldStop: shouldStop)
    }
  }
}

extension TrainingConfiguration {
  /// The widths that a training in a given time chooses from, the widest first: none above the options'.
  var timedWidths: [Int] {
    let widths = TimedTraining.widths.filter { $0 <= width && (norm != .gn || $0 % PlainNorm.groups == 0) }
    return widths.isEmpty ? [width] : widths
  }
}
