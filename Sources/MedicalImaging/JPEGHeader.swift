import Foundation

/// A JPEG file's size and completeness. libjpeg silently paints grey where data are missing.
struct JPEGHeader {
  let width: Int
  let height: Int
  /// 1 grey, 3 colour, 4 CMYK.
  let componentCount: Int
  let bits: Int
  /// 1 as stored, 2 to 8 turned or mirrored for viewing (Exif).
  let orientation: Int
  /// Tells whether the end marker is present.
  let isComplete: Bool

  /// Nil if the file does not begin as a JPEG or has no frame header (ITU-T T.81, annex B).
  init?(_ url: URL) throws {
    // Not mapped: a mapped file that shrinks would end the process.
    let bytes = try Data(contentsOf: url)
    guard bytes.starts(with: [0xff, 0xd8]) else { return nil }
    var frame: Data?
    var exif: TIFFHeader?
    var position = 2
    var found = false
    while let (marker, body) = JPEGHeader.nextMarker(in: bytes, from: position) {
      if marker == 0xd9 {
        found = true
        break
      }
      position = body
      guard !(0xd0...0xd7).contains(marker), marker != 0x01 else { continue }
      guard body + 2 <= bytes.count else { break }
      let length = Int(bytes[body]) << 8 | Int(bytes[body + 1])
      position = body + max(length, 2)
      guard position <= bytes.count else { break }
      // C0 to CF are frames except C4, C8 and CC.
      if frame == nil, (0xc0...0xcf).contains(marker), ![0xc4, 0xc8, 0xcc].contains(marker), length >= 8 {
        frame = bytes[body + 2..<body + length]
      } else if marker == 0xe1, length > 8, bytes[body + 2..<body + 8].elementsEqual(Array("Exif\0\0".utf8)) {
        exif = exif ?? TIFFHeader(Data(bytes[body + 8..<body + length]))
      }
    }
    guard let frame else { return nil }
    let values = frame.prefix(6).map(Int.init)
    bits = values[0]
    height = values[1] << 8 | values[2]
    width = values[3] << 8 | values[4]
    componentCount = values[5]
    orientation = exif?.orientation ?? 1
    isComplete = found
  }

  /// The next marker's code, and the position after it; between segments lie pixels, in which FF 00 is no marker.
  private static func nextMarker(in bytes: Data, from start: Int) -> (marker: UInt8, body: Int)? {
    bytes.withUnsafeBytes { bytes in
      var position = start
      while position + 1 < bytes.count {
        if bytes[position] == 0xff, bytes[position + 1] != 0, bytes[position + 1] != 0xff {
          return (bytes[position + 1], position + 2)
        }
        position += 1
      }
      return nil
    }
  }
}
