import Basics
import CITK
import Foundation

/// A number's type, by its code in NIfTI.
enum VoxelType: Int {
  case uint8 = 2
  case int16 = 4
  case int32 = 8
  case float32 = 16
  case float64 = 64
  case int8 = 256
  case uint16 = 512
  case uint32 = 768
  case int64 = 1024
  case uint64 = 1280

  var bytes: Int {
    switch self {
    case .uint8, .int8: 1
    case .int16, .uint16: 2
    case .int32, .uint32, .float32: 4
    case .int64, .uint64, .float64: 8
    }
  }
}

/// The most bytes before compressed voxels that are counted from the end.
private let largestDecompressed = 1 << 24

/// The location and encoding of a volume's numbers in a file.
struct StoredVoxels {
  enum Encoding {
    case raw
    /// gzip or zlib.
    case deflate
    /// Numbers as text.
    case text
    /// Two hexadecimal digits a byte.
    case hex
  }

  /// The requested file, which may be a separate header.
  let url: URL
  let data: URL
  let type: VoxelType
  let isSwapped: Bool
  let encoding: Encoding
  /// The byte offset of the voxels or of their encoded form in the file.
  var offset: Int
  /// Decompressed bytes before the voxels.
  var skip = 0
  var slope = 1.0
  var intercept = 0.0

  /// Throws `Refusal` unless the file holds all voxels, before memory is taken for them.
  func requireAll(_ shape: VolumeShape) throws {
    let promised = shape.byteCount(encoding == .text ? 1 : type.bytes)
    let (end, overflow) = promised.addingReportingOverflow(skip)
    let file = fileSize(data)
    var held = max(0, file - offset)
    switch encoding {
    case .raw, .text: break
    case .hex: held /= 2
    case .deflate:
      held = held.multipliedReportingOverflow(by: largestInflation).overflow ? .max : held * largestInflation
      if !overflow, end <= held { try requireRoom(shape) }
      if !overflow, end <= held, try gzipTrailer() != UInt32(truncatingIfNeeded: end) {
        // The stream is zlib, incomplete, of several gzip members, or continues after the voxels.
        guard citk_inflated_count(data.path, offset, end, &held) || held < end else { throw damaged(data) }
      }
    }
    guard offset >= 0, skip >= 0, offset <= file, !overflow, end <= held else {
      throw cutShort(url, shape, voxelBytes: type.bytes, found: max(0, held - max(0, skip)))
    }
    try requireRoom(shape)
  }

  private func requireRoom(_ shape: VolumeShape) throws {
    try VolumeMemory.requireRoom(for: shape, of: url)
  }

  /// The count of decompressed bytes, modulo 2³², at the end of a gzip file of one member.
  ///
  /// nil for a file too short to have one.
  private func gzipTrailer() throws -> UInt32? {
    let file = try FileHandle(forReadingFrom: data)
    defer { try? file.close() }
    let size = try file.seekToEnd()
    guard size >= 18 else { return nil }
    try file.seek(toOffset: size - 4)
    return try (file.read(upToCount: 4) ?? Data()).reversed().reduce(0) { $0 << 8 | UInt32($1) }
  }

  /// Places compressed voxels at the end of the decompressed data, before `trailing` bytes.
  mutating func skipToEnd(_ shape: VolumeShape, trailing: Int) throws {
    try requireRoom(shape)
    let promised = shape.byteCount(type.bytes)
    var held = 0
    let most =
      promised.addingReportingOverflow(largestDecompressed).overflow ? promised : promised + largestDecompressed
    guard citk_inflated_count(data.path, offset, most, &held) else { throw damaged(data) }
    guard held < most else {
      throw Refusal(
        .image, url.path, "more than \(largestDecompressed) bytes lie before its voxels, which begin at the end",
        remedy: "export it again as NIfTI")
    }
    skip = held - promised - trailing
  }

  func read(into voxels: inout [Float]) throws {
    switch encoding {
    case .raw, .deflate: try require(withLayout { citk_read_voxels_float($0, &voxels, voxels.count) })
    case .text: voxels = try numbersInText(voxels.count).map(Float.init)
    case .hex: voxels = try numbersInHex(voxels.count).map(Float.init)
    }
  }

  func read(into voxels: inout [Double]) throws {
    switch encoding {
    case .raw, .deflate: try require(withLayout { citk_read_voxels_double($0, &voxels, voxels.count) })
    case .text: voxels = try numbersInText(voxels.count)
    case .hex: voxels = try numbersInHex(voxels.count)
    }
  }

