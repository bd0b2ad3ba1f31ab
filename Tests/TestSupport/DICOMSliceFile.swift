import Foundation

/// One slice of a synthetic series.
public struct DICOMSliceFile {
  /// Texts with 2-byte lengths, by tag and kind; nil omits an element.
  public var texts: [UInt32: (kind: String, text: String?)] = [:]
  /// Elements of 16-bit numbers.
  public var words: [UInt32: UInt16] = [:]
  public var pixels: [Int16]?
  public var syntax = "1.2.840.10008.1.2.1"
  /// Raw elements, placed after those with lower tags.
  public var raw: [UInt32: [UInt8]] = [:]

  /// Creates a slice of columns × rows pixels with these values, in series 3.
  public init(
    _ pixels: [Int16], columns: Int, rows: Int, position: SIMD3<Double>, row: SIMD3<Double> = [1, 0, 0],
    column: SIMD3<Double> = [0, 1, 0], spacing: SIMD2<Double> = [0.75, 1.5], instance: Int = 1
  ) {
    func decimals(_ values: [Double]) -> String { values.map { String(format: "%.10g", $0) }.joined(separator: "\\") }
    texts = [
      0x0008_0016: ("UI", "1.2.840.10008.5.1.4.1.1.4"), 0x0008_0018: ("UI", "1.2.3.3.\(instance)"),
      0x0008_0060: ("CS", "MR"), 0x0008_103e: ("LO", "T1"), 0x0010_0010: ("PN", "Doe^Jane"), 0x0010_0020: ("LO", "P1"),
      0x0018_0050: ("DS", "3.5"), 0x0020_000d: ("UI", "1.2.9"), 0x0020_000e: ("UI", "1.2.3.3"),
      0x0020_0011: ("IS", "3"), 0x0020_0032: ("DS", decimals([position.x, position.y, position.z])),
      0x0020_0037: ("DS", decimals([row.x, row.y, row.z, column.x, column.y, column.z])),
      0x0020_0052: ("UI", "1.2.8"), 0x0028_0004: ("CS", "MONOCHROME2"),
      0x0028_0030: ("DS", decimals([spacing.y, spacing.x])),
    ]
    words = [
      0x0028_0002: 1, 0x0028_0010: UInt16(rows), 0x0028_0011: UInt16(columns), 0x0028_0100: 16, 0x0028_0101: 16,
      0x0028_0102: 15, 0x0028_0103: 1,
    ]
    self.pixels = pixels
  }

  public func write(to url: URL) throws {
    var elements = words.mapValues { $0.littleEndianBytes }.map { tag, value in
      (tag, encoded(tag, "US", value))
    }
    for (tag, value) in texts {
      guard let text = value.text else { continue }
      elements.append((tag, encoded(tag, value.kind, Array((text.utf8.count % 2 == 0 ? text : text + " ").utf8))))
    }
    for (tag, bytes) in raw { elements.append((tag, bytes)) }
    if let pixels {
      let bytes = pixels.flatMap { UInt16(bitPattern: $0).littleEndianBytes }
      elements.append((0x7fe0_0010, encoded(0x7fe0_0010, "OW", bytes)))
    }
    let dataset = elements.sorted { $0.0 < $1.0 }.flatMap { $0.1 }
    var meta =
      encoded(0x0002_0002, "UI", Array((texts[0x0008_0016]?.text ?? "1").utf8) + [0])
      + encoded(0x0002_0010, "UI", Array(syntax.utf8) + (syntax.utf8.count % 2 == 0 ? [] : [0]))
    meta = encoded(0x0002_0000, "UL", UInt32(meta.count).littleEndianBytes) + meta
    try Data([UInt8](repeating: 0, count: 128) + Array("DICM".utf8) + meta + dataset).write(to: url)
  }

  /// Encodes an element with a length of 2 or 4 bytes, depending on its kind.
  public func encoded(_ tag: UInt32, _ kind: String, _ value: [UInt8]) -> [UInt8] {
    let head = UInt16(tag >> 16).littleEndianBytes + UInt16(tag & 0xffff).littleEndianBytes + Array(kind.utf8)
    let isLong = ["OB", "OW", "SQ", "UN"].contains(kind)
    return head + (isLong ? [0, 0] + UInt32(value.count).littleEndianBytes : UInt16(value.count).littleEndianBytes)
      + value
  }
}

extension FixedWidthInteger {
  public var littleEndianBytes: [UInt8] { withUnsafeBytes(of: littleEndian) { Array($0) } }
}
