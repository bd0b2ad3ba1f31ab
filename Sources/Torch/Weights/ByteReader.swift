import Foundation

/// A cursor over bytes that returns nil instead of reading past their end.
struct ByteReader {
  private let bytes: [UInt8]
  private(set) var position = 0

  init(_ data: Data) { bytes = [UInt8](data) }

  var remaining: Int { bytes.count - position }

  mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
    guard count >= 0, count <= remaining else { return nil }
    defer { position += count }
    return bytes[position..<position + count]
  }

  mutating func byte() -> UInt8? { integer(UInt8.self) }

  /// Reads a little-endian integer.
  mutating func integer<Integer: FixedWidthInteger>(_: Integer.Type) -> Integer? {
    take(Integer.bitWidth / 8).map { $0.reversed().reduce(0) { $0 << 8 | Integer(truncatingIfNeeded: $1) } }
  }

  /// Reads the bytes before the next line feed and skips it.
  mutating func line() -> ArraySlice<UInt8>? {
    guard let end = bytes[position...].firstIndex(of: 0x0A) else { return nil }
    defer { position = end + 1 }
    return bytes[position..<end]
  }
}
