import DualNorm
import Foundation

/// The results of the cells that are finished: `results.csv`, `summary.md` and the printed table.
struct ExperimentReport {
  private let experiment: Experiment
  private let baseline: String?

  /// - Throws: `InputError` for a baseline that is none of the methods.
  init(_ experiment: Experiment, baseline: String?) throws {
    self.experiment = experiment
    self.baseline = try baseline.map { try Self.baseline($0, among: experiment.configuration.methods) }
  }

  /// The name that a method to compare with has in tables.
  ///
  /// - Throws: `InputError` where it is none of the experiment's.
  static func baseline(_ name: String, among methods: [ExperimentMethod]) throws -> String {
    guard let method = try? ExperimentMethod(name), methods.contains(method) else {
      throw InputError(
        "--baseline \(name) is none of the methods \(methods.map(\.name).joined(separator: ", ")); name one of them.")
    }
    return method.name
  }

  /// Writes the files and prints the table; says what is missing.
  func publish() throws {
    let missing = experiment.cells.filter { !$0.isFinished }.map(\.name)
    guard missing.count < experiment.cells.count else {
      throw InputError("\(experiment.folder.path): no cell is finished yet, so there is no table; go on with it first.")
    }
    let results = try experiment.results()
    try results.write(to: experiment.folder.appendingPathComponent("results.csv"))
    let summary = try ExperimentSummary(results, baseline: baseline)
    try summary.write(to: experiment.folder.appendingPathComponent("summary.md"))
    print(summary.text, terminator: "")
    if !missing.isEmpty {
      printError(
        "Incomplete: \(missing.count) of \(experiment.cells.count) cells are missing: "
          + missing.prefix(5).joined(separator: ", ") + (missing.count > 5 ? " and \(missing.count - 5) more." : "."))
    }
  }
}
