import Basics
public import Foundation

extension TorchCheckpoint {
  /// Writes a `state_dict` as PyTorch does, the whole file or nothing. The same tensors give the same bytes.
  ///
  /// - Throws: `Refusal` for repeated names, or if the file cannot be written.
  public static func write(_ tensors: [(name: String, tensor: StoredTensor)], to url: URL) throws {
    var names: Set<String> = []
    for (name, _) in tensors where !names.insert(name).inserted {
      throw Refusal(
        .weights, url.path, "the tensor name '\(name.printable)' is given twice", remedy: "rename the tensor")
    }
    var zip = ZipWriter()
    zip.add("archive/data.pkl", StatePickler.pickle(of: tensors))
    zip.add("archive/byteorder", Data("little".utf8))
    for (index, entry) in tensors.enumerated() { zip.add("archive/data/\(index)", entry.tensor.data) }
    zip.add("archive/version", Data("3\n".utf8))
    try writeAtomically(zip.finished(), to: url)
  }
}
