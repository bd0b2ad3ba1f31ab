import Foundation

/// A NRRD header (`.nrrd`, `.nhdr`), interpreted like ITK's and Teem's readers.
struct NRRD {
  private let header: TextHeader

  init(_ header: TextHeader) { self.header = header }

  /// Parses the magic number, `key: value`, a user's `key:=value`, or `# comment`; an empty line ends the header.
  static func line(_ text: String) -> TextHeader.Line {
    if text.isEmpty { return .end }
    if text.hasPrefix("#") { return .other }
    if text.hasPrefix("NRRD"), text.count < 16 { return .field(key: "magic", value: text) }
    guard let colon = text.firstIndex(of: ":") else { return .foreign }
    let rest = text[text.index(after: colon)...]
    if rest.hasPrefix("=") { return .other }
    let key = text[..<colon].lowercased().filter { $0 != " " }
    // A field's value begins after one space; `key:` alone has none.
    guard keys.contains(key) else { return .foreign }
    return .field(key: key, value: rest.trimmingCharacters(in: .whitespaces))
  }

  private static let keys: Set<String> = [
    "content", "number", "type", "blocksize", "dimension", "space", "spacedimension", "sizes", "spacings",
    "thicknesses",
    "axismins", "axismaxs", "spacedirections", "centers", "centerings", "kinds", "labels", "units", "min", "max",
    "oldmin",
    "oldmax", "datafile", "endian", "encoding", "lineskip", "byteskip", "sampleunits", "spaceunits", "spaceorigin",
    "measurementframe",
  ]

  /// - Parameter channels: the number of channels to be read; nil for any.
  func volume(_ channels: Int?) throws -> (Geometry, VolumeShape, StoredVoxels) {
    let (shape, axes) = try shape(channels: channels)
    return (try axes.geometry(shape.size), shape, try voxels(shape))
  }

  func shape(channels: Int?) throws -> (shape: VolumeShape, axes: NRRDAxes) {
    let magics = ["NRRD00.01"] + (1...5).map { "NRRD000\($0)" }
    guard magics.contains(header.fields["magic"] ?? "") else { throw TextHeader.foreign(header.url) }
    guard let count = header.integers("dimension", atMost: 1)?.first, (1...16).contains(count) else {
      throw header.fault("dimension", "a number of axes from 1 to 16")
    }
    guard let sizes = header.integers("sizes"), sizes.count == count else {
      throw header.fault("sizes", "\(count) whole numbers")
    }
    let axes = try NRRDAxes(header, sizes)
    var shape = try VolumeShape(
      axes.spatial.map { sizes[$0] }, numbers: axes.numbersPerVoxel, channels: channels, of: header.url)
    if shape.isInterleaved { shape.isInterleaved = try axes.areNumbersFirst(sizes) }
    return (shape, axes)
  }

  // MARK: - Voxels

  private static let types: [String: VoxelType] = {
    let names: [(VoxelType, [String])] = [
      (.int8, ["signed char", "int8", "int8_t"]), (.uint8, ["uchar", "unsigned char", "uint8", "uint8_t"]),
      (.int16, ["short", "short int", "signed short", "signed short int", "int16", "int16_t"]),
      (.uint16, ["ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"]),
      (.int32, ["int", "signed int", "int32", "int32_t"]), (.uint32, ["uint", "unsigned int", "uint32", "uint32_t"]),
      (
        .int64,
        [
          "longlong", "long long", "long long int", "signed long long", "signed long long int", "int64", "int64_t",
        ]
      ),
      (.uint64, ["ulonglong", "unsigned long long", "unsigned long long int", "uint64", "uint64_t"]),
      (.float32, ["float"]), (.float64, ["double"]),
    ]
    return Dictionary(uniqueKeysWithValues: names.flatMap { type, names in names.map { ($0, type) } })
  }()

  private static let encodings: [String: StoredVoxels.Encoding] = [
    "raw": .raw, "gzip": .deflate, "gz": .deflate, "text": .text, "txt": .text, "ascii": .text, "hex": .hex,
  ]

  private func voxels(_ shape: VolumeShape) throws -> StoredVoxels {
    guard let type = Self.types[header.fields["type"]?.lowercased() ?? ""] else {
      throw header.fault("type", "a number's type such as short")
    }
    guard let encoding = Self.encodings[header.fields["encoding"]?.lowercased() ?? ""] else {
      throw header.fault("encoding", "raw, gzip, text or hex")
    }
    let order = header.fields["endian"]?.lowercased()
    guard type.bytes == 1 || encoding == .text || ["little", "big"].contains(order) else {
      throw header.fault("endian", "little or big")
    }
    let name = header.fields["datafile"]
    let data = try name.map { try header.dataFile($0) } ?? header.url
    var voxels = StoredVoxels(
      url: header.url, data: data, type: type, isSwapped: order == "big", encoding: encoding,
      offset: try skipLines(of: data, from: name == nil ? header.length : 0))
    try skipBytes(&voxels, shape)
    return voxels
  }

  /// Skips the bytes that the header puts before the voxels; a number below 0 counts from the end.
  private func skipBytes(_ voxels: inout StoredVoxels, _ shape: VolumeShape) throws {
    guard header.fields["byteskip"] != nil else { return }
    guard let count = header.integers("byteskip", atMost: 1)?.first, count >= -(1 << 40) else {
      throw header.fault("byteskip", "a count of bytes")
    }
    let promised = shape.byteCount(voxels.type.bytes)
    switch voxels.encoding {
    case .raw where count < 0: voxels.offset = max(0, fileSize(voxels.data) - promised + count + 1)
    case .raw:
      voxels.offset = voxels.offset.addingReportingOverflow(count).overflow ? .max : voxels.offset + count
    case .deflate where count >= 0: voxels.skip = count
    case .deflate: try voxels.skipToEnd(shape, trailing: -count - 1)
    case .text, .hex:
      guard count == 0 else { throw header.fault("byteskip", "0 for voxels in text") }
    }
  }

  /// The byte offset of the voxels, after the lines that the header puts before them.
  private func skipLines(of data: URL, from start: Int) throws -> Int {
    guard header.fields["lineskip"] != nil else { return start }
    guard var left = header.integers("lineskip", atMost: 1)?.first, left >= 0 else {
      throw header.fault("lineskip", "a count of lines")
    }
    let file = try FileHandle(forReadingFrom: data)
    defer { try? file.close() }
    try file.seek(toOffset: UInt64(start))
    var place = start
    while left > 0, let chunk = try file.read(upToCount: 1 << 20), !chunk.isEmpty {
      for byte in chunk where left > 0 {
        place += 1
        if byte == UInt8(ascii: "\n") { left -= 1 }
      }
    }
    guard left == 0 else { throw header.fault("lineskip", "no more lines than the file has") }
    return place
  }
}
