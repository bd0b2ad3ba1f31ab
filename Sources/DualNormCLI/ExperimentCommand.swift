import ArgumentParser
import DualNorm
import Experiments
import Foundation
import Scores

struct ExperimentCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "experiment",
    abstract: "Compare methods over folds, held-out sites or pairs of sites, with several seeds.",
    discussion: """
      Example: dualnorm experiment leave-one-site-out --data DATA --methods bn,in,dual --seeds 3 --output DIR

      A method is NORM[+dual][+measured][+hard][+reference or +uniform]; dual alone is the paper's, bn+dual. Each network \
      is a run folder DIR/cells/METHOD/SETTING/seed-N. The same command resumes where it stopped; more methods or seeds \
      are added. docs/experiments.md has the details.
      """,
    subcommands: [
      CrossValidateCommand.self, LeaveOneSiteOutCommand.self, MatrixCommand.self, ExperimentTableCommand.self,
      RunCellCommand.self,
    ])
}

struct CrossValidateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cross-validate", abstract: "Test every patient once: folds by patient within each site.",
    discussion: "Example: dualnorm experiment cross-validate --data DATA --methods bn,dual --folds 5 --output DIR")

  @OptionGroup var options: ExperimentOptions
  @Option(help: "Number of folds, unless --splits gives them. (default: 5)") var folds: Int?

  func run() throws {
    try options.run(.crossValidate) { experiment in
      experiment.folds = folds ?? (experiment.training.splits == nil ? 5 : nil)
    }
  }
}

struct LeaveOneSiteOutCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "leave-one-site-out", abstract: "Test each site with networks trained on all other sites.",
    discussion: "Example: dualnorm experiment leave-one-site-out --data DATA --methods bn,in,dual --output DIR")

  @OptionGroup var options: ExperimentOptions

  func run() throws { try options.run(.leaveOneSiteOut) { _ in } }
}

struct MatrixCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "matrix", abstract: "Train on each site alone and on all together, and test on every site.",
    discussion: """
      Example: dualnorm experiment matrix --data DATA --methods bn,dual --hold-out 0.2 --output DIR

      Every training set is tested on the same cases, which train none of the networks: the share --hold-out of each \
      site's patients (0.2 by default), or with --folds every case in turn.
      """)

  @OptionGroup var options: ExperimentOptions
  @Option(help: "Test every case, in this number of folds, instead of holding some out.") var folds: Int?

  func run() throws {
    try options.run(.matrix) { experiment in
      experiment.folds = folds
      if folds == nil, options.training.holdOut == nil, experiment.training.holdOut == 0 {
        experiment.training.holdOut = 0.2
      }
    }
  }
}

struct ExperimentTableCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "table", abstract: "Write results.csv and summary.md for the finished cells, and print the table.",
    discussion: "Example: dualnorm experiment table DIR --metric hd95_mm --output hd95.md")

  @Argument(help: ArgumentHelp("The folder of an experiment.", valueName: "dir"), completion: .directory)
  var folder: String
  @Option(help: "The method to compare the others with. (default: the first)") var baseline: String?
  @Option(help: "Metric of the printed table, such as assd_mm, hd95_mm or nsd_2mm.") var metric = Metric.dice.rawValue
  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("Also write the printed table here: .md, .txt, or .json.", valueName: "file"),
    completion: .file())
  var output: String?

  func run() throws {
    let experiment = try Experiment(contentsOf: URL(fileURLWithPath: folder))
    try ExperimentReport(
      experiment, baseline: baseline, metric: metric, file: output.map { URL(fileURLWithPath: $0) }
    ).publish()
  }
}
