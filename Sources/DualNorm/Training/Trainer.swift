import Basics
import Datasets
import Foundation
import Scores
import Torch

/// Trains a network in a run folder: plain norms first, then dual blocks from those weights.
///
/// A run that was stopped goes on from its last checkpoint as if it had not been: batches are a function of the seed
/// and the iteration, and everything else the next step depends on is in the checkpoint.
package final class Trainer {
  private let run: RunFolder
  let configuration: TrainingConfiguration
  let description: ModelDescription
  let training: [PreparedCase]
  private let validation: [PreparedCase]
  /// Slices of all validation cases.
  var validationSliceCount: Int { validation.reduce(0) { $0 + $1.volume.depth } }
  let sampler: SliceSampler
  let siteBatches: SiteBatches
  let batchSize: Int
  private let log: TrainingLog
  private let events: TrainingEvents
  private let resumed: TrainingState?
  private let digests: [String: String]
  private let lock: FolderLock?
  /// A checkpoint is written at every validation, and where these are further apart than this.
  var secondsBetweenCheckpoints = 600.0

  /// - Parameters:
  ///   - description: of the model as it will be, dual blocks included.
  ///   - training: cases with labels; every site in it gets the same share of each batch.
  ///   - validation: cases with labels that choose the best checkpoint; without any the last one is taken.
  ///   - lock: of the run folder, held as long as the trainer is there.
  /// - Throws: `InputError` for cases that cannot be trained on, or that are not those of the run so far.
  init(
    run: RunFolder, configuration: TrainingConfiguration, description: ModelDescription, training: [PreparedCase],
    validation: [PreparedCase], lock: FolderLock? = nil
  ) throws {
    LibTorch.configure(threads: configuration.threads ?? ProcessInfo.processInfo.activeProcessorCount)
    self.run = run
    self.configuration = configuration
    self.description = description
    self.training = training
    self.validation = validation
    self.lock = lock
    let sites = Dictionary(grouping: training.indices, by: { training[$0].source.site }).sorted { $0.key < $1.key }
    guard !sites.isEmpty else { throw InputError("There is no case to train on; give a data set with masks.") }
    sampler = SliceSampler(
      sites: sites.map {
        $0.value.flatMap { index in
          let volume = training[index].volume
          return (0..<volume.depth).map {
            SliceSampler.Slice(volume: index, z: $0, hasForeground: volume.hasForeground(slice: $0))
          }
        }
      },
      foregroundShare: configuration.foregroundShare, seed: configuration.seed)
    siteBatches = try SiteBatches(training, description)
    batchSize = configuration.slicesPerBatch(sites: sites.count)
    resumed = try Checkpoint.state(of: run)
    let prepared = training + validation
    let digests = concurrentMap(prepared, threads: 2, progress: nil) { $0.volume.digest }
    self.digests = Dictionary(zip(prepared.map(\.source.identifier), digests)) { first, _ in first }
    if let known = resumed?.cases { try Self.requireSame(self.digests, as: known, run) }
    log = try TrainingLog(run.log, sites: Set(validation.map(\.source.site)).sorted(), resumingAt: resumed)
    events = try TrainingEvents(run.events, description, validation: validation)
  }

  /// The stages this run has, with their iterations.
  package var stages: [(stage: Stage, iterations: Int)] {
    configuration.stages(of: description.network)
  }

  /// What an earlier, stopped run did of them.
  package var finishedIterations: Int {
    guard let resumed else { return 0 }
    return offset(of: resumed.stage) + resumed.iteration
  }

  /// Whether an earlier run did all of them.
  package var isFinished: Bool { resumed != nil && finishedIterations == stages.reduce(0) { $0 + $1.iterations } }

  /// A run that goes on with other images or masks is neither the old run nor a new one.
  private static func requireSame(
    _ digests: [String: String], as known: [String: String], _ run: RunFolder
  ) throws {
    let changed = digests.keys.filter { known[$0] != digests[$0] }.sorted()
    guard let first = changed.first else { return }
    let more = changed.count > 1 ? " and \(counted(changed.count - 1, "other case"))" : ""
    throw InputError(
      "\(run.url.path): the image or mask of \(first)\(more) is another one than this run was trained on so far; restore the "
        + "files, or train anew in another folder.")
  }

  /// Trains until the end, or until `shouldStop` says so after an iteration; then the last checkpoint is written.
  ///
  /// - Returns: whether the run is finished.
  /// - Throws: `InputError` if the loss is no longer a number, `FileError` if something cannot be written or read. What the
  ///   last checkpoint holds stays as it is.
  package func train(shouldStop: () -> Bool, progress: (TrainingProgress) throws -> Void) throws -> Bool {
    let checkpoint = resumed == nil ? nil : try Checkpoint(contentsOf: run.last)
    let first = checkpoint.map { point in stages.firstIndex { $0.stage == point.state.stage } ?? 0 } ?? 0
    var state = checkpoint?.state
    for (stage, iterations) in stages[first...] {
      let resumed = checkpoint?.state.stage == stage ? checkpoint : nil
      let network = try network(for: stage, resumed: resumed != nil)
      state = try train(
        network, stage, iterations: iterations, from: resumed, shouldStop: shouldStop, progress: progress)
      guard state != nil else { return false }
      if stage != stages.last!.stage, shouldStop() { return false }
    }
    try finish(state?.warnings(classes: description.labels.names) ?? [])
    return true
  }

  /// One stage. Reads down like the recipe it is.
  ///
  /// - Returns: what it has reached; nil where it was stopped before its end.
  private func train(
    _ network: DualNormNetwork, _ stage: Stage, iterations: Int, from checkpoint: Checkpoint?, shouldStop: () -> Bool,
    progress: (TrainingProgress) throws -> Void
  ) throws -> TrainingState? {
    let optimizer = Adam(
      network.parameters, learningRate: configuration.learningRate, weightDecay: configuration.weightDecay)
    let average =
      configuration.averaging > 0 ? MovingAverage(of: network.parameters, decay: configuration.averaging) : nil
    var state = TrainingState(
      stage: stage, schedule: LearningRateSchedule(configuration.schedule, base: configuration.learningRate))
    let saver = Saver(run, stage, log, network, optimizer, average)
    if let checkpoint {
      state = try saver.load(checkpoint)
      state.schedule.resume(at: state.iteration, of: iterations)
    }
    state.cases = digests
    let loader = loader(for: stage, batches: state.iteration..<max(iterations, state.iteration))
    defer { loader.close() }
    let validateEvery = TrainingConfiguration.iterationsBetweenValidations(configuration.validateEvery, of: iterations)

    let steps = TrainingSteps(
      network, optimizer, loss: configuration.loss, weighted: configuration.weightedCrossEntropy)
    func nextBatch() throws -> (images: Tensor, labels: Tensor)? {
      try loader.next().map { tensors(of: $0, on: network.device) }
    }

    var batch = Result { try nextBatch() }
    while let (images, labels) = try batch.get() {
      optimizer.learningRate = state.schedule.rate
      let step = steps.begin(
        images: images, labels: labels, sites: siteBatches.rows(slices(of: stage, batch: state.iteration)))
      // While a GPU is at it.
      batch = Result { try nextBatch() }
      let losses = step.losses
      average?.update()
      try requireNumbers(losses, at: state.iteration, of: stage)
      state.iteration += 1
      var report = TrainingProgress(
        stage: stage, iteration: state.iteration, iterations: iterations, learningRate: state.schedule.rate,
        losses: losses)
      state.schedule.finish(iteration: state.iteration, of: iterations, hardDiceLoss: losses.last!.hardDice)
      let isLast = state.iteration == iterations
      if isLast || state.iteration % validateEvery == 0 {
        try requireNumbers(network, after: state.iteration, of: stage)
        report.validation = try saver.averaged {
          try events.append(network, step: offset(of: stage) + state.iteration)
          return validate(network, &state, isEnd: isLast && stage == stages.last?.stage)
        }
      }
      try log.append(report)
      try events.append(report, step: offset(of: stage) + state.iteration)
      try progress(report)
      let stops = shouldStop()
      if stops || report.validation != nil || saver.secondsSinceLast > secondsBetweenCheckpoints {
        try requireNumbers(network, after: state.iteration, of: stage)
        try saver.save(state)
      }
      if stops && !isLast { return nil }
    }
    return state
  }

  /// Validates, and notes whether no weights were better. Of equals the later ones win, so that a stage in which nothing is
  /// found yet still hands on what it has learnt.
  private func validate(_ network: DualNormNetwork, _ state: inout TrainingState, isEnd: Bool) -> ValidationScore {
    let score = ValidationScore(of: network, description, on: validation)
    if score.dice == nil || score.dice! >= state.bestDice ?? 0 {
      (state.bestDice, state.bestIteration) = (score.dice, state.iteration)
      state.unfoundInValidation = score.unfoundClasses
    }
    if isEnd { state.unfoundInTraining = unfoundInTraining(network, besides: score) }
    return score
  }

  /// A network with the weights that the stage starts from: the dual stage takes the best ones of the plain stage, and a
  /// resumed stage those that its checkpoint will give.
  private func network(for stage: Stage, resumed: Bool) throws -> DualNormNetwork {
    let isFirst = stage == stages.first?.stage
    return try StageStart(configuration, description).network(
      of: stage, from: resumed ? .checkpoint : isFirst ? .initial : .plain(run.best(.plain)))
  }

  private func requireNumbers(_ losses: [StepLoss], at iteration: Int, of stage: Stage) throws {
    guard !losses.allSatisfy({ $0.value.isFinite }) else { return }
    throw InputError(
      "The loss is no longer a number at iteration \(iteration + 1) of the \(stage.rawValue) stage, on slices of "
        + "\(cases(of: stage, batch: iteration)); check these cases or lower --learning-rate. \(run.whatRemains)")
  }

  /// Finite losses may have infinite gradients, and such weights must not get into a checkpoint.
  private func requireNumbers(_ network: DualNormNetwork, after iteration: Int, of stage: Stage) throws {
    guard let name = network.parameters.firstWithoutNumbers else { return }
    throw InputError(
      "The weights (\(name)) are no longer numbers after iteration \(iteration) of the \(stage.rawValue) stage, on slices of "
        + "\(cases(of: stage, batch: iteration - 1)); check these cases or lower --learning-rate. \(run.whatRemains)")
  }

  /// The best weights of the last stage become the model.
  private func finish(_ warnings: [String]) throws {
    let last = stages.last!.stage
    let best = try Safetensors.read(run.best(last)).tensors
    var description = description
    description.network = description.network(of: last)
    if configuration.recipe != .published {
      let network = try StageStart(configuration, description).network(of: last, from: .checkpoint)
      try network.parameters.load(best, file: run.best(last).path)
      description.largestComponents = LargestComponents(of: network, description, on: validation)
    }
    description.warnings = warnings
    for warning in warnings { Warnings.report("\(run.url.path): \(warning)") }
    // The model last: where it is, the training is finished.
    try run.write(description)
    try Safetensors(tensors: best).write(to: run.model)
  }
}

extension PreparedVolume {
  fileprivate func hasForeground(slice z: Int) -> Bool { labels(slice: z)?.contains { $0 > 0 } ?? false }
}
