import Foundation

extension Volume where Voxel == Float {
  /// Reads a 3-D NIfTI (`.nii`, `.nii.gz`), NRRD (`.nrrd`, `.nhdr`) or MetaImage (`.mha`, `.mhd`) of any voxel type, a
  /// folder's DICOM series, or a grey picture; see `channels(contentsOf:)` for colour.
  ///
  /// Intensities are the stored values times the file's slope plus its intercept, NaN included. Further axes of
  /// length 1 are dropped. Where a NIfTI file's sform and qform differ, its sform counts.
  /// - Parameter series: which one of a DICOM folder, as `DICOMSeries` takes it.
  /// - Throws: `ImagingError` where the file is missing, damaged, of another format, not 3-D or in colour.
  public init(contentsOf url: URL, series: String? = nil) throws {
    if holdsDICOM(url) {
      self = try DICOMSeries(contentsOf: url, series: series).image()
      return
    }
    if isPicture(url) {
      self = try Image.grey(contentsOf: url)
      return
    }
    let file = try ImageFile(url)
    self.init(repeating: 0, geometry: file.geometry)
    try file.read(into: &voxels)
  }
}

extension Volume where Voxel == UInt8 {
  /// Reads labels from the formats that `Image.init(contentsOf:)` reads, whatever their voxel type; of a picture its grey
  /// values or its palette's indices.
  ///
  /// - Throws: as for images, and `ImagingError` where a value is not a whole number from 0 to 255, or for a picture that
  ///   is a JPEG or in colour.
  public init(contentsOf url: URL) throws {
    let geometry: Geometry
    var values: [Double]
    if isPicture(url) {
      let picture = try Image.labelPicture(contentsOf: url)
      geometry = picture.geometry
      values = picture.voxels.map(Double.init)
    } else {
      let file = try ImageFile(url)
      geometry = file.geometry
      values = [Double](repeating: 0, count: geometry.voxelCount)
      try file.read(into: &values)
    }
    self.init(repeating: 0, geometry: geometry)
    let wrong = values.withUnsafeBufferPointer { values in
      voxels.withUnsafeMutableBufferPointer { labels in
        values.indices.first { index in
          guard let label = UInt8(exactly: values[index]) else { return true }
          labels[index] = label
          return false
        }
      }
    }
    if let wrong {
      let (x, y) = (wrong % geometry.size.x, wrong / geometry.size.x % geometry.size.y)
      throw ImagingError(
        "\(url.path): voxel (\(x), \(y), \(wrong / geometry.sliceCount)) is \(values[wrong]); "
          + "labels must be whole numbers from 0 to 255: is this an image?")
    }
  }
}
