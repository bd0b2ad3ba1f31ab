import Basics
import CITK
public import Foundation

extension Volume where Voxel == Float {
  /// Writes float32 NIfTI-1 (`.nii` or `.nii.gz`) with this volume's geometry.
  ///
  /// The fields of a source NIfTI file are kept. Another source's geometry is written in mm as both sform and qform.
  ///
  /// - Throws: `Refusal` for another extension, or for a full disk or a folder that cannot be written.
  public func write(to url: URL) throws {
    try writeNIfTI(voxels, CITKComponentFloat32, geometry.sizeArray, geometry, to: url)
  }

  /// Writes int16 if every voxel is a 16-bit whole number, as in CT: equal values in half the bytes.
  ///
  /// Otherwise it writes like `write(to:)`, with its errors.
  public func writeCompactly(to url: URL) throws {
    let integers = voxels.compactMap { Int16(exactly: $0) }
    guard integers.count == voxels.count else { return try write(to: url) }
    try writeNIfTI(integers, CITKComponentInt16, geometry.sizeArray, geometry, to: url)
  }
}

extension Volume where Voxel == LabelValue {
  /// Writes NIfTI-1 (`.nii` or `.nii.gz`) with this volume's geometry, as images are written.
  ///
  /// The voxels are uint8 if that type holds all labels, otherwise uint16. One slice may also be a grey `.png` of as many
  /// bits, which keeps no geometry.
  ///
  /// - Parameter largest: a label for which the type has room, be it in this map or not.
  /// - Throws: `Refusal` for another extension or more slices than a PNG holds, or for a full disk or a
  ///   folder that cannot be written.
  public func write(to url: URL, withRoomFor largest: LabelValue = 0) throws {
    let bytes = max(largest, voxels.max() ?? 0) > UInt8.max ? nil : voxels.map(UInt8.init)
    guard url.pathExtension.lowercased() == "png" else {
      if let bytes { return try writeNIfTI(bytes, CITKComponentUInt8, geometry.sizeArray, geometry, to: url) }
      return try writeNIfTI(voxels, CITKComponentUInt16, geometry.sizeArray, geometry, to: url)
    }
    guard geometry.size.z == 1 else {
      throw Refusal(
        .image, url.path, "a volume of \(geometry.size.z) slices, and a PNG holds one",
        remedy: "name the output .nii.gz or .nii")
    }
    let (width, height) = (geometry.size.x, geometry.size.y)
    if let bytes { return try writePNG(bytes, width: width, height: height, components: 1, to: url) }
    let png = try pngData(width, height) { citk_png_encode_uint16(width, height, voxels, $0) }
    try writeAtomically(png, to: url)
  }
}

/// Writes 8 bits a component, grey (1) or red, green and blue (3) of each pixel.
func writePNG(_ pixels: [UInt8], width: Int, height: Int, components: Int, to url: URL) throws {
  try writeAtomically(pngData(pixels, width: width, height: height, components: components), to: url)
}

/// The bytes of a PNG file of 8 bits a component, rows from the top.
///
/// Each pixel is grey (1 component) or red, green and blue (3).
///
/// - Throws: `Refusal` if memory runs out.
public func pngData(_ pixels: [UInt8], width: Int, height: Int, components: Int) throws -> Data {
  precondition([1, 3].contains(components), "a PNG of \(components) components")
  precondition(pixels.count == width * height * components, "\(pixels.count) values do not fill \(width)×\(height)")
  return try pngData(width, height) { citk_png_encode(width, height, components, pixels, $0) }
}

private func pngData(
  _ width: Int, _ height: Int, encode: (UnsafeMutablePointer<Int>) -> UnsafeMutablePointer<UInt8>?
) throws -> Data {
  var count = 0
  guard let bytes = encode(&count) else {
    throw Refusal(
      .image, "A picture of \(width)×\(height) pixels cannot be made (\(lastITKError()))", remedy: "free some memory")
  }
  return Data(bytesNoCopy: bytes, count: count, deallocator: .free)
}

/// Writes volumes of one geometry as one float32 4-D NIfTI-1, `[x, y, z, channel]`.
///
/// - Precondition: at least one channel, all of the same geometry.
/// - Throws: the errors of `Volume.write(to:)`.
public func writeChannels(_ channels: [Image], to url: URL) throws {
  precondition(!channels.isEmpty, "no channels to write")
  let geometry = channels[0].geometry
  precondition(channels.allSatisfy { $0.geometry == geometry }, "channels of different geometries")
  try writeNIfTI(
    channels.flatMap(\.voxels), CITKComponentFloat32, geometry.sizeArray + [channels.count], geometry, to: url)
}

