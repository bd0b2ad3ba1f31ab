import Basics
import Torch

/// Records a stage: log rows, events, validations and checkpoints.
final class StageRecorder {
  private let recorder: RunRecorder
  private let stage: Stage
  private let iterations: Int
  private let learner: Learner
  private let saver: Saver
  private let validateEvery: Int
  /// The iteration of the last validation.
  private var validated: Int?
  private var network: DualNormNetwork { learner.network }

  /// - Parameter iterations: number of iterations of the stage.
  init(_ recorder: RunRecorder, _ stage: Stage, iterations: Int, _ learner: Learner) {
    (self.recorder, self.stage, self.iterations, self.learner) = (recorder, stage, iterations, learner)
    saver = Saver(recorder.run, recorder.log, stage, learner)
    validateEvery = TrainingConfiguration.iterationsBetweenValidations(
      recorder.configuration.validateEvery, of: iterations)
  }

  /// The initial state of the stage.
  ///
  /// - Parameter checkpoint: the stage's checkpoint; nil at its beginning.
  /// - Throws: `Refusal` if the checkpoint belongs to another network.
  func start(from checkpoint: Checkpoint?) throws -> TrainingState {
    let configuration = recorder.configuration
    var state = TrainingState(
      stage: stage, schedule: LearningRateSchedule(configuration.schedule, base: configuration.learningRate))
    if let checkpoint {
      state = try saver.load(checkpoint)
      state.schedule.resume(at: state.iteration, of: iterations)
    }
    state.cases = recorder.digests
    return state
  }

  /// Logs a finished iteration, and validates when due.
  ///
  /// - Parameter losses: the losses of the iteration's passes.
  /// - Throws: `Refusal` for losses, or weights to validate, that are not finite. `Refusal` if a file cannot be
  ///   written.
  func take(_ losses: [StepLoss], _ state: inout TrainingState) throws -> TrainingProgress {
    try requireFinite(losses, state)
    let isDue = isAtEnd(state) || state.iteration % validateEvery == 0
    let validation = isDue ? try validate(&state) : nil
    let report = TrainingProgress(
      stage: stage, iteration: state.iteration, iterations: iterations, learningRate: learner.optimizer.learningRate,
      losses: losses, validation: validation)
    try recorder.log.append(report)
    try recorder.events.append(report, step: step(state))
    return report
  }

  /// Writes a checkpoint after a validation, or if the last one is too old.
  ///
  /// - Throws: `Refusal` for weights that are not finite, `Refusal` if a file cannot be written.
  func saveIfDue(_ state: TrainingState) throws {
    guard validated == state.iteration || saver.secondsSinceLast > recorder.secondsBetweenCheckpoints else { return }
    try save(state)
  }

  /// Writes the checkpoint of a stopped stage.
  ///
  /// - Returns: the state at the end of the stage; nil before.
  /// - Throws: the errors of `saveIfDue`.
  func stop(_ state: TrainingState) throws -> TrainingState? {
    try save(state)
    return isAtEnd(state) ? state : nil
  }

  private func isAtEnd(_ state: TrainingState) -> Bool { state.iteration == iterations }

  /// The iteration, counted through both stages.
  private func step(_ state: TrainingState) -> Int { recorder.plan.offset(of: stage) + state.iteration }

  private func save(_ state: TrainingState) throws {
    try requireFiniteWeights(state)
    try saver.save(state)
  }

  /// Scores the network. Weights that score as well as the best replace them, so that a stage that finds nothing yet
  /// still passes on what it has learnt.
  private func validate(_ state: inout TrainingState) throws -> ValidationScore {
    try requireFiniteWeights(state)
    validated = state.iteration
    return try learner.averaged {
      try recorder.events.append(network, step: step(state))
      let score = recorder.validationScore(of: network)
      if score.dice == nil || score.dice! >= state.bestDice ?? 0 {
        (state.bestDice, state.bestIteration) = (score.dice, state.iteration)
        state.unfoundInValidation = score.unfoundClasses
      }
      if isAtEnd(state) && stage == recorder.lastStage {
        state.unfoundInTraining = recorder.unfoundInTraining(network, besides: score)
      }
      return score
    }
  }

  private func requireFinite(_ losses: [StepLoss], _ state: TrainingState) throws {
    guard !losses.allSatisfy({ $0.value.isFinite }) else { return }
    throw divergence(
      "The loss is no longer a number at iteration \(state.iteration) of the \(stage.rawValue) stage", state)
  }

  /// Refuses infinite weights, which must not get into a checkpoint. Finite losses may have infinite gradients.
  private func requireFiniteWeights(_ state: TrainingState) throws {
    guard let name = network.parameters.firstWithoutNumbers else { return }
    throw divergence(
      "The weights (\(name)) are no longer numbers after iteration \(state.iteration) of the \(stage.rawValue) stage",
      state)
  }

  private func divergence(_ found: String, _ state: TrainingState) -> Refusal {
    Refusal(
      .input, "\(found), on slices of \(cases(of: state))", remedy: "check these cases or lower \(Setting.learningRate)"
    ).followed(by: recorder.run.whatRemains)
  }

  /// The names of the cases in the last batch.
  private func cases(of state: TrainingState) -> String { recorder.plan.names(of: stage, batch: state.iteration - 1) }
}
