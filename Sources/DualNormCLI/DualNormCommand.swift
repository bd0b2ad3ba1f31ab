import ArgumentParser
import DualNorm

@main
struct DualNormCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dualnorm",
    abstract: "Robust segmentation of medical images from many hospitals.",
    subcommands: [PhantomCommand.self, ScoreCommand.self])
}
