import MedicalImaging

/// The intensities of a case's labelled voxels, from which those of a whole data set follow.
package struct ForegroundIntensities: Codable, Equatable, Sendable {
  /// 201 quantiles, from the least intensity (0 %) to the greatest (100 %) in steps of 0.5 %.
  let quantiles: [Float]
  let mean: Double
  /// The mean of the squares.
  let meanSquare: Double

  /// More voxels than this are sampled at even steps.
  private static let mostVoxels = 100_000

  /// nil if no finite, measured voxel has a label.
  ///
  /// - Precondition: mask and image have equal sizes.
  init?(of image: Image, in mask: LabelMap) {
    precondition(image.geometry.size == mask.geometry.size, "a mask of another size")
    var values: [Float] = []
    image.forEachMeasured { index, value in
      if mask.voxels[index] != 0, value.isFinite { values.append(value) }
    }
    guard !values.isEmpty else { return nil }
    let step = (values.count + Self.mostVoxels - 1) / Self.mostVoxels
    if step > 1 { values = stride(from: 0, to: values.count, by: step).map { values[$0] } }
    values.sort()
    let count = Double(values.count)
    quantiles = (0...200).map { values[($0 * (values.count - 1) + 100) / 200] }
    mean = values.reduce(0.0) { $0 + Double($1) } / count
    meanSquare = values.reduce(0.0) { $0 + Double($1) * Double($1) } / count
  }
}

/// The intensities of the labelled voxels of several cases, each of which counts alike, as in nnU-Net.
package struct PooledForeground {
  /// The percentiles 0.5 and 99.5.
  package let low, high: Double
  package let mean: Double
  /// The population standard deviation.
  package let deviation: Double

  /// nil without cases.
  package init?(_ cases: [ForegroundIntensities]) {
    guard !cases.isEmpty else { return nil }
    let pooled = cases.flatMap(\.quantiles).sorted()
    func percentile(_ share: Double) -> Double { Double(pooled[Int((share * Double(pooled.count - 1)).rounded())]) }
    (low, high) = (percentile(0.005), percentile(0.995))
    let count = Double(cases.count)
    mean = cases.reduce(0) { $0 + $1.mean } / count
    deviation = max(0, cases.reduce(0) { $0 + $1.meanSquare } / count - mean * mean).squareRoot()
  }
}
