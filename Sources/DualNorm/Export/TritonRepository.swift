import Basics
package import Foundation

/// A model in a repository of NVIDIA's Triton Inference Server, which runs the ONNX graph by ONNX Runtime.
package struct TritonRepository {
  private static let labelFile = "labels.txt"

  private let signature: GraphSignature

  package init(_ signature: GraphSignature) { self.signature = signature }

  /// Writes `NAME/config.pbtxt`, `NAME/labels.txt` and `NAME/1/model.onnx`. Other models of the repository stay.
  ///
  /// - Throws: `Refusal` for a name that no folder can have, or a model that is there already.
  package func write(to repository: URL, named name: String, graph: Data) throws {
    guard isSafeFileName(name) else {
      throw Refusal(.input, "\"\(quoted(name))\" cannot name a model", remedy: "choose a name that a folder can have")
    }
    try writeExportFolder(repository.appendingPathComponent(name)) { folder in
      try writeAtomically(Data(configuration(named: name).utf8), to: folder.appendingPathComponent("config.pbtxt"))
      // A line is a label.
      let labels = signature.outputs[0].meanings.map { printable($0) + "\n" }.joined()
      try writeAtomically(Data(labels.utf8), to: folder.appendingPathComponent(Self.labelFile))
      try writeAtomically(graph, to: folder.appendingPathComponent("1/model.onnx"))
    }
  }

  /// The configuration in the text format of protocol buffers.
  func configuration(named name: String) -> String {
    """
    name: \(name.textFormat)
    platform: "onnxruntime_onnx"
    max_batch_size: \(signature.multiples.count == 2 ? 16 : 2)
    dynamic_batching { }
    input {
    \(fields(of: signature.input, "TYPE_FP32"))
    }

    """ + signature.outputs.map(output).joined()
  }

  private func output(_ tensor: GraphSignature.Tensor) -> String {
    """
    output {
    \(fields(of: tensor, tensor.hasChannels ? "TYPE_FP32" : "TYPE_UINT8"))
      label_filename: "\(Self.labelFile)"
    }

    """
  }

  /// The fields that inputs and outputs share. The batch is no dimension there, and −1 is any size.
  private func fields(of tensor: GraphSignature.Tensor, _ type: String) -> String {
    let sizes = signature.size?.sizes ?? signature.multiples.map { _ in -1 }
    let dimensions = (tensor.hasChannels ? [tensor.meanings.count] : []) + sizes
    return """
        name: "\(tensor.name)"
        data_type: \(type)
        dims: [\(dimensions.map(String.init).joined(separator: ", "))]
      """
  }
}

extension String {
  /// A string of the text format. Bytes beyond ASCII are octal, as its printers write them.
  fileprivate var textFormat: String {
    let escaped = utf8.map { byte in
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): "\\" + String(UnicodeScalar(byte))
      case 0x20..<0x7F: String(UnicodeScalar(byte))
      default: "\\" + String(Int(byte) + 0o1000, radix: 8).dropFirst()
      }
    }
    return "\"\(escaped.joined())\""
  }
}
