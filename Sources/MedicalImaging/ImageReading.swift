import CITK
import Foundation

extension Volume where Voxel == Float {
  /// Reads a 3-D NIfTI (`.nii`, `.nii.gz`), NRRD (`.nrrd`, `.nhdr`) or MetaImage (`.mha`, `.mhd`) of any voxel type.
  ///
  /// Intensities are the stored values times the file's slope plus its intercept, NaN included.
  /// - Throws: `ImagingError` where the file is missing, damaged, of another format or not 3-D.
  public init(contentsOf url: URL) throws {
    let file = try ImageFile(url)
    self.init(repeating: 0, geometry: file.geometry)
    try voxels.withUnsafeMutableBufferPointer {
      try checked(url.path, citk_file_read_float(file.handle, $0.baseAddress!))
    }
  }
}

extension Volume where Voxel == UInt8 {
  /// Reads labels from the formats that `Image.init(contentsOf:)` reads, whatever their voxel type.
  ///
  /// - Throws: as for images, and `ImagingError` where a value is not a whole number from 0 to 255.
  public init(contentsOf url: URL) throws {
    let file = try ImageFile(url)
    var values = Volume<Double>(repeating: 0, geometry: file.geometry)
    try values.voxels.withUnsafeMutableBufferPointer {
      try checked(url.path, citk_file_read_double(file.handle, $0.baseAddress!))
    }
    self.init(repeating: 0, geometry: file.geometry)
    for (index, value) in values.voxels.enumerated() {
      guard let label = UInt8(exactly: value) else {
        throw ImagingError("\(url.path): label \(value); labels must be whole numbers from 0 to 255.")
      }
      voxels[index] = label
    }
  }
}

/// A file whose header has been read and judged, and whose voxels are still on disk.
final class ImageFile {
  let handle: OpaquePointer
  let geometry: Geometry

  init(_ url: URL) throws {
    let name = url.lastPathComponent.lowercased()
    let format = name.hasSuffix(".nii") || name.hasSuffix(".nii.gz") ? citk_nifti : name.hasSuffix(".mha") || name.hasSuffix(".mhd") ? citk_meta : citk_nrrd
    guard let handle = citk_file_open(url.path, format) else {
      throw ImagingError("\(url.path): cannot be read: \(lastITKError())")
    }
    self.handle = handle
    var frame = [Double](repeating: 0, count: 15)
    citk_file_frame(handle, &frame)
    let sizes = (0..<3).map { $0 < citk_file_dimension_count(handle) ? citk_file_dimension(handle, $0) : 1 }
    geometry = Geometry(size: SIMD3(sizes[0], sizes[1], sizes[2]), frame: frame)
  }

  deinit { citk_file_free(handle) }
}
