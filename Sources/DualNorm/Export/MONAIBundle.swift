import Basics
package import Foundation
import Scores
package import Torch

/// A bundle of MONAI: the graph, the weights, and metadata that `monai.bundle verify_metadata` accepts.
package struct MONAIBundle {
  private let model: ModelDescription
  private let signature: GraphSignature

  package init(_ model: ModelDescription, _ signature: GraphSignature) {
    (self.model, self.signature) = (model, signature)
  }

  /// Writes `configs/metadata.json`, `models/model.onnx` and `models/model.pt`.
  ///
  /// - Throws: `Refusal` if the folder is not empty or MONAI would not take a name as text.
  package func write(to folder: URL, graph: Data, weights: StateDictionary) throws {
    try requirePlainNames()
    try writeExportFolder(folder) { folder in
      let metadata = try prettyJSON(BundleMetadata(model, signature))
      try writeAtomically(metadata, to: folder.appendingPathComponent("configs/metadata.json"))
      try writeAtomically(graph, to: folder.appendingPathComponent("models/model.onnx"))
      try TorchCheckpoint.write(weights, to: folder.appendingPathComponent("models/model.pt"))
    }
  }

  /// MONAI takes texts with these beginnings as code, as names of files and as references.
  private func requirePlainNames() throws {
    let names = model.labels.names + model.modalities + model.sites
    guard let name = names.first(where: { $0.first.map("$%@".contains) ?? false }) else { return }
    throw Refusal(
      .input, "The name \"\(quoted(name))\" begins with a sign that MONAI does not take as text",
      remedy: "rename it in model.json")
  }
}
