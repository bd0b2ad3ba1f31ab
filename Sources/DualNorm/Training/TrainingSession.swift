package import Basics
package import Datasets
import Foundation

/// A run folder with everything its training needs before the first or next iteration.
package struct TrainingSession: Sendable {
  let run: RunFolder
  package let configuration: TrainingConfiguration
  let description: ModelDescription
  package let split: Split
  private let dataset: Dataset
  private let lock: FolderLock

  /// A closure for messages to the user: findings of the data check, the split, the plan.
  package typealias Report = (Message) -> Void

  /// A message to the user while a training is planned.
  package enum Message {
    case sentence(String)
    /// Lines in columns, for people rather than programs.
    case table(String)
  }

  private init(
    _ run: RunFolder, _ configuration: TrainingConfiguration, _ description: ModelDescription, _ split: Split,
    _ dataset: Dataset, _ lock: FolderLock
  ) {
    (self.run, self.configuration, self.description) = (run, configuration, description)
    (self.split, self.dataset, self.lock) = (split, dataset, lock)
  }

  /// Checks the data, splits the cases, plans the preparation and creates the run folder.
  ///
  /// - Parameters:
  ///   - configuration: must have `data`.
  ///   - choosesWidth: whether a narrower network takes the place of one that the memory does not hold.
  ///   - checking: called with the number of checked cases and of all cases.
  ///   - shouldStop: asked before each case of the check, from any thread.
  /// - Throws: `Refusal` for data that cannot be trained on, or a folder that is not empty; `StopRequested`.
  package static func begin(
    _ run: RunFolder, configuration: TrainingConfiguration, choosesWidth: Bool = false, report: Report,
    checking: (@Sendable (Int, Int) -> Void)? = nil, shouldStop: @escaping @Sendable () -> Bool = { false }
  ) throws -> TrainingSession {
    try configuration.validate()
    guard let data = configuration.data else {
      throw Refusal(.input, "No data set was given", remedy: "name its folder with \(Setting.data)")
    }
    // Find a bad folder or device before the slow data check.
    try run.requireEmpty()
    if let initial = configuration.initial { _ = try WeightFile(URL(fileURLWithPath: initial)) }
    _ = try configuration.device.resolved()
    let dataset = try Dataset(contentsOf: URL(fileURLWithPath: data), skipUnpaired: configuration.skipUnpaired)
    if let remark = dataset.unpairedRemark { report(.sentence(remark)) }
    let split = try configuration.split(of: dataset.cases)
    let check = try DataCheck.run(
      on: dataset, merge: configuration.mergeLabels, exclude: configuration.excludeLabels, progress: checking,
      shouldStop: shouldStop)
    report(.table(check.table))
    for remark in check.remarks { report(.sentence(remark)) }
    try check.requireNoErrors()
    return try begin(
      run, configuration: configuration, data: CheckedData(dataset: dataset, facts: check.facts), split: split,
      choosesWidth: choosesWidth, report: report, lock: nil, keepsFacts: true)
  }

  /// Plans the preparation for a split of checked data, and creates the run folder.
  ///
  /// Neither labels nor preparation depend on the split's test cases.
  ///
  /// - Parameter lock: the run folder's lock, if the caller holds it.
  /// - Throws: `Refusal` for a split that cannot be trained on, or a folder that is not empty.
  package static func begin(
    _ run: RunFolder, configuration: TrainingConfiguration, data: CheckedData, split: Split, report: Report,
    lock: FolderLock? = nil
  ) throws -> TrainingSession {
    try begin(
      run, configuration: configuration, data: data, split: split, choosesWidth: false, report: report, lock: lock,
      keepsFacts: false)
  }

  private static func begin(
    _ run: RunFolder, configuration: TrainingConfiguration, data: CheckedData, split: Split, choosesWidth: Bool,
    report: Report, lock: FolderLock?, keepsFacts: Bool
  ) throws -> TrainingSession {
    let known = data.facts(of: split.training + split.validation)
    if let memory = configuration.memory { try MemoryBudget(gigabytes: memory).requireRoom(for: known) }
    let planned = try configuration.withRoom(of: split, data: data, choosesWidth: choosesWidth)
    let description = planned.description
    // Record the resolved values, so that resuming on other hardware or changed data gives the same run.
    var configuration = planned.configuration
    configuration.context = description.preparation.contextSlices
    configuration.precision = description.precision
    configuration.whitening = description.preparation.whitening
    if configuration.dimensions == 3 {
      configuration.size = description.preparation.networkSize
      configuration.dualBlocks = description.network.dual?.blocks ?? []
    }
    report(
      .sentence(
        "Split: \(split.training.count) cases train, \(split.validation.count) choose the best checkpoint, "
          + "\(split.test.count) are held out."))
    report(.sentence("Preparation: \(description.preparationText)."))
    if let warning = data.dataset.warning(ofTestsOn: split.test) { Warnings.report(warning) }
    for remark in try StageStart(configuration, description).check() { report(.sentence(remark)) }
    let lock = try lock ?? run.create()
    removePartialFiles(in: run.url)
    // These come first, so that a training can start again in a folder that holds any part of the run.
    try run.write(configuration)
    try run.write(description)
    if keepsFacts { try FactsFile(data.facts).write(to: run.facts) }
    // This file comes last, since it marks the run as begun.
    try split.write(to: run.splits)
    return TrainingSession(run, configuration, description, split, data.dataset, lock)
  }

  /// Resumes a stopped or finished run.
  ///
  /// - Parameters:
  ///   - iterations: new iterations for the run; see `TrainingConfiguration.extended`.
  ///   - lock: the run folder's lock, if the caller holds it.
  /// - Throws: `Refusal` if the folder holds no run of train, `Refusal` if another process works in it.
  package static func resume(
    _ run: RunFolder, iterations: StageIterations? = nil, lock: FolderLock? = nil
  ) throws -> TrainingSession {
    try run.requireReadAndWriteAccess()
    guard run.hasConfiguration else {
      throw Refusal(
        .input, run.url.path, "has no config.yaml, so no training was started there", remedy: "check \(Setting.resume)")
    }
    let lock = try lock ?? FolderLock(run.url)
    for folder in [run.url, run.checkpoints] { removePartialFiles(in: folder) }
    let recorded = try run.readConfiguration()
    let configuration =
      try iterations.map { try recorded.extended(to: $0, after: Checkpoint.state(of: run)) } ?? recorded
    var description = try run.readDescription()
    // A finished run describes its last stage; new iterations may add the dual one.
    description.network.dual = configuration.dualPlan
    guard let data = configuration.data else {
      throw Refusal(
        .input, run.configuration.path, "names no data", remedy: "only runs that train started can be resumed")
    }
    let dataset = try Dataset(contentsOf: URL(fileURLWithPath: data), skipUnpaired: configuration.skipUnpaired)
    let split = try Split(contentsOf: run.splits, cases: dataset.cases)
    if let warning = dataset.warning(ofTestsOn: split.test) { Warnings.report(warning) }
    if configuration != recorded { try run.write(configuration) }
    return TrainingSession(run, configuration, description, split, dataset, lock)
  }

  /// The training and validation cases on the network's grid.
  package struct Cases {
    let training, validation: [PreparedCase]
  }

  /// Reads and prepares the training and validation cases.
  ///
  /// - Parameter shouldStop: asked before each case, from any thread.
  /// - Throws: `Refusal` naming the unusable file; `StopRequested`.
  package func prepare(
    preparing: (@Sendable (Int, Int) -> Void)? = nil, shouldStop: @escaping @Sendable () -> Bool = { false }
  ) throws -> Cases {
    let sides = [Set(split.training), Set(split.validation)]
    let cases = dataset.cases.filter { scan in sides.contains { $0.contains(scan.identifier) } }
    let budget = MemoryBudget(gigabytes: configuration.memory)
    let prepared = try concurrentMap(cases, threads: 2, progress: preparing) { scan in
      Result {
        if shouldStop() { throw StopRequested() }
        let volume = try PreparedVolume(
          reading: scan, scheme: description.labels, plan: description.preparation, measuresPercentiles: false)
        return PreparedCase(
          source: scan, volume: budget.take(volume.bytes) ? volume : try volume.inFiles(in: run.url))
      }
    }.map { try $0.get() }
    return Cases(
      training: prepared.filter { sides[0].contains($0.source.identifier) },
      validation: prepared.filter { sides[1].contains($0.source.identifier) })
  }

  /// - Throws: the errors of `Trainer.prepare`.
  package func trainer(on cases: Cases) throws -> Trainer {
    try Trainer.prepare(
      in: run, configuration, description, training: cases.training, validation: cases.validation, lock: lock)
  }

  /// Reads and prepares the cases, and makes the trainer.
  ///
  /// - Throws: the errors of `prepare` and `Trainer.prepare`.
  package func trainer(
    preparing: (@Sendable (Int, Int) -> Void)? = nil, shouldStop: @escaping @Sendable () -> Bool = { false }
  ) throws -> Trainer {
    try trainer(on: prepare(preparing: preparing, shouldStop: shouldStop))
  }

  /// The same run with the iterations and the width that fit a time; its files record them.
  ///
  /// - Throws: `Refusal` if a file cannot be written.
  package func fitted(to choice: TimedTraining) throws -> TrainingSession {
    var (configuration, description) = (configuration, description)
    (configuration.iterations, configuration.width) = (choice.iterations, choice.width)
    description.network.width = choice.width
    try run.write(configuration)
    try run.write(description)
    return TrainingSession(run, configuration, description, split, dataset, lock)
  }
}
