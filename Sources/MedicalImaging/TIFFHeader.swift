import Basics
import Foundation

/// The pixel description on the first page of a TIFF file (TIFF 6.0, and BigTIFF).
///
/// ITK silently misreads some kinds: 32-bit integers as 0, tiles with 8 of their 16 bits.
struct TIFFHeader {
  /// The number of pages, counted up to 1000.
  let pageCount: Int
  private let tags: [Int: Int]

  var width: Int { tags[256] ?? 0 }
  var height: Int { tags[257] ?? 0 }
  var bits: Int { tags[258] ?? 1 }
  var samples: Int { tags[277] ?? 1 }
  var hasPalette: Bool { tags[262] == 3 }
  /// 1 as stored, 2 to 8 turned or mirrored for viewing.
  var orientation: Int { tags[274] ?? 1 }

  /// The refusal, without the file, of pixels that cannot be read; nil if they can.
  var fault: Refusal? {
    func refuse(_ found: String, _ expected: String, _ remedy: String) -> Refusal {
      Refusal(.image, found, detail: "expected \(expected)", remedy: remedy)
    }
    let format = tags[339] ?? 1
    if pageCount > 1 {
      return refuse(
        "it has \(pageCount == 1000 ? "1000 or more" : "\(pageCount)") pages", "one",
        "save each page as a file of its own, or a stack of slices as NIfTI")
    }
    guard [8, 16].contains(bits) && format == 1 || bits == 32 && format == 3 else {
      let kind = [1: "unsigned integers", 2: "signed integers", 3: "floats"][format] ?? "an unknown kind"
      return refuse(
        "its values are \(kind) of \(bits) bits", "unsigned integers of 8 or 16 bits, or floats of 32", "convert it")
    }
    guard (0...3).contains(tags[262] ?? -1) else {
      return refuse(
        "its colours are stored as TIFF photometric interpretation \(tags[262] ?? -1)", "grey, RGB or a palette",
        "convert it to RGB without JPEG compression")
    }
    guard tags[322] == nil else {
      return refuse("its pixels are stored in tiles", "strips", "save it without tiles")
    }
    guard samples == 1 || tags[284] ?? 1 == 1 else {
      return refuse(
        "its colours are stored in planes of their own", "pixel by pixel",
        "save it with planar configuration \"contig\"")
    }
    return nil
  }

  /// Nil if the file does not begin as a TIFF or its first page cannot be found.
  ///
  /// The file is not mapped: a mapped one that shrinks would end the process.
  init?(_ url: URL) throws { self.init(try Data(contentsOf: url)) }

  /// Reads a TIFF in memory, such as a JPEG's Exif data.
  init?(_ bytes: Data) {
    guard let file = TIFFBytes(bytes), var page = file.firstPage, let first = file.tags(ofPageAt: page) else {
      return nil
    }
    tags = first
    var count = 1
    while count < 1000, let next = file.page(after: page), next != 0 {
      page = next
      count += 1
    }
    pageCount = count
  }
}

/// Numbers of a TIFF in its byte order.
private struct TIFFBytes {
  private let bytes: Data
  private let isBigEndian: Bool
  /// Tells whether it is a BigTIFF, with 8 bytes an offset.
  private let isBig: Bool

  init?(_ bytes: Data) {
    self.bytes = bytes
    guard bytes.count >= 8, bytes[0] == bytes[1], [0x49, 0x4d].contains(bytes[0]) else { return nil }
    isBigEndian = bytes[0] == 0x4d
    let version = isBigEndian ? bytes[3] : bytes[2]
    guard [42, 43].contains(version) else { return nil }
    isBig = version == 43
  }

  var firstPage: Int? { isBig ? number(8, 8) : number(4, 4) }

  /// The first value of each tag that holds integers.
  func tags(ofPageAt page: Int) -> [Int: Int]? {
    guard let count = number(page, isBig ? 8 : 2), count <= 4096 else { return nil }
    var tags: [Int: Int] = [:]
    for index in 0..<count {
      let entry = page + (isBig ? 8 : 2) + index * (isBig ? 20 : 12)
      guard let tag = number(entry, 2), let type = number(entry + 2, 2), let length = number(entry + 4, isBig ? 8 : 4)
      else { return nil }
      guard let size = [1: 1, 3: 2, 4: 4, 16: 8][type], length > 0 else { continue }
      let inline = entry + (isBig ? 12 : 8)
      let isInline = length <= (isBig ? 8 : 4) / size
      guard let place = isInline ? inline : number(inline, isBig ? 8 : 4), let value = number(place, size) else {
        continue
      }
      tags[tag] = value
    }
    return tags
  }

  /// The offset of the page after the one at `page`; 0 after the last.
  func page(after page: Int) -> Int? {
    guard let count = number(page, isBig ? 8 : 2), count <= 4096 else { return nil }
    return number(page + (isBig ? 8 + count * 20 : 2 + count * 12), isBig ? 8 : 4)
  }

  /// An unsigned integer of `size` bytes; nil beyond the file or above `Int.max`.
  private func number(_ offset: Int, _ size: Int) -> Int? {
    guard offset >= 0, offset <= bytes.count - size else { return nil }
    let field = bytes[offset..<offset + size]
    let value = (isBigEndian ? Array(field) : field.reversed()).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return Int(exactly: value)
  }
}
