import Basics
public import Foundation

/// A file of named tensors in the safetensors format (https://huggingface.co/docs/safetensors).
///
/// It holds the header's length in eight bytes, a JSON header and the numbers.
public struct Safetensors: Sendable {
  /// Tensors in the file's order.
  public let tensors: [(name: String, tensor: StoredTensor)]
  /// Free text under `__metadata__`.
  public let metadata: [String: String]

  /// The reference implementation's limit in bytes.
  private static let maximumHeader = 100_000_000

  public init(tensors: [(name: String, tensor: StoredTensor)], metadata: [String: String] = [:]) {
    self.tensors = tensors
    self.metadata = metadata
  }

  /// Returns the tensor of a name.
  public subscript(name: String) -> StoredTensor? { tensors.first { $0.name == name }?.tensor }

  /// Reads and checks a file as the reference implementation does. Takes memory for the header and the tensors.
  ///
  /// - Throws: `Refusal` for a file that is damaged, of another kind or of a type not in `StoredType`.
  public static func read(_ url: URL) throws -> Safetensors {
    let file = try InputFile(url)
    guard file.size >= 8 else {
      throw file.refusal(
        "is \(file.size) bytes long, too short for a safetensors file", remedy: "give another file")
    }
    let length = try file.bytes(at: 0, count: 8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard length <= maximumHeader else {
      throw file.refusal(
        "claims a header of \(length) bytes, where \(maximumHeader) are the most",
        detail: "it is damaged or no safetensors file")
    }
    let dataStart = 8 + Int(length)
    guard dataStart <= file.size else {
      throw file.refusal(
        "claims a header of \(length) bytes, but \(file.size - 8) follow",
        detail: "it is cut short or no safetensors file")
    }
    let json = try file.bytes(at: 8, count: Int(length))
    let header = try SafetensorsHeader(json, dataBytes: file.size - dataStart, of: file)
    let tensors = try header.entries.map { entry in
      let data = try file.bytes(at: dataStart + entry.begin, count: entry.end - entry.begin)
      return (entry.name, StoredTensor(dtype: entry.dtype, shape: entry.shape, data: data))
    }
    return Safetensors(tensors: tensors, metadata: header.metadata)
  }

  /// Writes the file as a whole or not at all: metadata by key, then the tensors in order.
  ///
  /// - Throws: `Refusal` for repeated or reserved names, or if the file cannot be written.
  public func write(to url: URL) throws {
    let header = try header(for: url)
    let start = Data(littleEndian: UInt64(header.utf8.count)) + Data(header.utf8)
    try writeAtomically([start] + tensors.map(\.tensor.data), to: url)
  }

  private func header(for url: URL) throws -> String {
    var members: [String] = []
    if !metadata.isEmpty {
      let pairs = metadata.sorted { $0.key < $1.key }.map { "\($0.key.json):\($0.value.json)" }
      members.append("\"__metadata__\":{\(pairs.joined(separator: ","))}")
    }
    var names: Set<String> = ["__metadata__"]
    var position = 0
    for (name, tensor) in tensors {
      guard names.insert(name).inserted else {
        let why = name == "__metadata__" ? "is reserved by the format" : "is given twice"
        throw Refusal(.weights, url.path, "the tensor name '\(name.printable)' \(why)", remedy: "rename the tensor")
      }
      let shape = tensor.shape.map(String.init).joined(separator: ",")
      let end = position + tensor.data.count
      members.append(
        "\(name.json):{\"dtype\":\"\(tensor.dtype.rawValue)\",\"shape\":[\(shape)],\"data_offsets\":[\(position),\(end)]}"
      )
      position = end
    }
    let header = "{\(members.joined(separator: ","))}"
    // The data starts at a multiple of eight bytes.
    return header + String(repeating: " ", count: (8 - header.utf8.count % 8) % 8)
  }
}

extension String {
  /// A JSON string, with its quotes.
  fileprivate var json: String {
    let escaped = unicodeScalars.map { scalar in
      switch scalar {
      case "\"": "\\\""
      case "\\": "\\\\"
      case "\u{0}"..<" ": "\\u" + String(format: "%04x", scalar.value)
      default: String(scalar)
      }
    }
    return "\"\(escaped.joined())\""
  }
}
