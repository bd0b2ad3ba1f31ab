import Foundation

/// A NIfTI-1, NIfTI-2 or Analyze 7.5 header, in either byte order.
struct NIfTIHeader {
  enum Kind {
    /// Header and voxels in one file.
    case single
    /// Voxels in a file beside the header.
    case pair
    /// NIfTI's forerunner: a pair without the position of the voxels in the patient.
    case analyze
  }

  let kind: Kind
  /// Axes' lengths, as many as the header declares.
  var dimensions: [Int]
  var datatype: Int
  /// The byte offset of the voxels.
  var dataOffset: Int
  var slope: Double
  var intercept: Double
  var geometry: NIfTIGeometry
  /// Tells whether the byte order is not this machine's.
  var isSwapped: Bool

  /// Tells whether a voxel is red, green and blue, perhaps with alpha.
  var isColour: Bool { [128, 2304].contains(datatype) }

  /// The bytes needed for either header.
  static let length = 540

  /// Nil if `bytes` do not begin with such a header.
  init?(_ bytes: [UInt8]) {
    guard bytes.count >= 348 else { return nil }
    let size = bytes.withUnsafeBytes { $0.loadUnaligned(as: Int32.self) }
    let swapped = ![348, 540].contains(size)
    let fields = HeaderFields(bytes: bytes, swapped: swapped)
    func mark(_ start: Int) -> Kind? {
      switch Array(bytes[start..<start + 4]) {
      case Array("n+1\0".utf8), Array("n+2\0".utf8): .single
      case Array("ni1\0".utf8), Array("ni2\0".utf8): .pair
      default: nil
      }
    }
    switch size.byteSwapped(if: swapped) {
    case 348: self.init(version1: fields, mark(344) ?? .analyze)
    case 540 where bytes.count >= 540:
      guard let kind = mark(4) else { return nil }
      self.init(version2: fields, kind)
    default: return nil
    }
    if slope == 0 || !slope.isFinite || !intercept.isFinite { (slope, intercept) = (1, 0) }  // these mean "no scaling"
  }

  private init?(version1 fields: HeaderFields, _ kind: Kind) {
    self.kind = kind
    let count = Int(fields.integer(40, Int16.self))
    guard (1...7).contains(count), let offset = Int(exactly: fields.float(108).rounded(.down)) else { return nil }
    dimensions = (1...count).map { Int(fields.integer(40 + 2 * $0, Int16.self)) }
    datatype = Int(fields.integer(70, Int16.self))
    dataOffset = offset
    slope = Double(fields.float(112))  // SPM's field in Analyze
    intercept = kind == .analyze ? 0 : Double(fields.float(116))
    isSwapped = fields.swapped
    let float = { Double(fields.float($0)) }
    let pixdim = (0..<8).map { float(76 + 4 * $0) }
    guard kind != .analyze else {
      let none = [Double](repeating: 0, count: 12)
      geometry = NIfTIGeometry(
        units: 2, qformCode: 0, sformCode: 0, pixdim: [1] + pixdim[1...].map(abs), quaternion: Array(none[..<3]),
        offset: Array(none[..<3]), sform: none)
      return
    }
    geometry = NIfTIGeometry(
      units: fields.bytes[123], qformCode: Int(fields.integer(252, Int16.self)),
      sformCode: Int(fields.integer(254, Int16.self)), pixdim: pixdim,
      quaternion: (0..<3).map { float(256 + 4 * $0) }, offset: (0..<3).map { float(268 + 4 * $0) },
      sform: (0..<12).map { float(280 + 4 * $0) })
  }

  private init?(version2 fields: HeaderFields, _ kind: Kind) {
    self.kind = kind
    let count = fields.integer(16, Int64.self)
    guard (1...7).contains(count) else { return nil }
    dimensions = (1...Int(count)).map { Int(fields.integer(16 + 8 * $0, Int64.self)) }
    datatype = Int(fields.integer(12, Int16.self))
    dataOffset = Int(fields.integer(168, Int64.self))
    slope = fields.double(176)
    intercept = fields.double(184)
    geometry = NIfTIGeometry(
      units: UInt8(truncatingIfNeeded: fields.integer(500, Int32.self)),
      qformCode: Int(fields.integer(344, Int32.self)), sformCode: Int(fields.integer(348, Int32.self)),
      pixdim: (0..<8).map { fields.double(104 + 8 * $0) }, quaternion: (0..<3).map { fields.double(352 + 8 * $0) },
      offset: (0..<3).map { fields.double(376 + 8 * $0) }, sform: (0..<12).map { fields.double(400 + 8 * $0) })
    isSwapped = fields.swapped
  }
}

/// Numbers at byte offsets, in the file's byte order.
private struct HeaderFields {
  let bytes: [UInt8]
  let swapped: Bool

  func integer<Integer: FixedWidthInteger>(_ offset: Int, _: Integer.Type) -> Integer {
    bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: Integer.self) }.byteSwapped(if: swapped)
  }

  func float(_ offset: Int) -> Float { Float(bitPattern: integer(offset, UInt32.self)) }
  func double(_ offset: Int) -> Double { Double(bitPattern: integer(offset, UInt64.self)) }
}

extension FixedWidthInteger {
  fileprivate func byteSwapped(if swapped: Bool) -> Self { swapped ? byteSwapped : self }
}
