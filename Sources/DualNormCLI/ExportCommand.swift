import ArgumentParser
import DualNorm
import Foundation

struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Write a model for use elsewhere: everything that inference needs, without files of its training.",
    discussion: """
      Example:
        dualnorm export --model RUN --output MODEL

      Writes MODEL/model.safetensors and MODEL/model.json, which predict and evaluate take as a run. Outputs for deep \
      supervision are left out, so that the reference network in PyTorch loads the weights with \
      load_state_dict(strict=True). An unfinished training exports its best weights so far.
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable { case weights }

  @Option(
    name: .shortAndLong, help: ArgumentHelp("The run folder of the model.", valueName: "run"), completion: .directory)
  var model: String
  @Option(name: .shortAndLong, help: ArgumentHelp("A new folder.", valueName: "dir"), completion: .directory)
  var output: String
  @Option(help: "What to write: weights (safetensors, with model.json).") var format = Format.weights
  @OptionGroup(title: "Messages") var messages: MessageOptions

  func run() throws {
    Messages.begin(messages)
    let bytes = try RunFolder(URL(fileURLWithPath: model)).exportWeights(to: RunFolder(URL(fileURLWithPath: output)))
    Messages.say("Wrote \(output) (\(String(format: "%.1f", Double(bytes) / 1e6)) MB of weights).")
  }
}
