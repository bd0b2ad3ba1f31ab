import Basics
import Experiments
import Foundation
import Scores

/// The results of the finished cells: `results.csv`, `summary.md` and the printed table.
struct ExperimentReport {
  private let experiment: Experiment
  private let baseline: String
  private let metric: String
  private let file: URL?

  /// - Parameters:
  ///   - baseline: the method to compare with; nil for the experiment's first.
  ///   - metric: the metric of the printed table and of `file`; `summary.md` always has Dice.
  ///   - file: a file for the printed table; its extension decides the format.
  /// - Throws: `Refusal` for a baseline that is not one of the methods.
  init(_ experiment: Experiment, baseline: String?, metric: String = Metric.dice.rawValue, file: URL? = nil) throws {
    self.experiment = experiment
    let methods = experiment.configuration.methods
    self.baseline = try baseline.map { try Self.baseline($0, among: methods) } ?? methods[0].name
    (self.metric, self.file) = (metric, file)
  }

  /// The name of a baseline in tables.
  ///
  /// - Throws: `Refusal` if it is not one of the experiment's methods.
  static func baseline(_ name: String, among methods: [ExperimentMethod]) throws -> String {
    guard let method = try? ExperimentMethod(name), methods.contains(method) else {
      throw Refusal(
        .input, "--baseline \(name) is none of the methods \(methods.map(\.name).joined(separator: ", "))",
        remedy: "name one of them")
    }
    return method.name
  }

  /// Writes the files, prints the table, and names unfinished cells.
  func publish() throws {
    if let file { try requireReplaceable(file) }
    let missing = experiment.cells.filter { !$0.isFinished }.map(\.name)
    guard missing.count < experiment.cells.count else {
      throw Refusal(
        .input, experiment.folder.path, "no cell is finished yet, so there is no table", remedy: "go on with it first")
    }
    let results = try experiment.results()
    try results.write(to: experiment.folder.appendingPathComponent("results.csv"))
    let metric = try results.metric(named: metric, option: .metric)
    let compared = results.methods.contains(baseline) ? baseline : results.methods[0]
    // A matrix with unfinished cells is still a matrix.
    let isMatrix = experiment.configuration.kind == .matrix
    let remarks = experiment.remarks()
    func summary(of metric: Metric) throws -> ExperimentSummary {
      var summary = try ExperimentSummary(
        results, metric: metric, baseline: compared, separatingTrainSites: isMatrix ? true : nil,
        lengthUnit: experiment.lengthUnit)
      summary.remarks = remarks + ExperimentCell.warnings(of: experiment.cells)
      return summary
    }
    let dice = try summary(of: .dice)
    let printed = metric == .dice ? dice : try summary(of: metric)
    if let file { try printed.write(to: file) }
    try dice.write(to: experiment.folder.appendingPathComponent("summary.md"))
    print(printed.text, terminator: "")
    if compared != baseline {
      Messages.show("\(baseline) has no results yet, so the others are compared with \(compared).")
    }
    if !missing.isEmpty {
      Messages.show(
        "Incomplete: \(missing.count) of \(experiment.cells.count) cells are missing: "
          + missing.prefix(5).joined(separator: ", ") + (missing.count > 5 ? " and \(missing.count - 5) more." : "."))
    }
  }
}
