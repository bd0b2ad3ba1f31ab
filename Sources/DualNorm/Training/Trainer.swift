import Basics
import Datasets
import Foundation
import Torch

/// Trains a network in a run folder: plain norms first, then dual blocks from those weights.
///
/// A stopped run resumes from its last checkpoint with the same bits. Batches are a function of the seed and the iteration;
/// the checkpoint holds everything else that the next step depends on.
package final class Trainer {
  let configuration: TrainingConfiguration
  /// The model as it will be, dual blocks included.
  let description: ModelDescription
  let plan: BatchPlan
  let recorder: RunRecorder
  private let resumed: TrainingState?
  private let lock: FolderLock?

  private init(_ plan: BatchPlan, _ recorder: RunRecorder, resumed: TrainingState?, lock: FolderLock?) {
    (configuration, description) = (recorder.configuration, recorder.description)
    (self.plan, self.recorder, self.resumed, self.lock) = (plan, recorder, resumed, lock)
  }

  /// Sets the threads of LibTorch, compares the cases with those of the run so far, and opens the run's log and events.
  ///
  /// - Parameters:
  ///   - description: of the model as it will be, dual blocks included.
  ///   - training: cases with labels; every site has the same share of each batch.
  ///   - validation: cases with labels that choose the best checkpoint; without any the last one is taken.
  ///   - lock: of the run folder, held as long as the trainer exists.
  /// - Throws: `InputError` for cases that cannot be trained on, or that are not those of the run so far.
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

  /// The iterations that an earlier, stopped run has done.
  package var finishedIterations: Int {
    guard let resumed else { return 0 }
    return plan.offset(of: resumed.stage) + resumed.iteration
  }

  /// Tells whether an earlier run did all of them.
  package var isFinished: Bool { resumed != nil && finishedIterations == stages.reduce(0) { $0 + $1.iterations } }

  /// Trains until the end, or until `shouldStop` says so after an iteration; then the last checkpoint is written.
  ///
  /// - Returns: whether the run is finished.
  /// - Throws: `InputError` if the loss is no longer a number, `FileError` if something cannot be written or read. The last
  ///   checkpoint stays as it is.
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
  /// - Returns: what it has reached; nil where it was stopped before its end.
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

  /// A network with the weights that the stage starts from: the dual stage takes the best ones of the plain stage. A
  /// checkpoint will give those of a resumed stage.
  private func network(for stage: Stage, resumed: Bool) throws -> DualNormNetwork {
    let isFirst = stage == stages.first?.stage
    return try StageStart(configuration, description).network(
      of: stage, from: resumed ? .checkpoint : isFirst ? .initial : .plain(recorder.run.best(.plain)))
  }
}
