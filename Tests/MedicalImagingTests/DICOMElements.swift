import Foundation

/// DICOM elements in explicit little endian, written and parsed without the library, as an independent reference.
struct DICOMElements {
  var values: [UInt32: [UInt8]] = [:]
  var sequences: [UInt32: [DICOMElements]] = [:]

  func text(_ tag: UInt32) -> String? {
    values[tag].map { String(decoding: $0, as: UTF8.self).trimmingCharacters(in: [" ", "\0"]) }
  }

  func numbers(_ tag: UInt32) -> [Double] {
    (text(tag) ?? "").split(separator: "\\").compactMap { Double($0.trimmingCharacters(in: .whitespaces)) }
  }

  func integers<Value: FixedWidthInteger>(_ tag: UInt32, as type: Value.Type) -> [Value] {
    let bytes = values[tag] ?? []
    let size = MemoryLayout<Value>.size
    return stride(from: 0, to: bytes.count, by: size).map { start in
      bytes[start..<start + size].reversed().reduce(0) { $0 << 8 | Value(truncatingIfNeeded: $1) }
    }
  }

  /// The only item of a sequence.
  subscript(_ tag: UInt32) -> DICOMElements { sequences[tag]?.first ?? DICOMElements() }
}

extension DICOMElements {
  /// Parses a file's meta header and data set together.
  init(contentsOf url: URL) throws {
    var reader = Reader(bytes: [UInt8](try Data(contentsOf: url)), position: 132)
    self = reader.elements(until: reader.bytes.count)
  }

  private struct Reader {
    let bytes: [UInt8]
    var position: Int

    mutating func number(_ count: Int) -> Int {
      defer { position += count }
      return bytes[position..<position + count].reversed().reduce(0) { $0 << 8 | Int($1) }
    }

    mutating func tag() -> UInt32 { UInt32(number(2)) << 16 | UInt32(number(2)) }

    mutating func elements(until end: Int) -> DICOMElements {
      var result = DICOMElements()
      while position < end {
        let tag = tag()
        if tag == 0xfffe_e00d {
          position += 4
          break
        }
        let kind = String(decoding: bytes[position..<position + 2], as: UTF8.self)
        position += 2
        let isLong = ["OB", "OW", "SQ", "UN", "UT"].contains(kind)
        if isLong { position += 2 }
        let length = number(isLong ? 4 : 2)
        if kind == "SQ" {
          result.sequences[tag] = items(until: length == 0xffff_ffff ? .max : position + length)
        } else {
          result.values[tag] = Array(bytes[position..<position + length])
          position += length
        }
      }
      return result
    }

    mutating func items(until end: Int) -> [DICOMElements] {
      var items: [DICOMElements] = []
      while position < end {
        let tag = tag()
        let length = number(4)
        if tag == 0xfffe_e0dd { break }
        items.append(elements(until: length == 0xffff_ffff ? .max : position + length))
      }
      return items
    }
  }
}

/// One slice of a synthetic series.
struct DICOMSliceFile {
  /// Texts with 2-byte lengths, by tag and kind; nil omits an element.
  var texts: [UInt32: (kind: String, text: String?)] = [:]
  /// Elements of 16-bit numbers.
  var words: [UInt32: UInt16] = [:]
  var pixels: [Int16]?
  var syntax = "1.2.840.10008.1.2.1"
  /// Raw elements, placed after those with lower tags.
  var raw: [UInt32: [UInt8]] = [:]

  /// Creates a slice of columns × rows pixels with these values, in series 3.
  init(
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

  func write(to url: URL) throws {
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
  func encoded(_ tag: UInt32, _ kind: String, _ value: [UInt8]) -> [UInt8] {
    let head = UInt16(tag >> 16).littleEndianBytes + UInt16(tag & 0xffff).littleEndianBytes + Array(kind.utf8)
    let isLong = ["OB", "OW", "SQ", "UN"].contains(kind)
    return head + (isLong ? [0, 0] + UInt32(value.count).littleEndianBytes : UInt16(value.count).littleEndianBytes)
      + value
  }
}

extension FixedWidthInteger {
  var littleEndianBytes: [UInt8] { withUnsafeBytes(of: littleEndian) { Array($0) } }
}
