import CITK
import Foundation

/// Deflate's largest ratio: so many bytes can come of one compressed byte.
let largestInflation = 1032

/// A NIfTI file (version 1 or 2, gzipped or not) whose header has been judged.
struct NIfTIFile {
  let url: URL
  let header: NIfTIHeader
  let geometry: Geometry

  init(_ url: URL) throws {
    self.url = url
    let isCompressed = try compression(of: url)
    header = try niftiHeader(of: url)
    let size = try volumeSize(header.dimensions, of: url)
    guard let voxelBytes = header.bytesPerVoxel else {
      throw ImagingError(
        "\(url.path): its voxels are of NIfTI data type \(header.datatype); expected one integer or float a voxel.")
    }
    geometry = header.geometry.geometry(size: size)
    try requireVoxels(isCompressed, voxelBytes: voxelBytes)
  }

  /// Throws unless the file holds all voxels, before memory is taken for them.
  private func requireVoxels(_ isCompressed: Bool, voxelBytes: Int) throws {
    let (end, overflow) = byteCount(geometry.size, voxelBytes: voxelBytes)
      .addingReportingOverflow(header.dataOffset)
    var held = fileSize(url) * (isCompressed ? largestInflation : 1)
    if isCompressed, !overflow, end <= held, try gzipTrailer(of: url) != UInt32(truncatingIfNeeded: end) {
      _ = citk_inflated_count(url.path, 0, &held)  // cut short, of several members, or with something after the voxels
    }
    guard header.dataOffset >= 352, !overflow, end <= held else {
      throw cutShort(url, size: geometry.size, voxelBytes: voxelBytes, found: max(0, held - max(0, header.dataOffset)))
    }
  }

  func read(into voxels: inout [Float]) throws {
    try require(
      citk_read_nifti_float(
        url.path, Int32(header.datatype), header.dataOffset, header.isSwapped, header.slope, header.intercept, &voxels,
        voxels.count))
  }

  func read(into voxels: inout [Double]) throws {
    try require(
      citk_read_nifti_double(
        url.path, Int32(header.datatype), header.dataOffset, header.isSwapped, header.slope, header.intercept, &voxels,
        voxels.count))
  }

  private func require(_ success: Bool) throws {
    guard success else { throw damaged(url) }
  }
}

/// Whether the file is gzip's; throws where its name says otherwise.
private func compression(of url: URL) throws -> Bool {
  let start = try FileHandle(forReadingFrom: url).read(upToCount: 2)
  let isCompressed = start == Data([0x1f, 0x8b])
  let saysCompressed = url.pathExtension.lowercased() == "gz"
  guard isCompressed || !saysCompressed else {
    throw ImagingError("\(url.path): its name ends in .gz but it is not gzip data; rename it to .nii or compress it.")
  }
  guard saysCompressed || !isCompressed else {
    throw ImagingError("\(url.path): its name ends in .nii but it is gzip data; rename it to .nii.gz.")
  }
  return isCompressed
}

private func niftiHeader(of url: URL) throws -> NIfTIHeader {
  var bytes = [UInt8](repeating: 0, count: NIfTIHeader.length)
  bytes.removeLast(bytes.count - citk_inflate_head(url.path, &bytes, bytes.count))
  guard let header = NIfTIHeader(bytes) else {
    throw ImagingError("\(url.path): it does not begin with a NIfTI-1 or NIfTI-2 header; export it again as NIfTI.")
  }
  return header
}

/// The count of decompressed bytes, modulo 2³², that ends a gzip file of one member.
private func gzipTrailer(of url: URL) throws -> UInt32 {
  let file = try FileHandle(forReadingFrom: url)
  defer { try? file.close() }
  try file.seek(toOffset: file.seekToEnd() - 4)
  return try (file.read(upToCount: 4) ?? Data()).reversed().reduce(0) { $0 << 8 | UInt32($1) }
}
