import Basics
import Datasets
package import DualNorm
package import Foundation
package import Scores
import Torch

/// The cells of an experiment and their folder.
///
/// The folder holds `experiment.yaml` and `training.yaml` (the options), `facts.json` (the data check's facts),
/// `splits_final.json` (the test sets) and `cells/METHOD/SETTING/seed-N/`.
package struct Experiment: Sendable {
  package let folder: URL
  package let configuration: ExperimentConfiguration
  let data: CheckedData
  /// The unit of lengths in the scores.
  package var lengthUnit: LengthUnit { LengthUnit(of: data.dataset.cases) }
  /// All cells, seed by seed, so that an unfinished experiment can already compare all methods.
  package let cells: [ExperimentCell]
  /// The folder's lock, held while cells run.
  private var lock: FolderLock?

  /// Checks the data and plans every cell before creating the folder, or resumes the experiment in the folder.
  ///
  /// Resuming may add methods and seeds.
  ///
  /// - Parameters:
  ///   - threads: threads of each cell if the options give none. A resumed experiment keeps its number, because the
  ///     bits of a training depend on it.
  ///   - report: receives the data check's findings.
  ///   - checking: receives the number of cases checked and their total.
  /// - Throws: `Refusal` for unusable options, data or folder, or if another process works in the folder.
  package static func begin(
    in folder: URL, _ asked: ExperimentConfiguration, threads: Int, report: TrainingSession.Report,
    checking: (@Sendable (Int, Int) -> Void)? = nil
  ) throws -> Experiment {
    var asked = asked
    let exists = ExperimentConfiguration.exists(in: folder)
    let remains = asked.remains(in: folder)
    let lock = exists ? try FolderLock(folder) : nil
    if exists {
      let recorded = try ExperimentConfiguration(contentsOf: folder)
      try recorded.requireCores(place: folder.path)
      asked.training.threads = asked.training.threads ?? recorded.training.threads
      asked.training.precision = asked.training.precision ?? recorded.training.precision
      asked.training.whitening = asked.training.whitening ?? recorded.training.whitening
      if asked.training.dimensions == 3 { asked.training.size = asked.training.size ?? recorded.training.size }
      asked = try recorded.extended(by: asked, place: folder.path)
    } else if FileManager.default.fileExists(atPath: folder.path) {
      try makeEmptyFolder(folder, option: .output, beside: remains)
    } else {
      try requireMakeable(folder, option: .output)
    }
    asked.training.threads = asked.training.threads ?? threads
    asked.training.precision = try asked.training.settledPrecision()
    try asked.validate()
    let dataset = try dataset(asked)
    let known = exists ? try FactsFile.readIfThere(factsFile(folder), for: dataset) : nil
    let folds = try folds(asked, in: folder, dataset.cases)
    let facts = try known ?? check(dataset, asked, report: report, checking: checking)
    var experiment = try Experiment(folder, asked, CheckedData(dataset: dataset, facts: facts), folds)
    // An experiment of an earlier version goes on with a window for each cell.
    if !exists, asked.training.dimensions == 3, asked.training.size == nil {
      asked.training.size = try experiment.commonWindow()
      experiment = try Experiment(folder, asked, experiment.data, folds)
    }
    try experiment.plan()
    if let warning = dataset.warning(ofTestsOn: folds.folds.flatMap(\.test)) { Warnings.report(warning) }
    experiment.lock = try lock ?? makeFolder(folder, beside: remains)
    removePartialFiles(in: folder)
    // Write the options first: a folder with any file of the experiment can then be resumed.
    try experiment.configuration.write(to: folder)
    try folds.write(to: foldsFile(folder), cases: dataset.cases)
    try FactsFile(facts, keepsForeground: true).write(to: factsFile(folder))
    return experiment
  }

  /// Opens the experiment in a folder.
  ///
  /// - Throws: `Refusal` if there is none, or its data changed.
  package init(contentsOf folder: URL) throws {
    let configuration = try ExperimentConfiguration(contentsOf: folder)
    let dataset = try Self.dataset(configuration)
    let facts = try FactsFile.read(Self.factsFile(folder), for: dataset)
    try self.init(
      folder, configuration, CheckedData(dataset: dataset, facts: facts),
      Self.folds(configuration, in: folder, dataset.cases))
  }

  private init(_ folder: URL, _ configuration: ExperimentConfiguration, _ data: CheckedData, _ folds: Folds) throws {
    self.folder = folder
    self.configuration = configuration
    self.data = data
    let settings = configuration.settings(of: folds, cases: data.dataset.cases)
    cells = try configuration.seedValues.flatMap { seed in
      try settings.flatMap { setting in
        try configuration.methods.map {
          try ExperimentCell($0, setting, seed: seed, in: folder, configuration.training)
        }
      }
    }
  }

  private static func makeFolder(_ folder: URL, beside remains: Set<String>) throws -> FolderLock {
    try makeEmptyFolder(folder, option: .output, beside: remains)
    let lock = try FolderLock(folder)
    // Check again under the lock: another process may have started and ended meanwhile.
    try makeEmptyFolder(folder, option: .output, beside: remains)
    return lock
  }

  private static func dataset(_ configuration: ExperimentConfiguration) throws -> Dataset {
    guard let data = configuration.training.data else {
      throw Refusal(.input, "No data set was given", remedy: "name its folder with \(Setting.data)")
    }
    let dataset = try Dataset(
      contentsOf: URL(fileURLWithPath: data), skipUnpaired: configuration.training.skipUnpaired)
    return try configuration.sites.map { try dataset.restricted(to: $0, option: .sites) } ?? dataset
  }

  package static func foldsFile(_ folder: URL) -> URL { folder.appendingPathComponent("splits_final.json") }
  package static func factsFile(_ folder: URL) -> URL { folder.appendingPathComponent("facts.json") }

  /// The folds that the experiment began with, or new ones.
  private static func folds(_ configuration: ExperimentConfiguration, in folder: URL, _ cases: [Case]) throws -> Folds {
    let file = foldsFile(folder)
    guard FileManager.default.fileExists(atPath: file.path), ExperimentConfiguration.exists(in: folder) else {
      return try configuration.folds(of: cases)
    }
    return try Folds(contentsOf: file, cases: cases)
  }

  private static func check(
    _ dataset: Dataset, _ configuration: ExperimentConfiguration, report: TrainingSession.Report,
    checking: (@Sendable (Int, Int) -> Void)?
  ) throws -> [CaseFacts] {
    let training = configuration.training
    let check = DataCheck.run(
      on: dataset, merge: training.mergeLabels, exclude: training.excludeLabels, progress: checking)
    report(.table(check.table))
    for remark in check.remarks { report(.sentence(remark)) }
    try check.requireNoErrors()
    return check.facts
  }

  /// The window of all cells in 3-D, planned for the shapes of all cases, which each cell's network can take.
  private func commonWindow() throws -> Extent? {
    guard let first = cells.first, let planned = try first.configuration.plan(for: data.facts).preparation.networkSize
    else { return nil }
    var window = planned.sizes
    // Cells of other spacings may halve an axis more often. A larger window may too, hence the repetition.
    for _ in 0..<4 {
      for cell in cells where cell.seed == configuration.training.seed && cell.method == first.method {
        let split = try split(of: cell)
        let levels = try cell.configuration.levels(
          of: data.facts(of: split.training + split.validation), window: window)
        window = levels.padded(window)
      }
    }
    return Extent(depth: window[0], height: window[1], width: window[2])
  }

  /// Finds faults that would stop a cell, before hours are spent on the others.
  private func plan() throws {
    for cell in cells where cell.seed == configuration.training.seed {
      do {
        let description = try cell.configuration.description(of: split(of: cell), data: data)
        let isAhead = cells.contains { $0.method == cell.method && $0.setting == cell.setting && !$0.isFinished }
        if isAhead {
          try cell.configuration.requireRoom(for: description)
          _ = try StageStart(cell.configuration, description).check()
        }
      } catch let error as Refusal where [.input, .weights].contains(error.kind) {
        throw error.about("\(cell.method.name)/\(cell.setting.name)", .input)
      }
    }
  }

  /// The split of a cell; its validation cases, which choose the checkpoint, depend on the seed but not on the method.
  func split(of cell: ExperimentCell) throws -> Split {
    try Split(
      cell.setting.cases, of: data.dataset.cases, validationFraction: configuration.training.validationFraction,
      seed: cell.seed)
  }
}
