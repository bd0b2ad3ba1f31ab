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
