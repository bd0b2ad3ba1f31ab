import Basics
import Foundation

/// The text lines at the beginning of MetaImage and NRRD files, untrusted until validated.
struct TextHeader {
  /// Values by key, in lower case without spaces; of a repeated key the last value.
  private(set) var fields: [String: String] = [:]
  /// Bytes of the header with the line that ends it.
  private(set) var length = 0
  let url: URL

  /// The most bytes of a header. Slicer's segmentations, with a key for each segment, have some ten thousand.
  private static let longest = 1 << 20

  /// A parsed line.
  enum Line {
    case field(key: String, value: String)
    /// A comment, or a user's own key.
    case other
    case end
    /// The last line, with its own key.
    case last(key: String, value: String)
    /// A line outside the format.
    case foreign
  }

  /// Reads lines until one, or the file, ends the header.
  ///
  /// - Parameter judge: parses a line without its line break.
  /// - Throws: `Refusal` for a foreign line, or a header that is too long.
  init(_ url: URL, _ judge: (String) -> Line) throws {
    self.url = url
    let file = try FileHandle(forReadingFrom: url)
    defer { try? file.close() }
    let bytes = [UInt8](try file.read(upToCount: Self.longest) ?? Data())
    var start = 0
    while start < bytes.count {
      let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
      guard end < Self.longest else {
        throw Refusal(
          .image, url.path, "its header has no end in its first \(Self.longest) bytes", detail: "it is damaged",
          remedy: "copy it again from its source")
      }
      var line = bytes[start..<end]
      if line.last == UInt8(ascii: "\r") { line.removeLast() }
      start = min(end + 1, bytes.count)
      length = start
      switch judge(String(decoding: line, as: UTF8.self)) {
      case .field(let key, let value): fields[Self.plain(key)] = value
      case .last(let key, let value):
        fields[Self.plain(key)] = value
        return
      case .end: return
      case .other: continue
      case .foreign: throw Self.foreign(url)
      }
    }
  }

  static func foreign(_ url: URL) -> Refusal {
    Refusal(
      .image, url.path, "its header cannot be read (its header is not that of its format)",
      remedy: "export it again as NIfTI")
  }

  private static func plain(_ key: String) -> String { key.lowercased().filter { $0 != " " } }

  /// The error for a field with an unexpected value.
  func fault(_ key: String, _ expected: String) -> Refusal {
    let value = fields[key] ?? ""
    let found = value.isEmpty ? "is missing" : "is \(printable(String(value.prefix(60))))"
    return Refusal(
      .image, url.path, "its header's \(key) \(found)", detail: "expected \(expected)", remedy: "correct the header")
  }

  /// The whole numbers of a field; nil if there are more than `count`.
  func integers(_ key: String, atMost count: Int = 16) -> [Int]? {
    words(key, atMost: count).flatMap { words in words.isEmpty ? nil : all(words.map { Int($0) }) }
  }

  func numbers(_ key: String, atMost count: Int = 256) -> [Double]? {
    words(key, atMost: count).flatMap { words in words.isEmpty ? nil : all(words.map { Double($0) }) }
  }

  /// The words of a field; nil if there are more than `count`, or no such field.
  private func words(_ key: String, atMost count: Int) -> [Substring]? {
    let found = fields[key]?.split(maxSplits: count, whereSeparator: \.isWhitespace)
    return found.flatMap { $0.count > count ? nil : $0 }
  }
}

/// All values; nil if one is missing.
func all<Value>(_ values: [Value?]) -> [Value]? {
  let there = values.compactMap { $0 }
  return there.count == values.count ? there : nil
}
