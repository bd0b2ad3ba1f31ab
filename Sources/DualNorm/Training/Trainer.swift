import Basics
import Datasets
import Foundation
import Scores
import Torch

/// Trains a network in a run folder: first with plain norms, then with dual blocks from those weights.
///
/// A stopped run resumes from its last checkpoint with the same bits. Batches are a function of seed and iteration. The
/// checkpoint holds everything else that the next step depends on.
package final class Trainer {
  let configuration: TrainingConfiguration
  /// The finished model, dual blocks included.
  let description: ModelDescription
  let plan: BatchPlan
  let recorder: RunRecorder
  private let resumed: TrainingState?
  private let lock: FolderLock?

  private init(_ plan: BatchPlan, _ recorder: RunRecorder, resumed: TrainingState?, lock: FolderLock?) {
    (configuration, description) = (recorder.configuration, recorder.description)
    (self.plan, self.recorder, self.resumed, self.lock) = (plan, recorder, resumed, lock)
  }

  /// Sets LibTorch's threads, compares the cases with the run's earlier ones, and opens the run's log and events.
  ///
  /// - Parameters:
  ///   - description: the finished model, dual blocks included.
  ///   - training: cases with labels; every site has the same share of each batch.
  ///   - validation: cases with labels that choose the best checkpoint; without any the last checkpoint is best.
  ///   - lock: the run folder's lock, held as long as the trainer exists.
  /// - Throws: `Refusal` for cases that cannot be trained on, or that differ from the run's earlier ones.
  static func prepare(
    in run: RunFolder, _ configuration: TrainingConfiguration, _ description: ModelDescription,
    training: [PreparedCase], validation: [PreparedCase], lock: FolderLock? = nil
  ) throws -> Trainer {
    LibTorch.configure(threads: configuration.threads ?? ProcessInfo.processInfo.activeProcessorCount)
    let plan = try BatchPlan(training, configuration, description)
    let resumed = try Checkpoint.state(of: run)
    let recorder = try RunRecorder.open(
      run, configuration, description, plan, validation: validation, resumingAt: resumed)
    return Trainer(plan, recorder, resumed: resumed, lock: lock)
  }

  /// The stages of this run, with their iterations.
  package var stages: [(stage: Stage, iterations: Int)] {
    configuration.stages(of: description.network)
  }

  /// The number of iterations that an earlier, stopped run finished.
  package var finishedIterations: Int {
    guard let resumed else { return 0 }
    return plan.offset(of: resumed.stage) + resumed.iteration
  }

  /// Tells whether an earlier run finished all iterations.
  package var isFinished: Bool { resumed != nil && finishedIterations == stages.reduce(0) { $0 + $1.iterations } }

  /// Trains until the end, or until `shouldStop` returns true after an iteration; then writes the last checkpoint.
  ///
  /// - Returns: whether the run is finished.
  /// - Throws: `Refusal` if the loss is no longer a number, `Refusal` if a file cannot be written or read. The
  ///   last checkpoint stays intact.
  package func train(shouldStop: () -> Bool, progress: (TrainingProgress) throws -> Void) throws -> Bool {
    let checkpoint = resumed == nil ? nil : try Checkpoint(contentsOf: recorder.run.last)
    let first = checkpoint.map { point in stages.firstIndex { $0.stage == point.state.stage } ?? 0 } ?? 0
    var state = checkpoint?.state
    for (stage, iterations) in stages[first...] {
      let own = checkpoint?.state.stage == stage ? checkpoint : nil
      state = try train(stage, iterations: iterations, from: own, shouldStop: shouldStop, progress: progress)
      guard state != nil else { return false }
      if stage != stages.last!.stage, shouldStop() { return false }
    }
    let warnings = state?.warnings(classes: description.labels.names) ?? []
    try recorder.writeModel(of: stages.last!.stage, warnings: warnings)
    return true
  }

  /// Trains one stage.
  ///
  /// - Returns: the state at the end of the stage; nil if it was stopped before.
  private func train(
    _ stage: Stage, iterations: Int, from checkpoint: Checkpoint?, shouldStop: () -> Bool,
    progress: (TrainingProgress) throws -> Void
  ) throws -> TrainingState? {
    let network = try network(for: stage, resumed: checkpoint != nil)
    let learner = Learner(network, configuration)
    let stageRecorder = StageRecorder(recorder, stage, iterations: iterations, learner)
    let state = try stageRecorder.start(from: checkpoint)
    let range = state.iteration..<max(iterations, state.iteration)
    let loop = TrainingLoop(
      learner: learner, batches: TrainingBatches(plan, of: stage, range, on: network.device),
      steps: TrainingSteps(
        network, learner.optimizer, loss: configuration.loss, weighted: configuration.weightedCrossEntropy),
      recorder: stageRecorder, iterations: iterations)
    return try loop.run(from: state, shouldStop: shouldStop, progress: progress)
  }

  /// Makes a network with the initial weights of a stage; the dual stage starts from the best weights of the plain
  /// stage. A resumed stage gets its weights from the checkpoint later.
  private func network(for stage: Stage, resumed: Bool) throws -> DualNormNetwork {
    let isFirst = stage == stages.first?.stage
    return try StageStart(configuration, description).network(
      of: stage, from: resumed ? .checkpoint : isFirst ? .initial : .plain(recorder.run.best(.plain)))
  }
}
