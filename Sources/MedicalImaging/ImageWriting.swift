import CITK
import Files
import Foundation

extension Volume where Voxel == Float {
  /// Writes float32 NIfTI-1 (`.nii` or `.nii.gz`) with this volume's geometry, in mm, as both sform and qform.
  ///
  /// - Throws: `ImagingError` for another extension, `FileError` where the folder cannot be written.
  public func write(to url: URL) throws {
    try writeNIfTI(voxels, citk_float32, geometry.sizeArray, geometry, to: url)
  }
}

extension Volume where Voxel == UInt8 {
  /// Writes uint8 NIfTI-1 (`.nii` or `.nii.gz`) with this volume's geometry, in mm, as both sform and qform.
  ///
  /// - Throws: `ImagingError` for another extension, `FileError` where the folder cannot be written.
  public func write(to url: URL) throws {
    try writeNIfTI(voxels, citk_uint8, geometry.sizeArray, geometry, to: url)
  }
}

/// Writes volumes of one geometry as one float32 4-D NIfTI-1, `[x, y, z, channel]`.
///
/// - Precondition: at least one channel, all of the same geometry.
/// - Throws: as `Volume.write(to:)`.
public func writeChannels(_ channels: [Image], to url: URL) throws {
  precondition(!channels.isEmpty, "no channels to write")
  let geometry = channels[0].geometry
  precondition(channels.allSatisfy { $0.geometry == geometry }, "channels of different geometries")
  try writeNIfTI(channels.flatMap(\.voxels), citk_float32, geometry.sizeArray + [channels.count], geometry, to: url)
}

private func writeNIfTI<Voxel>(
  _ voxels: [Voxel], _ component: citk_component, _ size: [Int], _ geometry: Geometry, to url: URL
) throws {
  let name = url.lastPathComponent.lowercased()
  guard name.hasSuffix(".nii") || name.hasSuffix(".nii.gz") else {
    throw ImagingError("\(url.path): volumes are written as NIfTI; name the output .nii.gz or .nii.")
  }
  try writeAtomically(to: url) { temporary in
    try voxels.withUnsafeBytes { bytes in
      try checked(
        url.path,
        citk_write_nifti(temporary.path, component, size.count, size, geometry.frame, bytes.baseAddress!))
    }
  }
}
