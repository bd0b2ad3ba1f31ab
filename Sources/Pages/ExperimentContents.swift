import Basics
import Datasets
import DualNorm
import Experiments
import Foundation
import Scores

/// The contents of an experiment's folder, readable without the data.
struct ExperimentContents {
  let folder: URL
  let configuration: ExperimentConfiguration
  /// nil if the experiment was stopped before its data were checked.
  let facts: [CaseFacts]?
  /// The cells of all methods, settings and seeds; empty without the facts.
  let cells: [ExperimentCell]
  /// The results of the finished cells; nil if none is finished.
  let results: ResultTable?

  /// - Throws: `Refusal` naming the file that is damaged.
  init(_ folder: URL) throws {
    self.folder = folder
    let configuration = try ExperimentConfiguration(contentsOf: folder)
    self.configuration = configuration
    let (factsFile, foldsFile) = (Experiment.factsFile(folder), Experiment.foldsFile(folder))
    func exists(_ url: URL) -> Bool { FileManager.default.fileExists(atPath: url.path) }
    facts = exists(factsFile) ? try FactsFile.recorded(in: factsFile) : nil
    if let cases = facts?.map(\.scan), exists(foldsFile) {
      let settings = configuration.settings(of: try Folds(contentsOf: foldsFile, cases: cases), cases: cases)
      cells = try configuration.seedValues.flatMap { seed in
        try settings.flatMap { setting in
          try configuration.methods.map {
            try ExperimentCell($0, setting, seed: seed, in: folder, configuration.training)
          }
        }
      }
    } else {
      cells = []
    }
    let order = configuration.methods
    let finished = cells.filter(\.isFinished).sorted {
      order.firstIndex(of: $0.method) ?? 0 < order.firstIndex(of: $1.method) ?? 0
    }
    results =
      finished.isEmpty ? nil : try ResultTable(merging: finished.map { try ResultTable(contentsOf: $0.results) })
  }

  /// A sentence on unfinished cells; nil if every cell is finished.
  var unfinished: String? {
    let missing = cells.filter { !$0.isFinished }
    guard missing.isEmpty == false || cells.isEmpty else { return nil }
    let goOn = "The command of the experiment goes on with it."
    guard !cells.isEmpty else {
      return "The experiment is not finished: it was stopped before its data were checked. \(goOn)"
    }
    return "The experiment is not finished: \(missing.count) of \(cells.count) networks are missing, "
      + "\(listed(missing.map(\.name), atMost: 5)). \(goOn)"
  }

  /// The summary of a metric against the first method with results.
  func summary(of metric: Metric) throws -> ExperimentSummary? {
    guard let results, results.metrics.contains(metric) else { return nil }
    var summary = try ExperimentSummary(
      results, metric: metric, separatingTrainSites: configuration.kind == .matrix ? true : nil,
      lengthUnit: LengthUnit(arePictures: (facts ?? []).map(\.isPicture)))
    summary.remarks = [cells.largestComponentRemark(configuration.largestComponent)].compactMap { $0 }
    return summary
  }

  /// The words of the command that repeats the experiment.
  var command: [String] {
    let training = folder.appendingPathComponent("training.yaml").path
    var words = Verb.experiment.words + [configuration.kind.rawValue] + Setting.config.words(training)
    words += Setting.methods.words(configuration.methods.map(\.name).joined(separator: ","))
    words += Setting.seeds.words("\(configuration.seeds)") + Setting.output.words("AGAIN")
    if let folds = configuration.folds { words += Setting.folds.words("\(folds)") }
    if let sites = configuration.sites { words += Setting.sites.words(sites.joined(separator: ",")) }
    if configuration.adaptation != .none { words += Setting.adapt.words(configuration.adaptation.rawValue) }
    return words + configuration.largestComponent.words
  }
}
