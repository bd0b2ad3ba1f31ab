import Basics
import Foundation

/// A MetaImage header (`.mha`, `.mhd`), interpreted like ITK's MetaIO.
///
/// Rows of `TransformMatrix` are the directions of the axes in the frame LPS+. `AnatomicalOrientation` and
/// `CenterOfRotation` change nothing.
struct MetaImage {
  private let header: TextHeader

  init(_ header: TextHeader) { self.header = header }

  /// Splits key and value at `=`, or `:` in old files. The key `ElementDataFile` is the last.
  static func line(_ text: String) -> TextHeader.Line {
    if text.allSatisfy(\.isWhitespace) { return .other }
    guard let separator = text.firstIndex(where: { $0 == "=" || $0 == ":" }) else { return .foreign }
    let key = text[..<separator].trimmingCharacters(in: .whitespaces)
    let value = text[text.index(after: separator)...].trimmingCharacters(in: .whitespaces)
    guard !key.isEmpty, key.utf8.count < 500 else { return .foreign }
    return key.lowercased() == "elementdatafile" ? .last(key: key, value: value) : .field(key: key, value: value)
  }

  /// - Parameter channels: the number of channels to be read; nil for any.
  func volume(_ channels: Int?) throws -> (Geometry, VolumeShape, StoredVoxels) {
    let (shape, axes) = try shape(channels: channels)
    let grid = try geometry(shape.size, axes: axes)
    return (grid, shape, try voxels(shape))
  }

  /// The shape, and the number of axes that the header has.
  func shape(channels: Int?) throws -> (shape: VolumeShape, axes: Int) {
    guard header.fields["ndims"] != nil, header.fields["elementdatafile"] != nil else {
      throw TextHeader.foreign(header.url)
    }
    guard let axes = header.integers("ndims", atMost: 1)?.first, (1...10).contains(axes) else {
      throw header.fault("ndims", "a number of axes from 1 to 10")
    }
    guard let dimensions = header.integers("dimsize", atMost: 16), dimensions.count >= axes else {
      throw header.fault("dimsize", "\(axes) whole numbers")
    }
    let numbers = try number("elementnumberofchannels", or: 1)
    let shape = try VolumeShape(
      Array(dimensions.prefix(axes)), numbers: numbers, channels: channels, of: header.url)
    return (shape, axes)
  }

  // MARK: - Place

  private func geometry(_ size: SIMD3<Int>, axes: Int) throws -> Geometry {
    let spacing =
      try numbers(["elementspacing"], axes) ?? numbers(["elementsize"], axes) ?? [Double](repeating: 1, count: axes)
    let origin = try numbers(["offset", "position", "origin"], axes)
    let matrix = try numbers(["transformmatrix", "rotation", "orientation"], axes * axes)
    var grid = Geometry(size: size)
    for axis in 0..<min(axes, 3) {
      grid.spacingMM[axis] = spacing[axis]
      if let origin { grid.originMM[axis] = origin[axis] }
      guard let matrix else { continue }
      for row in 0..<min(axes, 3) { grid.direction[3 * row + axis] = matrix[axis * axes + row] }
    }
    return grid
  }

  /// The value of the first key present, as `count` numbers.
  private func numbers(_ keys: [String], _ count: Int) throws -> [Double]? {
    guard let key = keys.first(where: { header.fields[$0] != nil }) else { return nil }
    guard let values = header.numbers(key), values.count >= count else {
      throw header.fault(key, "\(count) numbers")
    }
    return Array(values.prefix(count))
  }

  private func number(_ key: String, or standard: Int) throws -> Int {
    guard header.fields[key] != nil else { return standard }
    guard let value = header.integers(key, atMost: 1)?.first else { throw header.fault(key, "a whole number") }
    return value
  }

  private func isTrue(_ key: String) -> Bool? { header.fields[key].map { "Tt1".contains($0.first ?? "F") } }

  // MARK: - Voxels

  private static let types: [String: VoxelType] = [
    "MET_CHAR": .int8, "MET_UCHAR": .uint8, "MET_SHORT": .int16, "MET_USHORT": .uint16, "MET_INT": .int32,
    "MET_UINT": .uint32, "MET_LONG": .int32, "MET_ULONG": .uint32, "MET_LONG_LONG": .int64, "MET_ULONG_LONG": .uint64,
    "MET_FLOAT": .float32, "MET_DOUBLE": .float64,
  ]

  private func voxels(_ shape: VolumeShape) throws -> StoredVoxels {
    guard isTrue("binarydata") != false else {
      throw Refusal(
        .image, header.url.path, "its voxels are stored as text", detail: "expected bytes",
        remedy: "export it again as NIfTI")
    }
    guard let type = Self.types[header.fields["elementtype"] ?? ""] else {
      throw header.fault("elementtype", "a number's type such as MET_SHORT")
    }
    let name = header.fields["elementdatafile"]!
    guard !name.isEmpty else { throw header.fault("elementdatafile", "LOCAL or a file's name") }
    let isAttached = name.uppercased() == "LOCAL"
    let data = try isAttached ? header.url : header.dataFile(name)
    let isCompressed = isTrue("compresseddata") ?? false
    let skipped = try number("headersize", or: 0)
    let fromEnd = fileSize(data) - shape.byteCount(type.bytes)
    guard skipped >= -1, skipped >= 0 || !isCompressed else {
      throw header.fault("headersize", isCompressed ? "a count of bytes" : "a count of bytes or -1")
    }
    let offset = skipped > 0 ? skipped : skipped == -1 ? max(0, fromEnd) : isAttached ? header.length : 0
    if isCompressed { try requireCompressedSize(fileSize(data) - offset) }
    reportScaling()
    return StoredVoxels(
      url: header.url, data: data, type: type,
      isSwapped: isTrue("binarydatabyteordermsb") ?? isTrue("elementbyteordermsb") ?? false,
      encoding: isCompressed ? .deflate : .raw, offset: offset)
  }

  private func requireCompressedSize(_ held: Int) throws {
    guard header.fields["compresseddatasize"] != nil else { return }
    let promised = try number("compresseddatasize", or: 0)
    guard promised == held else {
      throw Refusal(
        .image, header.url.path, "its header promises \(promised) compressed bytes, but the file holds \(held)",
        detail: "it is damaged", remedy: "copy it again from its source")
    }
  }

  private func reportScaling() {
    let (slope, offset) = ("elementtointensityfunctionslope", "elementtointensityfunctionoffset")
    guard (header.numbers(slope)?.first ?? 1, header.numbers(offset)?.first ?? 0) != (1, 0) else { return }
    Warnings.report(
      header.url,
      "its ElementToIntensityFunction was not applied, as in ITK; save it with the intensities that are meant.",
      kind: "with an ElementToIntensityFunction")
  }
}
