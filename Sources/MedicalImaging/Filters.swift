import CITK

/// The interpolation of values between voxels.
public enum Interpolation: Sendable {
  case linear, nearest
}

extension Volume where Voxel == Float {
  /// Resamples this image onto another grid; beyond its own, the nearest edge value.
  public func resampled(onto target: Geometry, interpolation: Interpolation) -> Image {
    var result = Image(repeating: 0, geometry: target)
    expected(
      citk_resample_float(
        voxels, geometry.sizeArray, geometry.frame, interpolation == .linear, &result.voxels, target.sizeArray,
        target.frame))
    return result
  }

  /// Convolves with a Gaussian of the given standard deviation in mm, by ITK's recursive filter (Deriche 1993).
  ///
  /// Edge values continue beyond the edges. `sigmaMM` 0 changes nothing.
  public func smoothed(sigmaMM: Double) -> Image {
    precondition(sigmaMM >= 0, "a standard deviation of \(sigmaMM) mm")
    guard sigmaMM > 0 else { return self }
    var result = self
    expected(citk_smooth(&result.voxels, geometry.sizeArray, geometry.frame, sigmaMM))
    return result
  }
}

extension Volume where Voxel == UInt8 {
  /// Resamples these classes onto another grid by nearest neighbour; beyond their own grid, the nearest edge class.
  public func resampled(onto target: Geometry) -> ClassMap { nearest(target, citk_resample_uint8) }
}

extension Volume where Voxel == LabelValue {
  /// Resamples these labels onto another grid by nearest neighbour; beyond their own grid, the nearest edge label.
  public func resampled(onto target: Geometry) -> LabelMap { nearest(target, citk_resample_uint16) }
}

extension Volume where Voxel: UnsignedInteger {
  /// One of CITK's functions: voxels, size and frame of the source, then of the result.
  private typealias Resampling = (
    UnsafePointer<Voxel>, UnsafePointer<Int>, UnsafePointer<Double>, UnsafeMutablePointer<Voxel>, UnsafePointer<Int>,
    UnsafePointer<Double>
  ) -> Bool

  private func nearest(_ target: Geometry, _ resample: Resampling) -> Volume {
    var result = Volume(repeating: 0, geometry: target)
    expected(
      resample(voxels, geometry.sizeArray, geometry.frame, &result.voxels, target.sizeArray, target.frame))
    return result
  }
}
