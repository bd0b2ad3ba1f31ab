package import MedicalImaging

/// Percentiles of an image's intensities: 1 % (`low`), 50 % (`median`) and 99 % (`high`).
package struct IntensityPercentiles: Codable, Equatable, Sendable {
  package let low, median, high: Float

  /// - Parameter quantiles: from `quantiles(of:range:)`; the result is nil if no voxel is finite.
  package init?(_ quantiles: [Float]) {
    guard quantiles.count == 101 else { return nil }
    (low, median, high) = (quantiles[1], quantiles[50], quantiles[99])
  }

  /// All zero if no voxel is finite.
  package init(of image: Image) {
    let all = quantiles(of: image, range: IntensityStatistics(image).range)
    self = Self(all) ?? Self(Array(repeating: 0, count: 101))!
  }
}
