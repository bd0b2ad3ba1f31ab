import CITK
import Foundation

/// Deflate's largest ratio: so many bytes can come of one compressed byte.
let largestInflation = 1032

/// Lays any NIfTI file (version 1 or 2, gzipped or not) out as uncompressed NIfTI-1 in the temporary folder.
///
/// ITK 5.2 reads no NIfTI-2, returns garbage for files cut short and refuses some orientations; what it gets here has
/// all its voxels and no orientation. The caller removes the file.
/// - Returns: The temporary file, and the original's geometry.
func plainNIfTI(from url: URL) throws -> (URL, Geometry) {
  let isCompressed = try compression(of: url)
  let header = try niftiHeader(of: url, isCompressed)
  let size = try volumeSize(header.dimensions, of: url)
  guard let bytes = header.bytesPerVoxel else {
    throw ImagingError(
      "\(url.path): its voxels are of NIfTI data type \(header.datatype); expected one integer or float a voxel.")
  }
  guard size.max() <= Int(Int16.max) else {
    throw ImagingError("\(url.path): an axis of \(size.max()) voxels; at most \(Int16.max) can be read: crop it.")
  }
  let end = byteCount(size, voxelBytes: bytes).addingReportingOverflow(header.dataOffset)
  let held = fileSize(url) * (isCompressed ? largestInflation : 1)
  guard header.dataOffset >= 352, !end.overflow, end.partialValue <= held else {
    throw cutShort(url, size: size, voxelBytes: bytes, found: max(0, held - header.dataOffset))
  }
  let plain = FileManager.default.temporaryDirectory.appendingPathComponent("dualnorm-\(UUID().uuidString).nii")
  do {
    if isCompressed {
      try inflate(url, to: plain, end: end.partialValue) {
        cutShort(url, size: size, voxelBytes: bytes, found: max(0, $0 - header.dataOffset))
      }
    } else {
      try Data(contentsOf: url, options: .alwaysMapped).write(to: plain)
    }
    let file = try FileHandle(forWritingTo: plain)
    try file.write(contentsOf: header.plain)
    try file.close()
  } catch {
    try? FileManager.default.removeItem(at: plain)
    throw error as? ImagingError
      ?? ImagingError("\(url.path): cannot be unpacked in \(plain.deletingLastPathComponent().path); free space there.")
  }
  return (plain, header.geometry.geometry(size: size))
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

private func niftiHeader(of url: URL, _ isCompressed: Bool) throws -> NIfTIHeader {
  var bytes = [UInt8](repeating: 0, count: NIfTIHeader.length)
  if isCompressed {
    bytes.removeLast(bytes.count - citk_inflate_head(url.path, &bytes, bytes.count))
  } else {
    bytes = try Array(FileHandle(forReadingFrom: url).read(upToCount: bytes.count) ?? Data())
  }
  guard let header = NIfTIHeader(bytes) else {
    throw ImagingError("\(url.path): it does not begin with a NIfTI-1 or NIfTI-2 header; export it again as NIfTI.")
  }
  return header
}

/// Writes the first `end` bytes of the decompressed file; `shortage` is the error where there are fewer.
private func inflate(_ url: URL, to plain: URL, end: Int, shortage: (Int) -> ImagingError) throws {
  var bytes = 0
  let result = citk_inflate(url.path, 0, plain.path, end, &bytes)
  guard result != citk_unwritable else { throw CocoaError(.fileWriteOutOfSpace) }
  guard bytes >= end else { throw shortage(bytes) }
  guard result == citk_inflated else { throw damaged(url) }
}
