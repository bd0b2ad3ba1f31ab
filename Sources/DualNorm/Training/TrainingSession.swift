import Foundation

/// From a folder of volumes to a trainer that is ready for its first, or next, iteration.
public struct TrainingSession: Sendable {
  public let run: RunFolder
  public let configuration: TrainingConfiguration
  public let description: ModelDescription
  public let split: Split
  private let dataset: Dataset

  /// What the user is told on the way: findings of the data check, the split, the plan.
  public typealias Report = (String) -> Void

  /// Checks the data, splits the cases, plans the preparation and makes the run folder.
  ///
  /// - Parameters:
  ///   - configuration: with `data` set.
  ///   - checking: told how many cases were checked, of how many.
  /// - Throws: `InputError` for data that cannot be trained on, or a folder that is not empty.
  public init(
    starting run: RunFolder, configuration: TrainingConfiguration, report: Report,
    checking: (@Sendable (Int, Int) -> Void)? = nil
  ) throws {
    try configuration.validate()
    guard let data = configuration.data else {
      throw InputError("No data set was given; name its folder with --data.")
    }
    let dataset = try Dataset(contentsOf: URL(fileURLWithPath: data))
    let split = try configuration.split(of: dataset.cases)
    let check = DataCheck(
      of: dataset, merge: configuration.mergeLabels, exclude: configuration.excludeLabels, progress: checking)
    report(check.description)
    try check.requireNoErrors()
    try self.init(
      starting: run, configuration: configuration, data: CheckedData(dataset: dataset, facts: check.facts),
      split: split, report: report)
    try FactsFile(check.facts).write(to: run.facts)
  }

  /// Plans the preparation on a split of data that were checked before, and makes the run folder.
  ///
  /// Neither labels nor preparation depend on the split's test cases.
  ///
  /// - Throws: `InputError` for a split that cannot be trained on, or a folder that is not empty.
  public init(
    starting run: RunFolder, configuration: TrainingConfiguration, data: CheckedData, split: Split, report: Report
  ) throws {
    self.run = run
    let known = data.facts(of: split.training + split.validation)
    if let memory = configuration.memory { try MemoryBudget(gigabytes: memory).requireRoom(for: known) }
    let description = try configuration.description(of: split, data: data)
    // What it resolves to is a fact of the run, whatever the data come to hold.
    var configuration = configuration
    configuration.context = description.preparation.contextSlices
    self.configuration = configuration
    self.description = description
    self.split = split
    dataset = data.dataset
    report(
      "Split: \(split.training.count) cases train, \(split.validation.count) choose the best checkpoint, "
        + "\(split.test.count) are held out.")
    report("Preparation: \(description.preparation).")
    if let warning = dataset.warning(ofTestsOn: split.test) { report(warning) }
    if let transfer = try StageStart(configuration, description).check() { report(transfer) }
    try run.create()
    try run.write(configuration)
    try run.write(description)
    try split.write(to: run.splits)
  }

  /// Takes up a run that was stopped.
  ///
  /// - Throws: `InputError` if the folder holds no run that train started.
  public init(resuming run: RunFolder) throws {
    self.run = run
    guard FileManager.default.fileExists(atPath: run.configuration.path) else {
      throw InputError("\(run.url.path): has no config.yaml, so no training was started there; check --resume.")
    }
    configuration = try TrainingConfiguration(yaml: run.configuration)
    do {
      try configuration.validate()
    } catch let error as InputError {
      throw InputError("\(run.configuration.path): \(error.description)")
    }
    description = try run.readDescription()
    guard let data = configuration.data else {
      throw InputError("\(run.configuration.path): names no data; only runs that train started can be resumed.")
    }
    dataset = try Dataset(contentsOf: URL(fileURLWithPath: data))
    split = try Split(contentsOf: run.splits, cases: dataset.cases)
  }

  /// Reads and prepares the training and validation cases.
  public func trainer(preparing: (@Sendable (Int, Int) -> Void)? = nil) throws -> Trainer {
    let sides = [Set(split.training), Set(split.validation)]
    let cases = dataset.cases.filter { scan in sides.contains { $0.contains(scan.identifier) } }
    let budget = MemoryBudget(gigabytes: configuration.memory)
    let prepared = try concurrentMap(cases, threads: 2, progress: preparing) { scan in
      Result {
        let volume = try PreparedVolume(reading: scan, scheme: description.labels, plan: description.preparation)
        return PreparedCase(
          source: scan, volume: budget.take(volume.bytes) ? volume : try volume.inFiles(in: run.url))
      }
    }.map { try $0.get() }
    return try Trainer(
      run: run, configuration: configuration, description: description,
      training: prepared.filter { sides[0].contains($0.source.identifier) },
      validation: prepared.filter { sides[1].contains($0.source.identifier) })
  }
}