/// Writes one 4-D int16 file if every voxel of the channels is a 16-bit whole number, otherwise like `writeChannels`.
///
/// One channel becomes a 3-D file.
public func writeChannelsCompactly(_ channels: [Image], to url: URL) throws {
  guard channels.count > 1 else { return try channels[0].writeCompactly(to: url) }
  let integers = channels.flatMap { $0.voxels.compactMap { Int16(exactly: $0) } }
  let geometry = channels[0].geometry
  guard integers.count == channels.count * geometry.voxelCount else { return try writeChannels(channels, to: url) }
  try writeNIfTI(integers, CITKComponentInt16, geometry.sizeArray + [channels.count], geometry, to: url)
}

private func writeNIfTI<Voxel>(
  _ voxels: [Voxel], _ component: CITKComponent, _ size: [Int], _ geometry: Geometry, to url: URL
) throws {
  let name = url.lastPathComponent.lowercased()
  guard name.hasSuffix(".nii") || name.hasSuffix(".nii.gz") else {
    throw Refusal(.image, url.path, "volumes are written as NIfTI", remedy: "name the output .nii.gz or .nii")
  }
  if let length = size.max(), length > Int(Int16.max) {
    throw Refusal(.image, url.path, "an axis of \(length) voxels", detail: "NIfTI-1 holds at most \(Int16.max)")
  }
  let isCompressed = name.hasSuffix(".gz")
  try requireReplaceable(url)
  // ITK writes an uncompressed file beside the one to be compressed.
  let beside = isCompressed ? try PartialPath(file: url, ending: "nii") : nil
  // Keep that file until the refusal below has tested whether the disk is full.
  defer { withExtendedLifetime(beside) {} }
  let count = 352 + MemoryLayout<Voxel>.stride * voxels.count
  try writeAtomically(to: url) { temporary in
    let plain = beside?.url ?? temporary
    // Check first: on a full disk ITK's library prints to standard error.
    try requireRoom(for: count, of: url, at: plain)
    let written = voxels.withUnsafeBytes {
      citk_write_nifti(plain.path, component, size.count, size, geometry.frame, $0.baseAddress!)
    }
    guard written, fileSize(plain) == count else {
      throw WritingFailure(description: written ? "not all bytes arrived" : lastITKError())
    }
    try storePlace(of: geometry, channels: size.count > 3, in: plain)
    if isCompressed { try checked(citk_gzip(plain.path, temporary.path), WritingFailure.init) }
  } refusal: {
    unwritten(url, $0)
  }
}

/// The reason of a library that could not write a file.
private struct WritingFailure: Error, CustomStringConvertible {
  let description: String
}

/// The error for a file that a library could not write, with its reason.
private func unwritten(_ url: URL, _ reason: any Error) -> Refusal {
  Refusal(.image, url.path, "cannot be written (\(reason))", remedy: "check its disk, or choose another output")
}

/// Overwrites the position that ITK wrote.
///
/// A grid read from NIfTI gets its own fields to the last bit. Any other gets its exact sform, since ITK makes the axes
/// exactly perpendicular.
private func storePlace(of geometry: Geometry, channels: Bool, in file: URL) throws {
  let handle = try FileHandle(forUpdating: file)
  defer { try? handle.close() }
  func store(_ bytes: Data, at offset: UInt64) throws {
    try handle.seek(toOffset: offset)
    try handle.write(contentsOf: bytes)
  }
  guard let fields = geometry.storedForms else {
    let rows = (0..<3).flatMap { row in
      let toRAS = row < 2 ? -1.0 : 1.0
      let values = (0..<3).map { geometry.axis($0)[row] * geometry.spacingMM[$0] } + [geometry.originMM[row]]
      return values.map { 0 + toRAS * $0 }
    }
    return try store(floats(rows), at: 280)
  }
  var pixdim = fields.pixdim
  if channels { for axis in 3...4 where pixdim[axis] == 0 { pixdim[axis] = 1 } }  // ITK reads no spacing of 0
  try store(floats(pixdim), at: 76)
  try store(Data([fields.units]), at: 123)
  let codes = [fields.qformCode, fields.sformCode].map { UInt16(bitPattern: Int16(clamping: $0)) }
  try store(Data(codes.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }), at: 252)
  try store(floats(fields.quaternion + fields.offset + fields.sform), at: 256)
}

private func floats(_ values: [Double]) -> Data {
  Data(values.flatMap { value in withUnsafeBytes(of: Float(value).bitPattern.littleEndian) { Array($0) } })
}
