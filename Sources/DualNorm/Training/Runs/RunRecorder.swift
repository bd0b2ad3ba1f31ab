import Basics
import Datasets
import Foundation
import Torch

/// Writes the files of a run: log, events, checkpoints and, at the end, the model.
final class RunRecorder {
  let run: RunFolder
  let configuration: TrainingConfiguration
  /// The finished model, dual blocks included.
  let description: ModelDescription
  let plan: BatchPlan
  private let validation: [PreparedCase]
  /// Hash of each prepared case, by name.
  let digests: [String: String]
  let log: TrainingLog
  let events: TrainingEvents
  /// The longest time between checkpoints; each validation writes one, too.
  var secondsBetweenCheckpoints = 600.0

  private init(
    _ run: RunFolder, _ configuration: TrainingConfiguration, _ description: ModelDescription, _ plan: BatchPlan,
    validation: [PreparedCase], digests: [String: String], log: TrainingLog, events: TrainingEvents
  ) {
    (self.run, self.configuration, self.description, self.plan) = (run, configuration, description, plan)
    (self.validation, self.digests, self.log, self.events) = (validation, digests, log, events)
  }

  /// Compares the cases with the run's earlier ones, and opens its log and events.
  ///
  /// - Parameter state: the run's state so far; nil for a new run.
  /// - Throws: `Refusal` if the cases differ, `Refusal` if a file cannot be written.
  static func open(
    _ run: RunFolder, _ configuration: TrainingConfiguration, _ description: ModelDescription, _ plan: BatchPlan,
    validation: [PreparedCase], resumingAt state: TrainingState?
  ) throws -> RunRecorder {
    let digests = digests(training: plan.cases, validation: validation, description.preparation)
    if let known = state?.cases { try requireSame(digests, as: known, run) }
    let log = try TrainingLog.open(run.log, sites: Set(validation.map(\.source.site)).sorted(), resumingAt: state)
    // A network that never reaches its dual stage has one pass.
    let passes = configuration.iterations.dual == 0 ? [.first] : description.passes
    let events = try TrainingEvents(run.events, description, passes, validation: validation)
    return RunRecorder(
      run, configuration, description, plan, validation: validation, digests: digests, log: log, events: events)
  }

  /// Padded as slices are, so that a run of an earlier version has the same.
  private static func digests(
    training: [PreparedCase], validation: [PreparedCase], _ plan: PreparationPlan
  ) -> [String: String] {
    let sized = training.map { ($0, plan.trainingSize) } + validation.map { ($0, plan.windowSize) }
    let digests = concurrentMap(sized, threads: 2, progress: nil) { item, size in
      let (own, padded) = (item.volume.size, size(item.volume.size))
      return item.volume.digest(
        paddedTo: ImageSize(height: max(own.height, padded.height), width: max(own.width, padded.width)))
    }
    return Dictionary(zip(sized.map(\.0.source.identifier), digests)) { first, _ in first }
  }

  /// Refuses to resume with other images or masks.
  private static func requireSame(
    _ digests: [String: String], as known: [String: String], _ run: RunFolder
  ) throws {
    let changed = digests.keys.filter { known[$0] != digests[$0] }.sorted()
    guard let first = changed.first else { return }
    let more = changed.count > 1 ? " and \(counted(changed.count - 1, "other case"))" : ""
    throw Refusal(
      .input, run.url.path, "the image or mask of \(first)\(more) is another one than this run was trained on so far",
      remedy: "restore the files, or train anew in another folder")
  }

  var lastStage: Stage? { configuration.stages(of: description.network).last?.stage }

  /// Rows of batches that the network sees of all validation cases, in all their windows.
  var validationRowCount: Int {
    let sampling = DualNorm.sampling(description.preparation)
    return validation.reduce(0) {
      $0 + sampling.windows(covering: $1.volume).reduce(0) { $0 + sampling.rows(of: $1).count }
    }
  }

  func validationScore(of network: DualNormNetwork) -> ValidationScore {
    ValidationScore(of: network, description, on: validation)
  }

  /// Writes the best weights of the last stage as the model, which marks the run as finished.
  ///
  /// - Throws: `Refusal` if the model cannot be written.
  func writeModel(of stage: Stage, warnings: [String]) throws {
    let best = try Safetensors.read(run.best(stage)).tensors
    var description = description
    description.network = description.network(of: stage)
    if configuration.recipe != .published {
      let network = try StageStart(configuration, description).network(of: stage, from: .checkpoint)
      try network.parameters.load(best, file: run.best(stage).path)
      description.largestComponents = LargestComponents(of: network, description, on: validation)
    }
    description.warnings = warnings
    for warning in warnings { Warnings.report("\(run.url.path): \(warning)") }
    // The weights come last, since their file marks the training as finished.
    try run.write(description)
    try Safetensors(tensors: best).write(to: run.model)
  }
}
