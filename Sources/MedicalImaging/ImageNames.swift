public import Foundation

/// The readability of a file, judged by its name.
public enum ImageNameKind: Equatable, Sendable {
  /// A format that is read.
  case read
  /// Voxels with a header in a file beside them; the header is read instead.
  case voxels
  /// An image of a format that is not read.
  case unread
  case other
}

private let headersOfVoxels = [
  ".img": [".hdr"], ".img.gz": [".hdr", ".hdr.gz"], ".raw": [".mhd", ".nhdr"], ".zraw": [".mhd"],
  ".raw.gz": [".nhdr"],
]

/// Extensions not read: unsupported compressions, then volumes of other programs, then pictures.
private let unreadEndings =
  [".bz2", ".xz", ".zst", ".lz4", ".z", ".zip"].map { ".nii" + $0 } + [".mha.gz", ".nrrd.gz"]
  + [
    ".img", ".img.gz", ".mgz", ".mgh", ".mnc", ".mif", ".mif.gz", ".mih", ".gipl", ".gipl.gz", ".nia", ".vti",
    ".head", ".brik", ".brik.gz", ".par", ".rec", ".dcm", ".ima", ".npy",
  ] + [".bmp", ".gif", ".webp", ".jp2", ".j2k", ".heic", ".ppm", ".pgm", ".svs", ".ndpi"]

/// Judges by names whether a file is read as an image, looks like one that is not read, or is neither.
public func imageNameKind(_ url: URL) -> ImageNameKind {
  let name = url.lastPathComponent.lowercased()
  guard !name.hasPrefix(".") else { return .other }
  if readableEndings.contains(where: name.hasSuffix) { return .read }
  for (ending, headers) in headersOfVoxels where name.hasSuffix(ending) {
    let stem = url.path.dropLast(ending.count)
    if headers.contains(where: { readableEndings.contains($0) && FileManager.default.fileExists(atPath: stem + $0) }) {
      return .voxels
    }
  }
  return unreadEndings.contains(where: name.hasSuffix) ? .unread : .other
}
