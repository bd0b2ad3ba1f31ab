import CITK
import Files
import Foundation

/// A volume's file whose header has been read and judged, and whose voxels, all there, are still on disk.
enum ImageFile {
  case nifti(NIfTIFile)
  case other(ITKFile)

  init(_ url: URL) throws {
    let format = try ImageFormat(of: url)
    try requireContents(of: url)
    precondition(!format.isPicture, "\(url.path) is a picture")
    self = try format == .nifti ? .nifti(NIfTIFile(url)) : .other(ITKFile(url, format))
    try geometry.requireUsable(in: url)
  }

  var geometry: Geometry {
    switch self {
    case .nifti(let file): file.geometry
    case .other(let file): file.geometry
    }
  }

  func read(into voxels: inout [Float]) throws {
    switch self {
    case .nifti(let file): try file.read(into: &voxels)
    case .other(let file): try file.require(citk_file_read_float(file.handle, &voxels))
    }
  }

  func read(into voxels: inout [Double]) throws {
    switch self {
    case .nifti(let file): try file.read(into: &voxels)
    case .other(let file): try file.require(citk_file_read_double(file.handle, &voxels))
    }
  }
}

/// A MetaImage or NRRD file.
final class ITKFile {
  let url: URL
  let geometry: Geometry
  let handle: OpaquePointer

  init(_ url: URL, _ format: ImageFormat) throws {
    self.url = url
    let header = try TextHeader(url, separator: format == .meta ? "=" : ":")
    let data = try header.requireDataFile(of: url)
    // Without it ITK's reader leaves garbage and says nothing.
    guard format != .meta || header.encoding != .deflate || header.fields["compresseddatasize"] != nil else {
      throw ImagingError(
        "\(url.path): its header has no CompressedDataSize, which compressed voxels need; export it again as NIfTI.")
    }
    handle = try open(url, as: format == .meta ? citk_meta : citk_nrrd)
    var grid = try judgedGeometry(of: handle, url)
    if format == .nrrd { NRRDSpace(header, url)?.place(&grid, header) }
    geometry = grid
    try requireVoxels(of: url, data, header, size: geometry.size, voxelBytes: citk_file_component_bytes(handle))
  }

  deinit { citk_file_free(handle) }

  func require(_ success: Bool) throws {
    try checked(success) { "\(url.path): its voxels cannot be read (\($0)); export it again as NIfTI." }
  }
}

private func open(_ url: URL, as format: citk_format) throws -> OpaquePointer {
  guard let handle = citk_file_open(url.path, format, true) else {
    throw ImagingError("\(url.path): its header cannot be read (\(lastITKError())); export it again as NIfTI.")
  }
  return handle
}

private func judgedGeometry(of handle: OpaquePointer, _ url: URL) throws -> Geometry {
  let size = try volumeSize((0..<citk_file_dimension_count(handle)).map { citk_file_dimension(handle, $0) }, of: url)
  let components = citk_file_components(handle)
  guard ![3, 4].contains(components) else { throw colours(url, "\(components) numbers each") }
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
    guard fields["binarydata"]?.lowercased() != "false" else {
      throw ImagingError("\(url.path): its voxels are stored as text; expected bytes: export it again as NIfTI.")
    }
    if let denial = accessDenial(of: dataFile) { throw ImagingError(denial) }
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
  let skipped = header.fields["headersize"].flatMap(Int.init) ?? 0
  let offset = skipped > 0 ? skipped : header.isAttached ? header.length : 0
  var held = max(0, fileSize(data) - offset) * (header.encoding == .raw ? 1 : largestInflation)
  if header.encoding == .deflate, promised <= held {
    guard citk_inflated_count(data.path, offset, &held) || held < promised else { throw damaged(url) }
  }
  guard promised <= held else { throw cutShort(url, size: size, voxelBytes: voxelBytes, found: held) }
  if let compressed = header.fields["compresseddatasize"], Int(compressed) != fileSize(data) - offset {
    throw ImagingError(
      "\(url.path): its header promises \(compressed) compressed bytes, but the file holds \(fileSize(data) - offset); "
        + "it is damaged: copy it again from its source.")
  }
}
