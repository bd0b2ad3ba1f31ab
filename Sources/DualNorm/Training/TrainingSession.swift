import Basics
import Datasets
import Foundation

/// From a folder of volumes to a trainer that is ready for its first, or next, iteration.
package struct TrainingSession: Sendable {
  let run: RunFolder
  package let configuration: TrainingConfiguration
  let description: ModelDescription
  package let split: Split
  private let dataset: Dataset
  private let lock: FolderLock

  /// What the user is told on the way: findings of the data check, the split, the plan.
  package typealias Report = (Message) -> Void

  /// A message to the user while a training is planned.
  package enum Message {
    case sentence(String)
    /// Lines in columns, which only people can read.
    case table(String)
  }

  /// Checks the data, splits the cases, plans the preparation and makes the run folder.
  ///
  /// - Parameters:
  ///   - configuration: with `data` set.
  ///   - checking: told how many cases were checked, of how many.
  ///   - shouldStop: asked before each case that is checked, from any thread.
  /// - Throws: `InputError` for data that cannot be trained on, or a folder that is not empty; `StopRequested`.
  package init(
    starting run: RunFolder, configuration: TrainingConfiguration, report: Report,
    checking: (@Sendable (Int, Int) -> Void)? = nil, shouldStop: @escaping @Sendable () -> Bool = { false }
  ) throws {
    try configuration.validate()
    guard let data = configuration.data else {
      throw InputError("No data set was given; name its folder with --data.")
    }
    // Nobody waits for the data check to hear of what is in the way.
    try run.requireEmpty()
    if let initial = configuration.initial { _ = try WeightFile(URL(fileURLWithPath: initial)) }
    _ = try configuration.device.resolved()
    let dataset = try Dataset(contentsOf: URL(fileURLWithPath: data))
    let split = try configuration.split(of: dataset.cases)
    let check = try DataCheck(
      of: dataset, merge: configuration.mergeLabels, exclude: configuration.excludeLabels, progress: checking,
      shouldStop: shouldStop)
    report(.table(check.table))
    for remark in check.remarks { report(.sentence(remark)) }
    try check.requireNoErrors()
    try self.init(
      starting: run, configuration: configuration, data: CheckedData(dataset: dataset, facts: check.facts),
      split: split, report: report, lock: nil, keepsFacts: true)
  }

  /// Plans the preparation on a split of data that were checked before, and makes the run folder.
  ///
  /// Neither labels nor preparation depend on the split's test cases.
  ///
  /// - Parameter lock: of the run folder, where the caller has it.
  /// - Throws: `InputError` for a split that cannot be trained on, or a folder that is not empty.
  package init(
    starting run: RunFolder, configuration: TrainingConfiguration, data: CheckedData, split: Split, report: Report,
    lock: FolderLock? = nil
  ) throws {
    try self.init(
      starting: run, configuration: configuration, data: data, split: split, report: report, lock: lock,
      keepsFacts: false)
  }

  private init(
    starting run: RunFolder, configuration: TrainingConfiguration, data: CheckedData, split: Split, report: Report,
    lock: FolderLock?, keepsFacts: Bool
  ) throws {
    self.run = run
    let known = data.facts(of: split.training + split.validation)
    if let memory = configuration.memory { try MemoryBudget(gigabytes: memory).requireRoom(for: known) }
    let description = try configuration.description(of: split, data: data)
    // What they resolve to are facts of the run, whatever the data come to hold and wherever it goes on.
    var configuration = configuration
    configuration.context = description.preparation.contextSlices
    configuration.precision = description.precision
    self.configuration = configuration
    self.description = description
    self.split = split
    dataset = data.dataset
    report(
      .sentence(
        "Split: \(split.training.count) cases train, \(split.validation.count) choose the best checkpoint, "
          + "\(split.test.count) are held out."))
    report(.sentence("Preparation: \(description.preparationText)."))
    if let warning = dataset.warning(ofTestsOn: split.test) { Warnings.report(warning) }
    for remark in try StageStart(configuration, description).check() { report(.sentence(remark)) }
    self.lock = try lock ?? run.create()
    removePartialFiles(in: run.url)
    // First, so that a folder that has anything of the run can be started in again.
    try run.write(configuration)
    try run.write(description)
    if keepsFacts { try FactsFile(data.facts).write(to: run.facts) }
    // Last, as the run is begun then.
    try split.write(to: run.splits)
  }

  /// Takes up a run that was stopped or is finished.
  ///
  /// - Parameters:
  ///   - iterations: take the place of the run's; see `TrainingConfiguration.extended`.
  ///   - lock: of the run folder, where the caller has it.
  /// - Throws: `InputError` if the folder holds no run that train started, `FileError` if another process works in it.
  package init(resuming run: RunFolder, iterations: [Int]? = nil, lock: FolderLock? = nil) throws {
    self.run = run
    try run.requireReadAndWriteAccess()
    guard run.hasConfiguration else {
      throw InputError("\(run.url.path): has no config.yaml, so no training was started there; check --resume.")
    }
    self.lock = try lock ?? FolderLock(run.url)
    for folder in [run.url, run.checkpoints] { removePartialFiles(in: folder) }
    let recorded = try run.readConfiguration()
    configuration = try iterations.map { try recorded.extended(to: $0, after: Checkpoint.state(of: run)) } ?? recorded
    var description = try run.readDescription()
    // A finished run's is that of its last stage, and there may be one more now.
    description.network.dual = configuration.dualPlan
    self.description = description
    guard let data = configuration.data else {
      throw InputError("\(run.configuration.path): names no data; only runs that train started can be resumed.")
    }
    dataset = try Dataset(contentsOf: URL(fileURLWithPath: data))
    split = try Split(contentsOf: run.splits, cases: dataset.cases)
    if let warning = dataset.warning(ofTestsOn: split.test) { Warnings.report(warning) }
    if configuration != recorded { try run.write(configuration) }
  }

  /// Reads and prepares the training and validation cases.
  ///
  /// - Parameter shouldStop: asked before each case, from any thread.
  /// - Throws: `InputError` or `ImagingError` naming what cannot be used; `StopRequested`.
  package func trainer(
    preparing: (@Sendable (Int, Int) -> Void)? = nil, shouldStop: @escaping @Sendable () -> Bool = { false }
  ) throws -> Trainer {
    let sides = [Set(split.training), Set(split.validation)]
    let cases = dataset.cases.filter { scan in sides.contains { $0.contains(scan.identifier) } }
    let budget = MemoryBudget(gigabytes: configuration.memory)
    let prepared = try concurrentMap(cases, threads: 2, progress: preparing) { scan in
      Result {
        if shouldStop() { throw StopRequested() }
        let trains = sides[0].contains(scan.identifier)
        let volume = try PreparedVolume(
          reading: scan, scheme: description.labels, plan: description.preparation,
          for: trains ? .training : .prediction)
        return PreparedCase(
          source: scan, volume: budget.take(volume.bytes) ? volume : try volume.inFiles(in: run.url))
      }
    }.map { try $0.get() }
    return try Trainer.prepare(
      in: run, configuration, description, training: prepared.filter { sides[0].contains($0.source.identifier) },
      validation: prepared.filter { sides[1].contains($0.source.identifier) }, lock: lock)
  }
}
