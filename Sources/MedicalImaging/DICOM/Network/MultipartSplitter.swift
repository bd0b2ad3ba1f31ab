import Foundation

/// Splits a multipart answer into its parts while it comes (RFC 2046, 5.1).
struct MultipartSplitter {
  enum Event {
    /// A part begins; its headers are read.
    case part
    case bytes(UnsafeRawBufferPointer)
    case endOfPart
  }

  /// A fault of the answer.
  enum Fault: Error { case damaged }

  private enum Place {
    case preamble
    /// Behind a boundary, on its line.
    case boundary
    case headers
    case body
    case end
  }

  private let delimiter: [UInt8]
  private var place = Place.preamble
  /// The delimiter's bytes that the last ones equal. The answer's start counts as a line's.
  private var matched = 2
  /// The line so far, of a boundary or of headers.
  private var line: [UInt8] = []
  private var headerBytes = 0
  private var preambleBytes = 0
  private static let (mostOfLine, mostOfHeaders, mostOfPreamble) = (1 << 12, 1 << 14, 1 << 12)

  /// Tells whether the last boundary has come.
  var isComplete: Bool { place == .end }

  init(boundary: String) { delimiter = Array("\r\n--\(boundary)".utf8) }

  /// Takes the next bytes of the answer. What follows the last boundary is ignored.
  ///
  /// - Throws: `Fault`, or an error of the handler.
  mutating func take(_ bytes: UnsafeRawBufferPointer, _ handle: (Event) throws -> Void) throws {
    var rest = bytes[...]
    while !rest.isEmpty {
      switch place {
      case .preamble, .body: rest = try search(rest, handle)
      case .boundary: if let whole = try takeLine(&rest) { try endBoundary(whole, handle) }
      case .headers: if let whole = try takeLine(&rest) { try endHeader(whole, handle) }
      case .end: return
      }
    }
  }

  /// Looks for the delimiter, and hands on what comes before it. Returns the bytes behind it.
  private mutating func search(
    _ bytes: Slice<UnsafeRawBufferPointer>, _ handle: (Event) throws -> Void
  ) throws -> Slice<UnsafeRawBufferPointer> {
    // These bytes of the delimiter have come with earlier pieces.
    var carried = matched
    var (begin, position, start) = (bytes.startIndex, bytes.startIndex, bytes.startIndex)
    while position < bytes.endIndex {
      if matched == 0 {
        // No other byte of the delimiter is a carriage return.
        guard let found = bytes[position...].firstIndex(of: UInt8(ascii: "\r")) else { break }
        (start, position, matched) = (found, found + 1, 1)
      } else if bytes[position] == delimiter[matched] {
        (position, matched) = (position + 1, matched + 1)
        guard matched == delimiter.count else { continue }
        try hand(on: bytes[begin..<start], handle)
        if place == .body { try handle(.endOfPart) }
        (place, matched) = (.boundary, 0)
        return bytes[position...]
      } else {
        if carried > 0 {
          try delimiter[..<carried].withUnsafeBytes { try hand(on: $0[...], handle) }
          (carried, begin) = (0, bytes.startIndex)
        }
        matched = 0
      }
    }
    try hand(on: bytes[begin..<(matched > 0 ? start : bytes.endIndex)], handle)
    return bytes[bytes.endIndex...]
  }

  private mutating func hand(on bytes: Slice<UnsafeRawBufferPointer>, _ handle: (Event) throws -> Void) throws {
    guard !bytes.isEmpty else { return }
    if place == .body { return try handle(.bytes(UnsafeRawBufferPointer(rebasing: bytes))) }
    preambleBytes += bytes.count
    guard preambleBytes <= Self.mostOfPreamble else { throw Fault.damaged }
  }

  /// Takes bytes up to a line's end, and removes them. Returns the line without its end; nil where that is to come.
  private mutating func takeLine(_ bytes: inout Slice<UnsafeRawBufferPointer>) throws -> [UInt8]? {
    let end = bytes.firstIndex(of: UInt8(ascii: "\n"))
    let taken = bytes[..<(end ?? bytes.endIndex)]
    guard line.count + taken.count <= Self.mostOfLine else { throw Fault.damaged }
    line += taken
    // The last boundary needs no line end.
    if place == .boundary, line.starts(with: "--".utf8) {
      bytes = bytes[bytes.endIndex...]
      return line
    }
    bytes = bytes[(end.map { $0 + 1 } ?? bytes.endIndex)...]
    guard end != nil else { return nil }
    guard line.popLast() == UInt8(ascii: "\r") else { throw Fault.damaged }
    defer { line = [] }
    return line
  }

  private mutating func endBoundary(_ line: [UInt8], _ handle: (Event) throws -> Void) throws {
    if line.starts(with: "--".utf8) {
      place = .end
      return
    }
    guard line.allSatisfy({ " \t".utf8.contains($0) }) else { throw Fault.damaged }
    (place, headerBytes) = (.headers, 0)
  }

  private mutating func endHeader(_ line: [UInt8], _ handle: (Event) throws -> Void) throws {
    guard !line.isEmpty else {
      place = .body
      return try handle(.part)
    }
    headerBytes += line.count
    guard headerBytes <= Self.mostOfHeaders else { throw Fault.damaged }
    let text = String(decoding: line, as: UTF8.self).lowercased()
    guard text.hasPrefix("content-type:") else { return }
    guard MediaType(String(text.dropFirst("content-type:".count))).name == "application/dicom" else {
      throw Fault.damaged
    }
  }
}

/// A media type and its parameters, as headers hold them (RFC 9110, 8.3).
struct MediaType {
  /// In small letters, such as `multipart/related`.
  let name: String
  private var parameters: [String: String] = [:]

  init(_ text: String) {
    var parts: [String] = [""]
    var isQuoted = false
    for character in text {
      if character == "\"" { isQuoted.toggle() }
      if character == ";", !isQuoted { parts.append("") } else { parts[parts.count - 1].append(character) }
    }
    name = parts[0].trimmingCharacters(in: .whitespaces).lowercased()
    for part in parts.dropFirst() {
      let pair = part.split(separator: "=", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
      guard pair.count == 2 else { continue }
      parameters[pair[0].lowercased()] = pair[1].trimmingCharacters(in: ["\""])
    }
  }

  /// The boundary of a multipart answer; nil unless there is a valid one.
  var boundary: String? {
    parameters["boundary"].flatMap { text in
      (1...200).contains(text.utf8.count) && text.utf8.allSatisfy { 32...126 ~= $0 } ? text : nil
    }
  }

  var isJSON: Bool { ["application/dicom+json", "application/json"].contains(name) }
  var isPage: Bool { ["text/html", "application/xhtml+xml"].contains(name) }
}
