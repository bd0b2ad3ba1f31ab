import Torch

/// The training of one stage.
struct TrainingLoop {
  let learner: Learner
  let batches: TrainingBatches
  let steps: TrainingSteps
  let recorder: StageRecorder
  /// Number of iterations of the stage.
  let iterations: Int

  /// Trains until the end of the stage, or until `shouldStop` returns true after an iteration.
  ///
  /// - Parameter start: the stage's state so far.
  /// - Returns: the state at the end of the stage; nil if it was stopped before.
  /// - Throws: the errors of `Trainer.train`.
  func run(
    from start: TrainingState, shouldStop: () -> Bool, progress: (TrainingProgress) throws -> Void
  ) throws -> TrainingState? {
    var state = start
    defer { batches.close() }
    while let batch = try batches.next() {
      learner.optimizer.learningRate = state.schedule.rate
      let losses = steps.take(batch, meanwhile: batches.prefetch)  // both passes of the paper
      learner.average?.update()
      state.finish(losses, of: iterations)
      try progress(recorder.take(losses, &state))  // logs, and validates when due
      if shouldStop() { return try recorder.stop(state) }
      try recorder.saveIfDue(state)
    }
    return state
  }
}
