import Foundation

/// A volume's file with a validated header and complete voxels, which are still on disk.
enum ImageFile {
  case nifti(NIfTIFile)
  case text(TextVolume)

  init(_ url: URL) throws {
    let format = try ImageFormat(of: url)
    try requireContents(of: url)
    precondition(!format.isPicture, "\(url.path) is a picture")
    self = try format == .nifti ? .nifti(NIfTIFile(url)) : .text(TextVolume(url, format))
    try geometry.requireUsable(in: url)
  }

  var geometry: Geometry {
    switch self {
    case .nifti(let file): file.geometry
    case .text(let file): file.geometry
    }
  }

  func read(into voxels: inout [Float]) throws {
    switch self {
    case .nifti(let file): try file.read(into: &voxels)
    case .text(let file): try file.voxels.read(into: &voxels)
    }
  }

  func read(into voxels: inout [Double]) throws {
    switch self {
    case .nifti(let file): try file.read(into: &voxels)
    case .text(let file): try file.voxels.read(into: &voxels)
    }
  }
}
