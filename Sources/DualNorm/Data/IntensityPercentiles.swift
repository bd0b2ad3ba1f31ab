import MedicalImaging

/// Where the intensities of an image lie: below `low` is 1 % of the voxels, below `median` 50 %, below `high` 99 %.
struct IntensityPercentiles: Codable, Equatable, Sendable {
  let low, median, high: Float

  /// - Parameter quantiles: of `quantiles(of:range:)`; nil where no voxel is finite.
  init?(_ quantiles: [Float]) {
    guard quantiles.count == 101 else { return nil }
    (low, median, high) = (quantiles[1], quantiles[50], quantiles[99])
  }

  /// All zero where no voxel is finite.
  init(of image: Image) {
    let all = quantiles(of: image, range: IntensityStatistics(image).range)
    self = Self(all) ?? Self(Array(repeating: 0, count: 101))!
  }

  /// Each as a share of what there is: of the window, or else of the way from `low` to `high`. Whitening takes scale and
  /// offset away, so without a window the median's place alone can be unlike what a network learnt from.
  func places(in window: IntensityWindow?) -> [Double] {
    let values = [low, median, high].map(Double.init)
    guard let window else {
      let width = values[2] - values[0]
      return [width > 0 ? (values[1] - values[0]) / width : 0]
    }
    return values.map { (min(max($0, window.low), window.high) - window.low) / (window.high - window.low) }
  }
}
