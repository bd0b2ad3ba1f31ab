import Basics
import Scores

/// The tensors that a model's ONNX graph takes and gives, as folders for other programs describe them.
package struct GraphSignature {
  struct Tensor {
    let name: String
    /// Meanings of the channels, or of the values where the tensor has no channels.
    let meanings: [String]
    let hasChannels: Bool
  }

  let input: Tensor
  /// The final pass first.
  let outputs: [Tensor]
  /// The only size that the network takes; nil for any multiple of `multiples`.
  let size: Extent?
  let multiples: [Int]

  /// - Parameter givesMasks: whether the graph decides the class of each voxel; otherwise it gives probabilities.
  package init(_ model: ModelDescription, givesMasks: Bool = false) {
    let names = givesMasks ? ["mask", "first_mask"] : ["probabilities", "first_probabilities"]
    let classes = ["background"] + model.labels.names
    input = Tensor(name: "image", meanings: model.channelNames, hasChannels: true)
    outputs = names.prefix(model.network.dual == nil ? 1 : 2).map {
      Tensor(name: $0, meanings: classes, hasChannels: !givesMasks)
    }
    (size, multiples) = (model.network.size, model.network.levels.multiples)
  }
}

extension ModelDescription {
  /// Names of the network's input channels: for each modality the slice among its neighbours.
  fileprivate var channelNames: [String] {
    let reach = preparation.contextSlices / 2
    return modalities.flatMap { modality in
      (-reach...reach).map { $0 == 0 ? modality : "\(modality), slice \($0 > 0 ? "+" : "")\($0)" }
    }
  }
}
