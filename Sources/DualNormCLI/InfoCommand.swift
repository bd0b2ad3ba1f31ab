import ArgumentParser
import Basics
import DualNorm
import Foundation
import Torch

struct InfoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "info",
    abstract: "Describe the contents of a run folder, a checkpoint or a weights file.",
    discussion: """
      Example:
        dualnorm info RUN
      """)

  @Argument(
    help: ArgumentHelp(
      "A run folder, or a .pth or .safetensors file, such as one of RUN/checkpoints.", valueName: "run|file"),
    completion: .file())
  var path: String
  @Flag(help: "Also list every tensor of a file.") var tensors = false

  func run() throws {
    let url = URL(fileURLWithPath: path)
    try requireAccess(to: url)
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw Refusal(.input, path, "there is no such file or folder", remedy: "check the path")
    }
    guard isFolder.boolValue else { return try describe(file: url) }
    let runs = try ModelsOption.runs(in: url)
    for run in runs {
      if runs.count > 1 { print("\(printable(run.url.path)):") }
      try describe(run)
    }
  }

  private func describe(_ run: RunFolder) throws {
    print(printableLines(try run.readDescription().summary))
    if FileManager.default.fileExists(atPath: run.model.path) {
      print("weights:      \(count(try Safetensors.read(run.model).tensors))")
    } else {
      print("weights:      none yet; its training is not finished")
      if let progress = run.progress { print("checkpoint:   \(progress)") }
    }
  }

  private func describe(file url: URL) throws {
    let weights = try WeightFile(url)
    if let key = weights.key { print("taken from:   \(printable(key))") }
    if let progress = weights.progress {
      print("checkpoint:   \(progress); beside the weights it holds what the training goes on with")
    }
    if let network = try? NetworkPlan(inferredFrom: weights.state, maskKind: .soft, file: path) {
      print("network:      \(network.summary)")
    } else if let backbone = Architecture(ofWeightsWithoutPlan: weights.state) {
      print("network:      \(backbone.rawValue), whose options the weights do not tell")
    } else {
      print("network:      not a DualNorm-UNet")
    }
    print("weights:      \(count(weights.state))")
    guard tensors else { return }
    for (name, tensor) in weights.state { print("\(printable(name)) \(tensor.dtype.rawValue) \(tensor.shape)") }
  }

  private func count(_ state: StateDictionary) -> String {
    let numbers = state.reduce(0) { $0 + $1.tensor.shape.reduce(1, *) }
    return "\(state.count) tensors, \(numbers) numbers"
  }
}
