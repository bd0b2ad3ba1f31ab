import Basics
package import Datasets
package import DualNorm
package import Foundation

/// The training and test cases of a cell, shared by all methods and seeds.
package struct ExperimentSetting: Equatable, Sendable {
  /// The name of its folder: `fold-0`, the held-out site, or the sites that train.
  package let name: String
  /// The held-out part of the data, as in `ResultRow`.
  let fold: String
  let trainSites: [String]
  package let cases: Folds.Fold
}

/// One network of an experiment: a method, trained and tested in a setting with a seed.
package struct ExperimentCell: Sendable {
  package let method: ExperimentMethod
  package let setting: ExperimentSetting
  package let seed: UInt64
  /// A normal run folder, with `evaluation/`, `cell.log` and, at the end, `results.csv`.
  package let run: RunFolder
  let configuration: TrainingConfiguration

  package init(
    _ method: ExperimentMethod, _ setting: ExperimentSetting, seed: UInt64, in experiment: URL,
    _ options: TrainingConfiguration
  )
    throws
  {
    self.method = method
    self.setting = setting
    self.seed = seed
    let path = "cells/\(method.name)/\(setting.name)/seed-\(seed)"
    run = RunFolder(experiment.appendingPathComponent(path))
    var own = try method.applied(to: options)
    own.seed = seed
    own.holdOut = 0
    // Lets `train --config` train the cell again.
    own.splits = run.splits.path
    configuration = own
  }

  /// `dual/Site-A/seed-1`.
  package var name: String { "\(method.name)/\(setting.name)/seed-\(seed)" }

  var evaluation: URL { run.url.appendingPathComponent("evaluation") }
  /// The results file, written last: its existence marks a cell as finished.
  package var results: URL { run.url.appendingPathComponent("results.csv") }

  package var isFinished: Bool { FileManager.default.fileExists(atPath: results.path) }

  /// The finished cells' warnings, each sentence once with the cells that gave it.
  package static func warnings(of cells: [ExperimentCell]) -> [String] {
    let all = cells.filter(\.isFinished).flatMap { cell in
      cell.run.recordedWarnings().map { (sentence: $0, cell: cell) }
    }
    return all.map(\.sentence).firstOccurrences.map { sentence in
      let names = all.filter { $0.sentence == sentence }.map(\.cell.name).firstOccurrences
      return "Warning: \(listed(names)): \(sentence)"
    }
  }

  /// The iterations of all stages.
  var iterations: Int { configuration.iterations.total }

  /// Progress steps: its iterations plus its test cases, which take about equally long each.
  package var steps: Int { iterations + setting.cases.test.count }
}
