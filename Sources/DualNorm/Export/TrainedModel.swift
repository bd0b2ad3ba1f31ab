import Basics
import Foundation
package import Torch

/// A trained network with all that segmentation needs, and nothing that only training does.
package struct TrainedModel {
  package let description: ModelDescription
  package let weights: StateDictionary
  let network: DualNormNetwork
}

extension RunFolder {
  /// Reads the model of a run, or the best weights so far of an unfinished one. Outputs for deep supervision are left out.
  ///
  /// - Throws: `Refusal` naming the file that is missing or does not fit.
  package func trainedModel() throws -> TrainedModel {
    var (file, description) = try weights(of: readDescription())
    let state = try Safetensors.read(file).tensors
    try description.network.requireWeights(state, in: file.path, planOf: self.description.path)
    func names(_ network: DualNormNetwork) -> Set<String> { Set(network.parameters.entries.map(\.name)) }
    let whole = names(try DualNormNetwork(description.network, seed: 0))
    description.network.deepSupervision = false
    let network = try DualNormNetwork(description.network, seed: 0)
    let unneeded = whole.subtracting(names(network))
    let kept = state.filter { !unneeded.contains($0.name) }
    try network.parameters.load(kept, file: file.path)
    return TrainedModel(description: description, weights: kept, network: network)
  }
}

extension TrainedModel {
  /// Writes a run folder of the model alone.
  package func write(to output: RunFolder) throws {
    let lock = try output.create()
    defer { withExtendedLifetime(lock) {} }
    try output.write(description)
    try Safetensors(tensors: weights).write(to: output.model)
  }
}