extension TrainingConfiguration {
  /// The preparation that the options give, the rest derived from the cases.
  func plan(for facts: [CaseFacts]) throws -> PreparationPlan {
    try PreparationPlan.derived(
      from: facts, window: windowOption(), resampling: resamplingOption(), networkSize: sizeOption(),
      contextSlices: context ?? (facts.allSatisfy { $0.geometry.size.z == 1 } ? 1 : 3), whitening: whitening)
  }

  /// The preparation that the options give, for volumes that are not known yet.
  public func plan() throws -> PreparationPlan {
    try PreparationPlan(
      window: windowOption(), resampling: resamplingOption() ?? .none, networkSize: sizeOption(),
      contextSlices: context ?? 3, whitening: whitening)
  }

  private func windowOption() throws -> IntensityWindow? {
    try pair(window, "--window", "the lowest and highest intensity, for example -125,275").map {
      IntensityWindow(low: $0.0, high: $0.1)
    }
  }

  private func resamplingOption() throws -> PreparationPlan.Resampling? {
    let spacing = try pair(spacing, "--spacing", "x and y in mm, for example 0.6,0.6")
    let size = try pair(resampleSize, "--resample-size", "height and width in pixels, for example 384,384")
    guard spacing == nil || size == nil else {
      throw InputError("--spacing and --resample-size exclude each other; give one of them.")
    }
    return spacing.map { .spacingMM(x: $0.0, y: $0.1) } ?? size.map { .size(height: $0.0, width: $0.1) }
  }

  private func sizeOption() throws -> ImageSize? {
    try pair(size, "--size", "height and width in pixels, for example 384,384").map {
      ImageSize(height: $0.0, width: $0.1)
    }
  }

  private func pair<Number>(_ values: [Number]?, _ option: String, _ expected: String) throws -> (Number, Number)? {
    guard let values else { return nil }
    guard values.count == 2 else {
      throw InputError("\(option) has \(counted(values.count, "number")); give \(expected).")
    }
    return (values[0], values[1])
  }

  /// Slices a batch; without the option the smallest multiple of the number of sites from 8 on.
  func slicesPerBatch(sites: Int) -> Int { batchSize ?? (8 + sites - 1) / sites * sites }

  /// The network that the options and the data make.
  func network(labels: LabelScheme, plan: PreparationPlan, modalities: Int, sites: Int = 1) throws -> UNetConfiguration
  {
    let network = UNetConfiguration(
      classes: labels.classCount, inputChannels: plan.contextSlices * modalities, width: width, norm: norm,
      dualBlocks: dualBlocks, maskKind: mask, reduction: reduction, size: norm == .ln ? plan.networkSize : nil,
      sites: norm == .dsbn ? sites : 1, maskSource: maskSource, localStatistics: localStatistics)
    try network.validate()
    guard !weightedCrossEntropy || labels.classCount > 2 else {
      throw InputError(
        "--weighted-cross-entropy weights the classes of the cross entropy, which the published loss of two classes "
          + "(background and \(labels.names[0])) does not have; leave it out.")
    }
    if plan.networkSize == ImageSize(height: 16, width: 16) { try requireSeveralValues(network, sites: sites) }
    return network
  }

  /// At the deepest level slices of 16×16 are a single pixel, of which batch norm can tell no variance.
  private func requireSeveralValues(_ network: UNetConfiguration, sites: Int) throws {
    guard batchSize != 1 || !network.usesBatchNormAtTheBottom else {
      throw InputError(
        "--batch-size is 1 and slices are 16×16, so batch normalization has a single value a channel at the deepest "
          + "level; give at least 2 slices a batch.")
    }
    let slices = slicesPerBatch(sites: sites)
    guard norm != .dsbn || slices >= 2 * sites else {
      throw InputError(
        "A batch has \(slices) slices of 16×16 from \(sites) sites, so domain-specific batch normalization has a single "
          + "value a channel of a site at the deepest level; give --batch-size \(2 * sites) or more.")
    }
  }
}

extension UNetConfiguration {
  fileprivate var usesBatchNormAtTheBottom: Bool {
    norm == .bn || norm == .dsbn || dualBlocks.contains { $0.level == 4 }
  }
}
