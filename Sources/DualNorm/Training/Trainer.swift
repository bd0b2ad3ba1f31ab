import Foundation
import Torch

/// Trains a network in a run folder: plain norms first, then dual blocks from those weights.
///
/// A run that was stopped goes on from its last checkpoint as if it had not been: batches are a function of the seed
/// and the iteration, and everything else the next step depends on is in the checkpoint.
public final class Trainer {
  private let run: RunFolder
  private let configuration: TrainingConfiguration
  private let description: ModelDescription
  private let training: [PreparedCase]
  private let validation: [PreparedCase]
  private let sampler: SliceSampler
  private let siteBatches: SiteBatches
  private let batchSize: Int
  private let log: TrainingLog
  private let events: TrainingEvents
  private let resumed: TrainingState?

  /// - Parameters:
  ///   - description: of the model as it will be, dual blocks included.
  ///   - training: cases with labels; every site in it gets the same share of each batch.
  ///   - validation: cases with labels that choose the best checkpoint; without any the last one is taken.
  public init(
    run: RunFolder, configuration: TrainingConfiguration, description: ModelDescription, training: [PreparedCase],
    validation: [PreparedCase]
  ) throws {
    LibTorch.configure(threads: configuration.threads ?? ProcessInfo.processInfo.activeProcessorCount)
    self.run = run
    self.configuration = configuration
    self.description = description
    self.training = training
    self.validation = validation
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
    resumed = FileManager.default.fileExists(atPath: run.last.path) ? try Checkpoint(contentsOf: run.last).state : nil
    log = try TrainingLog(run.log, sites: Set(validation.map(\.source.site)).sorted(), resumingAt: resumed)
    events = TrainingEvents(run.events)
  }

  /// The stages this run has, with their iterations.
  public var stages: [(stage: Stage, iterations: Int)] {
    configuration.stages(of: description.network)
  }

  /// What an earlier, stopped run did of them.
  public var finishedIterations: Int {
    guard let resumed else { return 0 }
    return offset(of: resumed.stage) + resumed.iteration
  }

  /// Trains until the end, or until `shouldStop` says so after an iteration; then the last checkpoint is written.
  ///
  /// - Returns: whether the run is finished.
  /// - Throws: `InputError` if the loss is no longer a number, `FileError` if something cannot be written.
  public func train(shouldStop: () -> Bool, progress: (TrainingProgress) throws -> Void) throws -> Bool {
    let checkpoint = FileManager.default.fileExists(atPath: run.last.path) ? try Checkpoint(contentsOf: run.last) : nil
    let first = checkpoint.map { point in stages.firstIndex { $0.stage == point.state.stage } ?? 0 } ?? 0
    for (stage, iterations) in stages[first...] {
      let resumed = checkpoint?.state.stage == stage ? checkpoint : nil
      let network = try network(for: stage, resumed: resumed != nil)
      guard
        try train(
          network, stage, iterations: iterations, from: resumed, shouldStop: shouldStop, progress: progress)
      else { return false }
      if stage != stages.last!.stage, shouldStop() { return false }
    }
    try finish()
    return true
  }

  /// One stage. Reads down like the recipe it is.
  private func train(
    _ network: DualNormUNet, _ stage: Stage, iterations: Int, from checkpoint: Checkpoint?, shouldStop: () -> Bool,
    progress: (TrainingProgress) throws -> Void
  ) throws -> Bool {
    let optimizer = Adam(
      network.parameters, learningRate: configuration.learningRate, weightDecay: configuration.weightDecay)
    let average =
      configuration.averaging > 0 ? MovingAverage(of: network.parameters, decay: configuration.averaging) : nil
    var state = TrainingState(
      stage: stage, schedule: LearningRateSchedule(configuration.schedule, base: configuration.learningRate))
    if let checkpoint {
      try network.parameters.load(checkpoint.model, file: run.last.path)
      try optimizer.load(checkpoint.optimizer, file: run.last.path)
      try average?.load(checkpoint.average, file: run.last.path)
      state = checkpoint.state
    }
    let loader = loader(for: stage, batches: state.iteration..<iterations)
    defer { loader.close() }
    let validateEvery = configuration.validateEvery ?? max(50, (iterations + 9) / 10)

    while let batch = loader.next() {
      let (images, labels) = tensors(of: batch)
      optimizer.learningRate = state.schedule.rate
      let losses = network.trainingStep(
        images: images, labels: labels, sites: siteBatches.rows(slices(of: stage, batch: state.iteration)),
        optimizer: optimizer, loss: configuration.loss, weighted: configuration.weightedCrossEntropy)
      average?.update()
      try requireNumbers(losses, at: state.iteration, of: stage)
      state.iteration += 1
      var report = TrainingProgress(
        stage: stage, iteration: state.iteration, iterations: iterations, learningRate: state.schedule.rate,
        losses: losses)
      state.schedule.finish(iteration: state.iteration, of: iterations, hardDiceLoss: losses.last!.hardDice)
      let isLast = state.iteration == iterations
      if isLast || state.iteration % validateEvery == 0 {
        report.validation = try averaged(average) {
          try events.append(weightsOf: network, step: offset(of: stage) + state.iteration)
          return try keepIfBest(network, stage, &state)
        }
      }
      try log.append(report)
      try events.append(report, step: offset(of: stage) + state.iteration)
      try progress(report)
      let stops = shouldStop()
      if stops || report.validation != nil {
        try Checkpoint(state: state, network: network, optimizer: optimizer, average: average).write(to: run.last)
      }
      if stops && !isLast { return false }
    }
    return true
  }

