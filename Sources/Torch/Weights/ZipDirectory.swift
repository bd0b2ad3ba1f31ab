import Foundation

/// The central directory at the end of a zip file, with the 64-bit fields that PyTorch writes for large files.
struct ZipDirectory {
  struct Entry {
    let name: String
    let headerStart: Int
    let dataCount: Int
    let checksum: UInt32
    /// The compression method, 0 for stored.
    let method: UInt16
  }

  /// The number of bytes before the directory, where records lie.
  let start: Int
  private(set) var entries: [Entry] = []

  private static let maximumBytes = 64 << 20

  init(_ file: InputFile) throws {
    let end = try ZipEnd(file)
    start = end.directoryStart
    guard end.directoryBytes <= Self.maximumBytes else {
      throw file.refusal("claims a directory of \(end.directoryBytes) bytes, where \(Self.maximumBytes) are the most")
    }
    let bytes = [UInt8](try file.bytes(at: start, count: end.directoryBytes))
    var position = 0
    while position < bytes.count {
      entries.append(try Self.entry(in: bytes, at: &position, of: file))
    }
    guard entries.count == end.entryCount else {
      throw file.refusal(
        "its directory has \(entries.count) records instead of \(end.entryCount)", detail: "it is damaged")
    }
  }

  /// Reads an entry of the directory (section 4.3.12).
  private static func entry(in bytes: [UInt8], at position: inout Int, of file: InputFile) throws -> Entry {
    let damaged = file.refusal("its directory of records is wrong at byte \(position)", detail: "it is damaged")
    guard bytes.count - position >= 46 else { throw damaged }
    let fixed = Array(bytes[position..<position + 46])
    let nameEnd = position + 46 + Int(fixed.field(28, UInt16.self))
    let extraEnd = nameEnd + Int(fixed.field(30, UInt16.self))
    let end = extraEnd + Int(fixed.field(32, UInt16.self))
    guard fixed.starts(with: [0x50, 0x4B, 1, 2]), end <= bytes.count, fixed.field(34, UInt16.self) == 0,
      let name = String(utf8: bytes[position + 46..<nameEnd])
    else { throw damaged }
    guard fixed.field(8, UInt16.self) & 0x2041 == 0 else {
      throw file.refusal(
        "its record '\(name.printable)' is encrypted", remedy: "save the weights without encryption")
    }
    // Sizes and offset beyond 32 bits lie in the extra field, in this order.
    var wide = wideFields(in: Array(bytes[nameEnd..<extraEnd]))
    let values = [24, 20, 42].map { offset -> Int? in
      let narrow = fixed.field(offset, UInt32.self)
      if narrow != .max { return Int(narrow) }
      return wide.isEmpty ? nil : Int(exactly: wide.removeFirst())
    }
    let method = fixed.field(10, UInt16.self)
    guard let size = values[1], let headerStart = values[2], method != 0 || values[0] == size else { throw damaged }
    position = end
    return Entry(
      name: name, headerStart: headerStart, dataCount: size, checksum: fixed.field(16, UInt32.self), method: method)
  }

  /// The numbers of the zip64 extra field (section 4.5.3), if there is one.
  private static func wideFields(in extra: [UInt8]) -> [UInt64] {
    var position = 0
    while extra.count - position >= 4 {
      let start = position + 4
      let count = Int(extra.field(position + 2, UInt16.self))
      guard count <= extra.count - start else { return [] }
      if extra.field(position, UInt16.self) == 1 {
        return (0..<count / 8).map { extra.field(start + 8 * $0, UInt64.self) }
      }
      position = start + count
    }
    return []
  }
}

/// The records at the end of a zip file that locate its directory (sections 4.3.14 to 4.3.16).
private struct ZipEnd {
  let directoryStart: Int
  let directoryBytes: Int
  let entryCount: Int

  init(_ file: InputFile) throws {
    let short = file.refusal(
      "does not end like a zip file", detail: "it is cut short or damaged, copy or save it again")
    let damaged = file.refusal("its end of the zip directory is wrong", detail: "it is damaged")
    guard file.size >= 22 else { throw short }
    let end = [UInt8](try file.bytes(at: file.size - 22, count: 22))
    guard end.starts(with: [0x50, 0x4B, 5, 6]), end.field(20, UInt16.self) == 0 else { throw short }
    var fields = [
      UInt64(end.field(10, UInt16.self)), UInt64(end.field(12, UInt32.self)), UInt64(end.field(16, UInt32.self)),
    ]
    var disks = [UInt32(end.field(4, UInt16.self)), UInt32(end.field(6, UInt16.self))]
    var limit = file.size - 22
    if let wide = try Self.wideEnd(of: file) {
      let wideFields = [32, 40, 48].map { wide.bytes.field($0, UInt64.self) }
      // Both ends must agree unless the narrow one is at its limit, so that all readers see one file.
      let limits: [UInt64] = [0xFFFF, 0xFFFF_FFFF, 0xFFFF_FFFF]
      for index in 0..<3 where fields[index] != limits[index] && fields[index] != wideFields[index] { throw damaged }
      fields = wideFields
      disks = [wide.bytes.field(16, UInt32.self), wide.bytes.field(20, UInt32.self)]
      limit = wide.start
    }
    guard disks == [0, 0], let count = Int(exactly: fields[0]), let bytes = Int(exactly: fields[1]),
      let start = Int(exactly: fields[2]), start <= limit, bytes == limit - start
    else { throw damaged }
    (directoryStart, directoryBytes, entryCount) = (start, bytes, count)
  }

  /// The 64-bit end. A locator before the 32-bit end points to it.
  private static func wideEnd(of file: InputFile) throws -> (start: Int, bytes: [UInt8])? {
    guard file.size >= 22 + 20 + 56 else { return nil }
    let limit = file.size - 22 - 20
    let locator = [UInt8](try file.bytes(at: limit, count: 20))
    guard locator.starts(with: [0x50, 0x4B, 6, 7]) else { return nil }
    guard let start = Int(exactly: locator.field(8, UInt64.self)), start <= limit - 56 else {
      throw file.refusal("its end of the zip directory is wrong", detail: "it is damaged")
    }
    let bytes = [UInt8](try file.bytes(at: start, count: 56))
    guard bytes.starts(with: [0x50, 0x4B, 6, 6]) else {
      throw file.refusal("its end of the zip directory is wrong", detail: "it is damaged")
    }
    return (start, bytes)
  }
}
