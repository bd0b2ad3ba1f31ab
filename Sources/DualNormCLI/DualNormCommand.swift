import ArgumentParser
import DualNorm

@main
struct DualNormCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dualnorm",
    abstract: "Robust segmentation of medical images from many hospitals.",
    discussion: "Start with: dualnorm demo. Every verb explains itself: dualnorm train --help.",
    version: programVersion,
    subcommands: [
      DemoCommand.self, PrepareCommand.self, CheckCommand.self, TrainCommand.self, EvaluateCommand.self,
      PredictCommand.self, ScoreCommand.self, ExperimentCommand.self, ReportCommand.self, ImportCommand.self,
      InfoCommand.self, PhantomCommand.self,
      BenchmarkCommand.self,
    ])
}