  private func require(_ success: Bool) throws {
    guard success else { throw damaged(data) }
  }

  private func withLayout<Result>(_ body: (UnsafePointer<CITKVoxels>) -> Result) -> Result {
    data.path.withCString { path in
      var layout = CITKVoxels(
        path: path, offset: offset, is_compressed: encoding == .deflate, datatype: Int32(type.rawValue), skip: skip,
        swapped: isSwapped, slope: slope, intercept: intercept)
      return body(&layout)
    }
  }
}

// MARK: - Text

extension StoredVoxels {
  private func contents() throws -> ArraySlice<UInt8> {
    guard let all = Basics.contents(ofRegularFile: data) else {
      throw Refusal(.image, data.path, "its voxels cannot be read", remedy: "copy it again from its source")
    }
    return [UInt8](all)[min(offset, all.count)...]
  }

  private func numbersInText(_ count: Int) throws -> [Double] {
    let isSeparator: (UInt8) -> Bool = { $0 <= 32 || $0 == UInt8(ascii: ",") }
    var values: [Double] = []
    values.reserveCapacity(count)
    for word in try contents().lazy.split(whereSeparator: isSeparator) {
      if values.count == count { break }
      guard word.count <= 64, let value = Double(String(decoding: word, as: UTF8.self)), type.holds(value) else {
        let text = printable(String(decoding: word.prefix(20), as: UTF8.self))
        throw Refusal(
          .image, data.path, "number \(values.count + 1) of its voxels is \(text), which is none of its type",
          remedy: "export it again as NIfTI")
      }
      values.append(value)
    }
    guard values.count == count else {
      throw Refusal(
        .image, data.path, "its header promises \(count) voxels, but the file holds \(values.count)",
        detail: "it is cut short or damaged", remedy: "copy it again from its source")
    }
    return values
  }

  private func numbersInHex(_ count: Int) throws -> [Double] {
    let bytes = type.bytes
    var digits = [UInt8](repeating: 0, count: 2 * bytes)
    var (values, filled) = ([Double](), 0)
    values.reserveCapacity(count)
    for byte in try contents() where byte > 32 && values.count < count {
      guard let digit = Character(UnicodeScalar(byte)).hexDigitValue else { throw noHex() }
      digits[filled] = UInt8(digit)
      filled += 1
      guard filled == digits.count else { continue }
      filled = 0
      let ordered = (0..<bytes).map { digits[2 * $0] << 4 | digits[2 * $0 + 1] }
      values.append(type.value(isSwapped ? ordered.reversed() : ordered))
    }
    guard values.count == count else { throw noHex() }
    return values
  }

  private func noHex() -> Refusal {
    Refusal(.image, data.path, "its voxels are not all hexadecimal digits", remedy: "copy it again from its source")
  }
}

extension VoxelType {
  /// Tells whether the type can hold a number, which may come from text.
  fileprivate func holds(_ value: Double) -> Bool {
    switch self {
    case .float32, .float64: true
    case .uint8: UInt8(exactly: value) != nil
    case .int8: Int8(exactly: value) != nil
    case .uint16: UInt16(exactly: value) != nil
    case .int16: Int16(exactly: value) != nil
    case .uint32: UInt32(exactly: value) != nil
    case .int32: Int32(exactly: value) != nil
    case .uint64: UInt64(exactly: value) != nil
    case .int64: Int64(exactly: value) != nil
    }
  }

  /// Converts bytes in this machine's order to a number.
  fileprivate func value(_ bytes: [UInt8]) -> Double {
    bytes.withUnsafeBytes { bytes in
      switch self {
      case .uint8: Double(bytes.loadUnaligned(as: UInt8.self))
      case .int8: Double(bytes.loadUnaligned(as: Int8.self))
      case .uint16: Double(bytes.loadUnaligned(as: UInt16.self))
      case .int16: Double(bytes.loadUnaligned(as: Int16.self))
      case .uint32: Double(bytes.loadUnaligned(as: UInt32.self))
      case .int32: Double(bytes.loadUnaligned(as: Int32.self))
      case .uint64: Double(bytes.loadUnaligned(as: UInt64.self))
      case .int64: Double(bytes.loadUnaligned(as: Int64.self))
      case .float32: Double(bytes.loadUnaligned(as: Float.self))
      case .float64: bytes.loadUnaligned(as: Double.self)
      }
    }
  }
}
