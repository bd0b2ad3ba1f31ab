import Basics
package import Foundation
package import Torch

/// Weights from a run folder, a `.pth` file or a safetensors file. The content decides which.
package struct WeightFile {
  package let state: StateDictionary
  /// The file that they were read from.
  let file: String
  /// Their key in a PyTorch file, if they were not at the top level.
  package let key: String?
  /// The progress of the training, if this is a run's checkpoint.
  package let progress: String?

  /// - Throws: `Refusal` naming the unusable file.
  package init(_ url: URL) throws {
    try requireAccess(to: url)
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) else {
      throw Refusal(
        .input, url.path, "there is no such file or folder", remedy: "give a run folder or a file of weights")
    }
    let source = isFolder.boolValue ? RunFolder(url).model : url
    file = source.path
    guard FileManager.default.fileExists(atPath: source.path) else {
      throw Refusal(.input, url.path, "has no model.safetensors", remedy: "give the folder of a finished run")
    }
    let isZip = (try? FileHandle(forReadingFrom: source).read(upToCount: 2)) == Data("PK".utf8)
    if !isZip, source.pathExtension == "safetensors" {
      let file = try Safetensors.read(source)
      // A run's own checkpoint has weights, moments and averages.
      let own = file.tensors.filter { $0.name.hasPrefix(Checkpoint.modelPrefix) }
      let isCheckpoint = file.metadata["state"] != nil && !own.isEmpty
      state =
        isCheckpoint ? own.map { (String($0.name.dropFirst(Checkpoint.modelPrefix.count)), $0.tensor) } : file.tensors
      key = nil
      progress = isCheckpoint ? try Checkpoint(contentsOf: source).state.progress : nil
    } else {
      let checkpoint = try TorchCheckpoint.read(source)
      (state, key, progress) = (checkpoint.tensors, checkpoint.key, nil)
    }
  }
}
