import Foundation
import TestSupport

/// A builder of DICOM files, byte by byte in one of the plain encodings, valid or not.
struct DICOMBuilder {
  enum Encoding: String, Codable, CaseIterable {
    case explicit = "1.2.840.10008.1.2.1"
    case implicit = "1.2.840.10008.1.2"
    case bigEndian = "1.2.840.10008.1.2.2"
    case rle = "1.2.840.10008.1.2.5"
    case deflated = "1.2.840.10008.1.2.1.99"
  }

  static let open = UInt32.max
  var encoding = Encoding.explicit

  func number<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
    withUnsafeBytes(of: encoding == .bigEndian ? value.bigEndian : value.littleEndian) { Array($0) }
  }

  func tag(_ tag: UInt32) -> [UInt8] { number(UInt16(tag >> 16)) + number(UInt16(tag & 0xffff)) }

  /// - Parameter length: the claimed length; nil for the true one.
  func element(_ tag: UInt32, _ kind: String, _ value: [UInt8] = [], length: UInt32? = nil) -> [UInt8] {
    let length = length ?? UInt32(value.count)
    if encoding == .implicit { return self.tag(tag) + number(length) + value }
    let isLong = ["OB", "OW", "SQ", "UN", "UT"].contains(kind)
    return self.tag(tag) + Array(kind.utf8)
      + (isLong ? [0, 0] + number(length) : number(UInt16(truncatingIfNeeded: length))) + value
  }

  /// An item or a fragment; with other element numbers, a delimiter.
  func item(_ value: [UInt8] = [], element: UInt32 = 0xe000, length: UInt32? = nil) -> [UInt8] {
    tag(0xfffe_0000 | element) + number(length ?? UInt32(value.count)) + value
  }

  var itemEnd: [UInt8] { item(element: 0xe00d) }
  var sequenceEnd: [UInt8] { item(element: 0xe0dd) }

  /// Nested sequences of undefined length, without their ends.
  func nest(_ depth: Int, _ sequence: UInt32 = 0x0008_1140) -> [UInt8] {
    let level = element(sequence, "SQ", length: DICOMBuilder.open) + item(length: DICOMBuilder.open)
    return Array(repeatElement(level, count: depth).joined())
  }

  /// Nested sequences, each with its length.
  func closedNest(_ depth: Int) -> [UInt8] {
    let head = element(0x0008_1140, "SQ").count
    var bytes: [UInt8] = []
    bytes.reserveCapacity(depth * (head + 8))
    for level in (0..<depth).reversed() {
      bytes += element(0x0008_1140, "SQ", length: UInt32(level * (head + 8) + 8))
      bytes += item(length: UInt32(level * (head + 8)))
    }
    return bytes
  }

  /// A slice of 2×1 pixels, 1 and 2; `more` goes before the first element with a higher tag.
  func file(_ more: [UInt32: [UInt8]] = [:], meta: [UInt8] = [], groupLength: UInt32? = nil) -> Data {
    var elements = more
    for (tag, kind, text) in DICOMBuilder.texts where elements[tag] == nil {
      elements[tag] = element(tag, kind, Array((text.utf8.count % 2 == 0 ? text : text + " ").utf8))
    }
    let words: [UInt32: UInt16] = [
      0x0028_0002: 1, 0x0028_0010: 1, 0x0028_0011: 2, 0x0028_0100: 16, 0x0028_0101: 16, 0x0028_0102: 15, 0x0028_0103: 1,
    ]
    for (tag, value) in words where elements[tag] == nil { elements[tag] = element(tag, "US", number(value)) }
    if elements[0x7fe0_0010] == nil { elements[0x7fe0_0010] = pixels }
    let plain = DICOMBuilder()
    let syntax = Array(encoding.rawValue.utf8) + (encoding.rawValue.utf8.count % 2 == 0 ? [] : [0])
    let group = plain.element(0x0002_0010, "UI", syntax) + meta
    let head = plain.element(0x0002_0000, "UL", (groupLength ?? UInt32(group.count)).littleEndianBytes) + group
    let body = elements.sorted { $0.key < $1.key }.flatMap(\.value)
    return Data([UInt8](repeating: 0, count: 128) + Array("DICM".utf8) + head + body)
  }

  /// Two segments of one run each: the high bytes, then the low bytes.
  var pixels: [UInt8] {
    guard encoding == .rle else { return element(0x7fe0_0010, "OW", number(UInt16(1)) + number(UInt16(2))) }
    let header = ([2, 64, 68] + [UInt32](repeating: 0, count: 13)).flatMap(\.littleEndianBytes)
    return compressed([item(header + [1, 0, 0, 0] + [1, 1, 2, 0])])
  }

  func compressed(_ fragments: [[UInt8]]) -> [UInt8] {
    element(0x7fe0_0010, "OB", length: DICOMBuilder.open) + item() + fragments.joined() + sequenceEnd
  }

  private static let texts: [(UInt32, String, String)] = [
    (0x0008_0016, "UI", "1.2.840.10008.5.1.4.1.1.4"), (0x0008_0018, "UI", "1.2.3.3.1"), (0x0008_0060, "CS", "MR"),
    (0x0018_0050, "DS", "3.5"), (0x0020_000d, "UI", "1.2.9"), (0x0020_000e, "UI", "1.2.3.3"), (0x0020_0011, "IS", "3"),
    (0x0020_0032, "DS", "0\\0\\0"), (0x0020_0037, "DS", "1\\0\\0\\0\\1\\0"), (0x0020_0052, "UI", "1.2.8"),
    (0x0028_0004, "CS", "MONOCHROME2"), (0x0028_0030, "DS", "1\\1"),
  ]
}
