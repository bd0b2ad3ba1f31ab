import Foundation

/// The JSON at the start of a safetensors file: each tensor's place, and free text.
struct SafetensorsHeader {
  struct Entry {
    let name: String
    let dtype: StoredType
    let shape: [Int]
    /// The place in bytes from the header's end.
    let begin: Int
    let end: Int
  }

  /// Entries by place in the file.
  private(set) var entries: [Entry] = []
  private(set) var metadata: [String: String] = [:]

  /// - Parameter dataBytes: the size of the data after the header. Entries must cover it without overlaps or holes.
  init(_ json: Data, dataBytes: Int, of file: InputFile) throws {
    guard json.first == UInt8(ascii: "{") else {
      throw file.refusal(
        "its header does not begin with '{', so it is no safetensors file", remedy: "give another file")
    }
    do {
      try parse(json, of: file)
    } catch let error as HeaderScanner.SyntaxError {
      throw file.refusal(
        "its header is no valid safetensors JSON (at byte \(error.position), \(error.expected) was expected)",
        detail: "the file is damaged")
    }
    try sortAndCheck(dataBytes: dataBytes, of: file)
  }

  private mutating func parse(_ json: Data, of file: InputFile) throws {
    var scanner = HeaderScanner([UInt8](json))
    var names: Set<String> = []
    try scanner.expect("{")
    while let name = try scanner.key(isFirst: names.isEmpty) {
      guard names.insert(name).inserted else {
        throw file.refusal("its header lists '\(name.printable)' twice", detail: "the file is damaged")
      }
      if name == "__metadata__" {
        metadata = try Self.metadata(from: &scanner, of: file)
      } else {
        entries.append(try Self.entry(name, from: &scanner, of: file))
      }
    }
    try scanner.expectEnd()
  }

  private static func metadata(from scanner: inout HeaderScanner, of file: InputFile) throws -> [String: String] {
    var metadata: [String: String] = [:]
    try scanner.expect("{")
    while let key = try scanner.key(isFirst: metadata.isEmpty) {
      guard metadata.updateValue(try scanner.string(), forKey: key) == nil else {
        throw file.refusal("its __metadata__ lists '\(key.printable)' twice", detail: "the file is damaged")
      }
    }
    return metadata
  }

  private static func entry(_ name: String, from scanner: inout HeaderScanner, of file: InputFile) throws -> Entry {
    var type: String?
    var shape: [Int]?
    var offsets: [Int]?
    var fields = 0
    try scanner.expect("{")
    while let key = try scanner.key(isFirst: fields == 0) {
      fields += 1
      switch key {
      case "dtype" where type == nil: type = try scanner.string()
      case "shape" where shape == nil: shape = try scanner.wholeNumbers()
      case "data_offsets" where offsets == nil: offsets = try scanner.wholeNumbers()
      default: throw scanner.expected("each of dtype, shape and data_offsets once")
      }
    }
    guard let type, let shape, let offsets, offsets.count == 2 else {
      throw scanner.expected("a dtype, a shape and two data_offsets")
    }
    guard let dtype = StoredType(rawValue: type) else {
      throw file.refusal(
        "the tensor '\(name.printable)' has the type '\(type.printable)', which is none of "
          + StoredType.allCases.map(\.rawValue).joined(separator: ", "), remedy: "convert it to one of them")
    }
    return Entry(name: name, dtype: dtype, shape: shape, begin: offsets[0], end: offsets[1])
  }

  private mutating func sortAndCheck(dataBytes: Int, of file: InputFile) throws {
    // Tensors without elements share a place and keep the header's order.
    entries = entries.enumerated().sorted {
      ($0.element.begin, $0.element.end, $0.offset) < ($1.element.begin, $1.element.end, $1.offset)
    }.map(\.element)
    var position = 0
    for entry in entries {
      guard entry.begin == position, entry.end >= entry.begin else {
        throw file.refusal(
          "the tensor '\(entry.name.printable)' lies at bytes \(entry.begin) to \(entry.end) of the data, where "
            + "\(position) was expected as its begin (no overlaps, no holes)", detail: "the file is damaged")
      }
      guard entry.dtype.byteCount(of: entry.shape) == entry.end - entry.begin else {
        throw file.refusal(
          "the tensor '\(entry.name.printable)' of type \(entry.dtype.rawValue) and shape \(entry.shape.printable) "
            + "does not take the \(entry.end - entry.begin) bytes that it is given", detail: "the file is damaged")
      }
      position = entry.end
    }
    guard position == dataBytes else {
      throw file.refusal(
        "its header describes \(position) bytes of data, but \(dataBytes) follow",
        detail: "the file is cut short or damaged")
    }
  }
}

extension [Int] {
  /// Text that fits a sentence, with at most eight numbers.
  var printable: String { "[" + prefix(8).map(String.init).joined(separator: ", ") + (count > 8 ? ", …]" : "]") }
}
