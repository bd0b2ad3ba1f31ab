import Basics
import Datasets

/// The training cases of a run and the slices of each batch.
struct BatchPlan: Sendable {
  let cases: [PreparedCase]
  private let stages: [(stage: Stage, iterations: Int)]
  private let sampler: SliceSampler
  private let siteBatches: SiteBatches
  private let batchSize: Int
  private let augmentation: Augmentation
  private let sampling: any Sampling
  private let seed: UInt64

  /// - Parameter cases: cases with labels; every site has the same share of each batch.
  /// - Throws: `Refusal` without a case, or for a case from a site without a branch in the model.
  init(_ cases: [PreparedCase], _ configuration: TrainingConfiguration, _ description: ModelDescription) throws {
    self.cases = cases
    stages = configuration.stages(of: description.network)
    let sites = Dictionary(grouping: cases.indices, by: { cases[$0].source.site }).sorted { $0.key < $1.key }
    guard !sites.isEmpty else {
      throw Refusal(
        .input, "There is no case to train on", remedy: "give a data set with masks")
    }
    sampler = SliceSampler(
      sites: sites.map { $0.value.flatMap { cases[$0].volume.slices(index: $0) } },
      foregroundShare: configuration.foregroundShare, seed: configuration.seed)
    siteBatches = try SiteBatches(cases, description)
    batchSize = configuration.batchSize(sites: sites.count)
    augmentation = Augmentation(
      configuration.augmentation, classes: description.network.classes, zoom: configuration.zoom,
      flips: configuration.flipAxes)
    sampling = DualNorm.sampling(description.preparation)
    seed = configuration.seed
  }

  /// The number of iterations before a stage. The dual stage continues the plain stage's order of slices.
  func offset(of stage: Stage) -> Int {
    stages.prefix { $0.stage != stage }.reduce(0) { $0 + $1.iterations }
  }

  private func slices(of stage: Stage, batch index: Int) -> [SliceSampler.Slice] {
    sampler.batch(offset(of: stage) + index, size: batchSize)
  }

  /// The sites of a batch's rows; nil for a network without domain-specific batch norm.
  func sites(of stage: Stage, batch index: Int) -> SiteRows? {
    siteBatches.rows(slices(of: stage, batch: index))
  }

  /// The names of the cases in a batch, for messages.
  func names(of stage: Stage, batch index: Int) -> String {
    Set(slices(of: stage, batch: index).map { cases[$0.volume].source.identifier }).sorted().joined(separator: ", ")
  }

  /// Starts reading and augmenting the slices of some batches on another thread.
  func loader(of stage: Stage, batches: Range<Int>) -> BatchLoader {
    let stageIndex = Stage.allCases.firstIndex(of: stage)!
    return BatchLoader(batches: batches) { [self] index in
      try siteBatches.ordered(slices(of: stage, batch: index)).map { place, slice in
        let volume = cases[slice.volume].volume
        let slot = (offset(of: stage) + index) * batchSize + place
        var placing = SeededGenerator.stream(seed: seed, stageIndex, index, place, 1)
        let window = try sampling.trainingWindow(
          slice: slice.z, of: volume, aroundForeground: sampler.isForeground(slot: slot), using: &placing)
        let original = try sampling.example(window, of: volume)
        var generator = SeededGenerator.stream(seed: seed, stageIndex, index, place)
        return augmentation.apply(to: original, using: &generator)
      }
    }
  }
}

extension PreparedVolume {
  /// The volume's slices for a sampler.
  ///
  /// - Parameter index: the volume's index among the training volumes.
  fileprivate func slices(index: Int) -> [SliceSampler.Slice] {
    (0..<depth).map { z in
      SliceSampler.Slice(volume: index, z: z, hasForeground: labels(slice: z)?.contains { $0 > 0 } ?? false)
    }
  }
}
