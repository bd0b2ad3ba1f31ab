import Foundation

/// A zip file of stored records, written independently of the reader under test.
///
/// - Parameter wide: gives every size and offset in 64 bits, as for files of more than 4 GB.
func zipFile(_ records: [(name: String, contents: Data)], wide: Bool = false) -> Data {
  var file = Data()
  var directory = Data()
  for (name, contents) in records {
    let place = file.count
    let sum = bytes(crc32(contents))
    let size = bytes(UInt32(contents.count))
    let unknown = bytes(UInt32.max)
    let lengths = bytes(UInt16(name.utf8.count))
    file += Data([0x50, 0x4B, 3, 4, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0]) + sum + size + size + lengths + bytes(UInt16(0))
    file += Data(name.utf8) + contents
    let extra = bytes(UInt16(1)) + bytes(UInt16(24)) + [contents.count, contents.count, place].flatMap { bytes($0) }
    directory += Data([0x50, 0x4B, 1, 2, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0]) + sum
    directory += (wide ? unknown + unknown : size + size) + lengths + bytes(UInt16(wide ? extra.count : 0))
    directory += Data(count: 10) + (wide ? unknown : bytes(UInt32(place))) + Data(name.utf8) + (wide ? extra : Data())
  }
  return file + directory + zipEnd(of: records.count, start: file.count, bytes: directory.count, wide: wide)
}

private func zipEnd(of count: Int, start: Int, bytes length: Int, wide: Bool) -> Data {
  var end = Data()
  if wide {
    end += Data([0x50, 0x4B, 6, 6]) + bytes(44) + Data(count: 12) + bytes(count) + bytes(count) + bytes(length)
    end += bytes(start) + Data([0x50, 0x4B, 6, 7, 0, 0, 0, 0]) + bytes(start + length) + bytes(UInt32(1))
  }
  let counts = wide ? bytes(UInt32.max) : bytes(UInt16(count)) + bytes(UInt16(count))
  let places = wide ? bytes(UInt64.max) : bytes(UInt32(length)) + bytes(UInt32(start))
  return end + Data([0x50, 0x4B, 5, 6, 0, 0, 0, 0]) + counts + places + Data(count: 2)
}

private let crcTable = (0..<256).map { byte -> UInt32 in
  var sum = UInt32(byte)
  for _ in 0..<8 { sum = sum & 1 == 1 ? (sum >> 1) ^ 0xEDB8_8320 : sum >> 1 }
  return sum
}

private func crc32(_ data: Data) -> UInt32 {
  var sum = ~UInt32(0)
  data.withUnsafeBytes { data in
    for byte in data { sum = crcTable[Int(UInt8(truncatingIfNeeded: sum) ^ byte)] ^ (sum >> 8) }
  }
  return ~sum
}
