import Basics
import DualNorm
import Foundation
import Torch

extension ImportCommand {
  /// Makes a run folder for each fold of a model of nnU-Net; a single one is the output folder itself.
  func importFolds(of source: URL) throws {
    try refuseOptions()
    let output = URL(fileURLWithPath: output)
    try RunFolder(output).requireEmpty()
    let folder = try NNUNetFolder(source)
    // All are read before the first is written, so a damaged fold leaves nothing behind.
    let networks = try folder.folds.map { fold in
      let model = try folder.model(of: fold)
      let found = model.weights.reduce(0.0) { $0 + $1.tensor.shape.reduce(1.0) { $0 * Double($1) } }
      // A network takes memory for its plan, so the file must really hold one of this size.
      guard found >= model.description.network.leastWeightCount else {
        throw Refusal(
          .input, source.appendingPathComponent(fold).path,
          "holds \(Int(found)) numbers, far fewer than the network of plans.json has",
          remedy: "restore both files from the same training")
      }
      let network = try DualNormNetwork(model.description.network, seed: 0)
      try network.parameters.load(model.weights, file: source.appendingPathComponent(fold).path)
      return (fold: fold, description: model.description, network: network)
    }
    for (fold, description, network) in networks {
      let run = RunFolder(networks.count == 1 ? output : output.appendingPathComponent(fold))
      let lock = try run.create()
      defer { withExtendedLifetime(lock) {} }
      try Safetensors(tensors: network.parameters.stateDictionary).write(to: run.model)
      try run.write(description)
    }
    let axes = networks[0].description.mirrorAxes ?? []
    Messages.say(
      "Imported \(counted(networks.count, "fold")) of nnU-Net to \(self.output)."
        + (axes.isEmpty ? "" : " nnU-Net's own prediction also mirrors; predict --mirror does the same."))
    print(printableLines(networks[0].description.summary))
  }

  /// Refuses options whose values are in nnU-Net's plans.
  private func refuseOptions() throws {
    let given = [
      ("--classes", classes != nil), ("--labels", labels != nil), ("--modalities", modalities != 1),
      ("--orientation", orientation != nil), ("--mask", mask != .soft),
      ("--local-statistics", localStatistics != .predicted), ("--whitening", whitening != .volume),
      ("--size", preparation.size != nil), ("--spacing", preparation.spacing != nil),
      ("--window", preparation.window != nil), ("--resample-size", preparation.resampleSize != nil),
    ]
    guard let option = given.first(where: \.1)?.0 else { return }
    throw Refusal(
      .input, "\(option) is in the plans of \(file), a model of nnU-Net", remedy: "leave \(option) out")
  }
}
