import CITK
import Foundation

/// A file whose header has been read and judged, and whose voxels, all there, are still on disk.
final class ImageFile {
  let url: URL
  let geometry: Geometry
  private let handle: OpaquePointer
  private let temporary: URL?

  init(_ url: URL) throws {
    self.url = url
    let format = try ImageFormat(of: url)
    try requireContents(of: url)
    switch format {
    case .nifti:
      let (plain, geometry) = try plainNIfTI(from: url)
      temporary = plain
      do {
        handle = try open(plain, as: citk_nifti, for: url)
      } catch {
        try? FileManager.default.removeItem(at: plain)
        throw error
      }
      self.geometry = geometry
    case .nrrd, .meta:
      let header = try TextHeader(url, separator: format == .meta ? "=" : ":")
      let data = try header.requireDataFile(of: url)
      temporary = nil
      handle = try open(url, as: format == .meta ? citk_meta : citk_nrrd, for: url)
      geometry = try judgedGeometry(of: handle, url)
      let voxelBytes = citk_file_component_bytes(handle)
      try requireVoxels(of: url, data, header, size: geometry.size, voxelBytes: voxelBytes)
    }
    try geometry.requireUsable(in: url)
  }

  deinit {
    citk_file_free(handle)
    if let temporary { try? FileManager.default.removeItem(at: temporary) }
  }

  func read(into voxels: inout [Float]) throws {
    try voxels.withUnsafeMutableBufferPointer { try require(citk_file_read_float(handle, $0.baseAddress!)) }
  }

  func read(into voxels: inout [Double]) throws {
    try voxels.withUnsafeMutableBufferPointer { try require(citk_file_read_double(handle, $0.baseAddress!)) }
  }

  private func require(_ success: Bool) throws {
    guard success else {
      throw ImagingError("\(url.path): its voxels cannot be read (\(lastITKError())); export it again as NIfTI.")
    }
  }
}

private func open(_ path: URL, as format: citk_format, for url: URL) throws -> OpaquePointer {
  guard let handle = citk_file_open(path.path, format) else {
    throw ImagingError("\(url.path): its header cannot be read (\(lastITKError())); export it again as NIfTI.")
  }
  return handle
}

private func judgedGeometry(of handle: OpaquePointer, _ url: URL) throws -> Geometry {
  let size = try volumeSize((0..<citk_file_dimension_count(handle)).map { citk_file_dimension(handle, $0) }, of: url)
  let components = citk_file_components(handle)
  guard components == 1 else {
    throw ImagingError("\(url.path): it has \(components) numbers a voxel; expected one: split it into one file each.")
  }
  var frame = [Double](repeating: 0, count: 15)
  citk_file_frame(handle, &frame)
  return Geometry(size: size, frame: frame)
}

extension TextHeader {
  fileprivate func requireDataFile(of url: URL) throws -> URL {
    guard let dataFile else {
      throw ImagingError("\(url.path): its voxels are in several files; expected one: export it again as NIfTI.")
    }
    guard FileManager.default.fileExists(atPath: dataFile.path) else {
      throw ImagingError("\(url.path): its voxels' file \(dataFile.path) is missing; copy both files together.")
    }
    return dataFile
  }
}

/// Throws unless the file that a MetaImage or NRRD header speaks of can hold its voxels.
///
/// ITK's MetaImage reader leaves garbage where voxels are missing; its NRRD reader notices, but takes the memory first.
private func requireVoxels(of url: URL, _ data: URL, _ header: TextHeader, size: SIMD3<Int>, voxelBytes: Int) throws {
  let promised = byteCount(size, voxelBytes: voxelBytes)
  let offset = header.isAttached ? header.length : 0
  var held = max(0, fileSize(data) - offset) * (header.encoding == .raw ? 1 : largestInflation)
  if header.encoding == .deflate, promised <= held {
    let result = citk_inflate(data.path, offset, nil, 0, &held)
    guard result == citk_inflated || held < promised else { throw damaged(url) }
  }
  guard promised <= held else { throw cutShort(url, size: size, voxelBytes: voxelBytes, found: held) }
}
