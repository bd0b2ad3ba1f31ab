import Foundation

/// A zip file of stored records in the making, which `ZipArchive` reads.
///
/// All sizes and places have 64 bits, so small and large files have one form. Sections refer to PKWARE's APPNOTE.
struct ZipWriter {
  /// PyTorch's alignment of a record's contents in bytes.
  private static let alignment = 64
  /// The version that introduced 64-bit fields (section 4.4.3.2).
  private static let version: UInt16 = 45
  /// The value of a narrow field whose number is in a wide one.
  private static let wide = UInt32.max

  /// The file so far. Contents are shared with the caller, not copied.
  private var pieces: [Data] = []
  private var position: UInt64 = 0
  private var directory = Data()
  private var count: UInt64 = 0

  /// Appends a record.
  mutating func add(_ name: String, _ contents: Data) {
    let (size, place) = (UInt64(contents.count), position)
    let sizes = Data(littleEndian: UInt16(1), UInt16(16), size, size)
    let room = (Int(position) + 30 + name.utf8.count + sizes.count + 4) % Self.alignment
    let padding = Data(count: (Self.alignment - room) % Self.alignment)
    // PyTorch pads by an extra field, too, and names it FB.
    let extra = sizes + Data("FB".utf8) + Data(littleEndian: UInt16(padding.count)) + padding
    let fields = fields(of: name, CRC32.checksum(of: contents))
    append(Data(littleEndian: UInt32(0x0403_4B50)) + fields + Data(littleEndian: UInt16(extra.count)))
    append(Data(name.utf8) + extra)
    append(contents)
    directory += Data(littleEndian: UInt32(0x0201_4B50), Self.version) + fields
    // The lengths of 64-bit fields and comment, the disk, the attributes and the place.
    directory += Data(littleEndian: UInt16(28), UInt16(0), UInt16(0), UInt16(0), UInt32(0), Self.wide)
    directory += Data(name.utf8) + Data(littleEndian: UInt16(1), UInt16(24), size, size, place)
    count += 1
  }

  /// The fields that a record's header (section 4.3.7) and the directory's entry (section 4.3.12) share.
  private func fields(of name: String, _ checksum: UInt32) -> Data {
    // UTF-8 names, no compression, and 1 January 1980, so that equal records give equal bytes.
    Data(
      littleEndian: Self.version, UInt16(1 << 11), UInt16(0), UInt16(0), UInt16(1 << 5 | 1), checksum, Self.wide,
      Self.wide, UInt16(name.utf8.count))
  }

  /// Returns the whole file in pieces: the records, the directory and its ends (sections 4.3.14 to 4.3.16).
  func finished() -> [Data] {
    let end = Data(
      littleEndian: UInt32(0x0606_4B50), UInt64(44), Self.version, Self.version, UInt32(0), UInt32(0), count, count,
      UInt64(directory.count), position)
    let locator = Data(
      littleEndian: UInt32(0x0706_4B50), UInt32(0), position + UInt64(directory.count), UInt32(1))
    let narrowEnd = Data(
      littleEndian: UInt32(0x0605_4B50), UInt16(0), UInt16(0), UInt16.max, UInt16.max, Self.wide, Self.wide, UInt16(0))
    return pieces + [directory, end, locator, narrowEnd]
  }

  private mutating func append(_ piece: Data) {
    pieces.append(piece)
    position += UInt64(piece.count)
  }
}
