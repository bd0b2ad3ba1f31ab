import Basics
import Foundation
package import ONNX
import Scores
import Torch

/// The outputs of an exported graph.
package enum ExportedOutput: String, Sendable, CaseIterable {
  /// Class probabilities, [N, classes, …].
  case probabilities
  /// The most probable class, uint8 [N, …].
  case mask
}

extension TrainedModel {
  /// Makes an ONNX graph of all passes. Its input `image` is what the network sees in a window.
  ///
  /// The last pass is the output `probabilities` or `mask`. A network with two passes also gives `first_probabilities` or
  /// `first_mask`.
  ///
  /// - Parameter site: the branch of domain-specific batch norm. For nil the graph averages the branches.
  /// - Throws: `Refusal` for a network whose mask comes from the true labels.
  package func onnx(_ output: ExportedOutput, site: String? = nil) throws -> ONNXModel {
    guard description.network.dual?.maskSource != .reference else {
      throw Refusal(
        .input, "The network takes the true labels as its mask, and a graph has none",
        remedy: "export a network that was trained with \(Setting.maskSource) prediction")
    }
    let branch = description.branch(ofSite: site)
    let (one, other) = (recorded(isLarger: false, branch), recorded(isLarger: true, branch))
    let names = GraphSignature(description, givesMasks: output == .mask).outputs.map(\.name)
    let passes = description.passes.reversed()
    let outputs = zip(names, passes).map { name, pass in
      ONNXModel.Output(name, (one[pass]!, other[pass]!), isMask: output == .mask)
    }
    return ONNXModel(
      outputs, axes: ["n", "c"] + ["d", "h", "w"].suffix(description.network.levels.dimensions),
      version: programVersion, description: instructions(output), metadata: try metadata(output, site: site))
  }

  /// Records the class probabilities of each pass for one size of the input. They come from the readable form of each
  /// layer, since fused operations are not recorded.
  private func recorded(isLarger: Bool, _ branch: Int?) -> [Pass: GraphNode] {
    network.fusesOperations = false
    let images = Tensor(repeating: 0, shape: [isLarger ? 3 : 2, description.network.inputChannels] + size(isLarger))
    return withoutGradients {
      network.parameters.recorded {
        let images = images.recorded(as: "image")
        let found =
          branch == nil && network.plan.sites > 1
          ? BranchEnsemble(network: network).probabilities(of: images, labels: nil)
          : TrainedNetwork(network: network, site: branch).probabilities(of: images)
        return found.mapValues { probabilities in
          guard let node = probabilities.node else {
            preconditionFailure("a pass ends in an operation that leaves no node")
          }
          return node
        }
      }
    }
  }

  /// A size of images for a recording: the only one that the network takes, or one that differs along each axis.
  private func size(_ isLarger: Bool) -> [Int] {
    if let size = description.network.size { return size.sizes }
    return description.network.levels.multiples.map { multiple in
      let whole = multiple * (isLarger ? 3 : 2)
      // Where slices are not padded to multiples, decoders pad. An odd size at every level records that.
      return description.preparation.padsSlices ? whole : whole + multiple - 1
    }
  }

  /// The file's description of itself: all of `model.json`, and the same in words.
  private func metadata(_ output: ExportedOutput, site: String?) throws -> KeyValuePairs<String, String> {
    var digest = SHA256()
    for (_, tensor) in weights { digest.add(tensor.data) }
    let labels = (0..<description.labels.classCount).map { index in
      LabelEntry(
        value: Int(description.labels.fileValue(ofClass: index)),
        name: index == 0 ? "background" : description.labels.names[index - 1])
    }
    return [
      "dualnorm.version": programVersion,
      "dualnorm.model": String(decoding: try prettyJSON(description), as: UTF8.self),
      "dualnorm.instructions": instructions(output),
      "dualnorm.labels": String(decoding: try prettyJSON(labels), as: UTF8.self),
      "dualnorm.multiples": "\(description.network.levels.multiples)",
      "dualnorm.largest_component": "\(description.largestComponentClasses(.asInModel).sorted())",
      "dualnorm.site": site ?? "",
      "dualnorm.weights.sha256": digest.finished.map { String(format: "%02x", $0) }.joined(),
    ]
  }

  /// The value in masks and the name of a class.
  private struct LabelEntry: Encodable {
    let value: Int
    let name: String
  }
}
