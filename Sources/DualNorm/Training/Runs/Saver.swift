import Foundation
import Torch

/// Writes the checkpoints of a stage and its best weights.
///
/// The process may be killed at any time. So rows of the log come first, then the checkpoint, then the best weights.
/// The checkpoint also holds these if they are of its iteration.
final class Saver {
  private let run: RunFolder
  private let log: TrainingLog
  private let stage: Stage
  private let learner: Learner
  private var last = Date()

  init(_ run: RunFolder, _ log: TrainingLog, _ stage: Stage, _ learner: Learner) {
    (self.run, self.log, self.stage, self.learner) = (run, log, stage, learner)
  }

  var secondsSinceLast: TimeInterval { Date().timeIntervalSince(last) }

  /// Continues from the run's last checkpoint.
  ///
  /// - Throws: `Refusal` if the checkpoint belongs to another network.
  func load(_ checkpoint: Checkpoint) throws -> TrainingState {
    try learner.load(checkpoint, file: run.last.path)
    try writeIfBest(checkpoint.state)
    return checkpoint.state
  }

  func save(_ state: TrainingState) throws {
    try log.sync()
    try Checkpoint(state, learner).write(to: run.last)
    try writeIfBest(state)
    last = Date()
  }

  private func writeIfBest(_ state: TrainingState) throws {
    guard state.bestIteration == state.iteration else { return }
    try learner.averaged {
      try Safetensors(tensors: learner.network.parameters.stateDictionary).write(to: run.best(stage))
    }
  }
}
