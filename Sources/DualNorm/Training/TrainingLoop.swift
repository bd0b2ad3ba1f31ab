import Torch

/// The training of one stage.
struct TrainingLoop {
  let learner: Learner
  let batches: TrainingBatches
  let steps: TrainingSteps
  let recorder: StageRecorder
  /// Iterations of the stage.
  let iterations: Int

  /// Trains until the end of the stage, or until `shouldStop` says so after an iteration.
  ///
  /// - Parameter start: what is already done of the stage.
  /// - Returns: what the stage has reached; nil where it was stopped before its end.
  /// - Throws: as `Trainer.train`.
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
      try progress(recorder.take(losses, &state))  // logs, and validates when it is time
      if shouldStop() { return try recorder.stop(state) }
      try recorder.saveIfDue(state)
    }
    return state
  }
}
