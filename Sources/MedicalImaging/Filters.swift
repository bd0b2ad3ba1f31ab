import CITK

/// How a value between voxels is found.
public enum Interpolation: Sendable {
  case linear, nearest
}

extension Volume where Voxel == Float {
  /// This image on another grid; beyond its own, the nearest edge value.
  public func resampled(onto target: Geometry, interpolation: Interpolation) -> Image {
    var result = Image(repeating: 0, geometry: target)
    expected(
      citk_resample_float(
        voxels, geometry.sizeArray, geometry.frame, interpolation == .linear, &result.voxels, target.sizeArray,
        target.frame))
    return result
  }

  /// Convolution with a Gaussian of the given standard deviation in mm, by ITK's recursive filter (Deriche 1993).
  ///
  /// Beyond the edges the image goes on with its edge values. `sigmaMM` 0 changes nothing.
  public func smoothed(sigmaMM: Double) -> Image {
    precondition(sigmaMM >= 0, "a standard deviation of \(sigmaMM) mm")
    guard sigmaMM > 0 else { return self }
    var result = self
    expected(citk_smooth(&result.voxels, geometry.sizeArray, geometry.frame, sigmaMM))
    return result
  }
}

extension Volume where Voxel == UInt8 {
  /// These labels on another grid, each voxel the nearest label; beyond their own grid, the nearest edge label.
  public func resampled(onto target: Geometry) -> LabelMap {
    var result = LabelMap(repeating: 0, geometry: target)
    expected(
      citk_resample_uint8(
        voxels, geometry.sizeArray, geometry.frame, &result.voxels, target.sizeArray, target.frame))
    return result
  }
}
