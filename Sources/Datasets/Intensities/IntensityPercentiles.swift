import MedicalImaging

/// Where the intensities of an image lie: below `low` is 1 % of the voxels, below `median` 50 %, below `high` 99 %.
package struct IntensityPercentiles: Codable, Equatable, Sendable {
  package let low, median, high: Float

  /// - Parameter quantiles: of `quantiles(of:range:)`; nil where no voxel is finite.
  package init?(_ quantiles: [Float]) {
    guard quantiles.count == 101 else { return nil }
    (low, median, high) = (quantiles[1], quantiles[50], quantiles[99])
  }

  /// All zero where no voxel is finite.
  package init(of image: Image) {
    let all = quantiles(of: image, range: IntensityStatistics(image).range)
    self = Self(all) ?? Self(Array(repeating: 0, count: 101))!
  }
}