  /// Runs `body` while the network has its averaged weights, if there are any.
  private func averaged<Result>(_ average: MovingAverage?, _ body: () throws -> Result) rethrows -> Result {
    try average?.applied(body) ?? body()
  }

  /// Validates, and keeps the weights if none were better. Of equals the later ones win, so that a stage in which
  /// nothing is found yet still hands on what it has learnt.
  private func keepIfBest(
    _ network: DualNormUNet, _ stage: Stage, _ state: inout TrainingState
  ) throws -> ValidationScore {
    let score = ValidationScore(of: network, description, on: validation)
    if score.dice == nil || score.dice! >= state.bestDice ?? 0 {
      state.bestDice = score.dice
      try Safetensors(tensors: network.parameters.stateDictionary).write(to: run.best(stage))
    }
    return score
  }

  /// A network with the weights that the stage starts from: the dual stage takes the best ones of the plain stage, and a
  /// resumed stage those that its checkpoint will give.
  private func network(for stage: Stage, resumed: Bool) throws -> DualNormUNet {
    let isFirst = stage == stages.first?.stage
    return try StageStart(configuration, description).network(
      of: stage, from: resumed ? .checkpoint : isFirst ? .initial : .plain(run.best(.plain)))
  }

  /// The iterations before a stage: the dual one goes on in the order of slices where the plain one ended.
  private func offset(of stage: Stage) -> Int {
    stages.prefix { $0.stage != stage }.reduce(0) { $0 + $1.iterations }
  }

  private func slices(of stage: Stage, batch index: Int) -> [SliceSampler.Slice] {
    sampler.batch(offset(of: stage) + index, size: batchSize)
  }

  private func loader(for stage: Stage, batches: Range<Int>) -> BatchLoader {
    let seed = configuration.seed
    let stageIndex = Stage.allCases.firstIndex(of: stage)!
    let offset = offset(of: stage)
    let augmentation = augmentation
    let context = description.preparation.contextSlices
    return BatchLoader(batches: batches) { [sampler, siteBatches, training, batchSize] index in
      siteBatches.ordered(sampler.batch(offset + index, size: batchSize)).map { place, slice in
        let original = training[slice.volume].volume.trainingSlice(slice.z, context: context)
        var generator = SeededGenerator.stream(seed: seed, stageIndex, index, place)
        return augmentation.apply(to: original, using: &generator)
      }
    }
  }

  private var augmentation: Augmentation {
    Augmentation(configuration.augmentation, classes: description.network.classes, zoom: configuration.zoom)
  }

  private func requireNumbers(_ losses: [StepLoss], at iteration: Int, of stage: Stage) throws {
    guard !losses.allSatisfy({ $0.value.isFinite }) else { return }
    let cases = Set(slices(of: stage, batch: iteration).map { training[$0.volume].source.identifier })
    throw InputError(
      "The loss is no longer a number at iteration \(iteration + 1) of the \(stage.rawValue) stage, on slices of "
        + "\(cases.sorted().joined(separator: ", ")); check these cases or lower --learning-rate. "
        + "The last checkpoint is intact.")
  }

  /// The best weights of the last stage become the model.
  private func finish() throws {
    let last = stages.last!.stage
    var description = description
    description.network = description.network(of: last)
    try Safetensors(tensors: Safetensors.read(run.best(last)).tensors).write(to: run.model)
    try run.write(description)
  }
}

/// Slices -> images [N, channels, H, W] in channels-last layout and labels int64 [N, H, W].
private func tensors(of batch: [TrainingSlice]) -> (images: Tensor, labels: Tensor) {
  let (channels, size) = (batch[0].channels, batch[0].size)
  let images = Tensor(batch.flatMap(\.image), shape: [batch.count, channels, size.height, size.width])
  let labels = Tensor(batch.flatMap(\.labels), shape: [batch.count, size.height, size.width])
  return (images.channelsLast(), labels.converted(to: .int64))
}

extension PreparedVolume {
  fileprivate func hasForeground(slice z: Int) -> Bool { labels(slice: z)?.contains { $0 > 0 } ?? false }

  /// What the network learns from at slice z; the volume must have labels.
  func trainingSlice(_ z: Int, context: Int) -> TrainingSlice {
    guard let labels = labels(slice: z) else { preconditionFailure("a training volume has labels") }
    return TrainingSlice(
      image: input(slice: z, context: context), labels: labels, channels: modalityCount * context,
      size: ImageSize(height: height, width: width))
  }
}
