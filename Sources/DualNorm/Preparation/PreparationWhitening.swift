import Basics
import Datasets
import MedicalImaging

extension PreparationPlan {
  /// The refusal of an image that clipping would make constant, given its range of intensities; nil if it would not.
  func clippingFault(_ range: ClosedRange<Float>, name: String) -> Refusal? {
    guard let window, range.upperBound <= Float(window.low) || range.lowerBound >= Float(window.high) else {
      return nil
    }
    let clipping = "clipping to \(short(window.low))…\(short(window.high))"
    return Refusal(
      .input, name, "every voxel is the same after \(clipping)",
      remedy: "give a \(Setting.window) that holds the image's intensities")
  }

  /// Clips voxels to the window, subtracts their mean and divides by their population standard deviation. Mean and
  /// deviation are those of the measured voxels that `whitening` selects, or `moments`.
  ///
  /// - Throws: `Refusal` for an image that is constant, before or after clipping, or holds NaN or infinite voxels.
  func whitened(_ image: consuming Image, name: String) throws -> Image {
    let statistics = IntensityStatistics(image)
    if let fault = statistics.fault(name) ?? statistics.range.flatMap({ clippingFault($0, name: name) }) {
      throw fault
    }
    if let window {
      let low = Float(window.low)
      let high = Float(window.high)
      image.voxels.withUnsafeMutableBufferPointer { voxels in
        for index in voxels.indices { voxels[index] = min(max(voxels[index], low), high) }
      }
    }
    let (mean, deviation) = moments.map { ($0.mean, $0.deviation) } ?? ownMoments(of: image)
    let scale = 1 / deviation
    image.voxels.withUnsafeMutableBufferPointer { voxels in
      for index in voxels.indices { voxels[index] = Float((Double(voxels[index]) - mean) * scale) }
    }
    return image
  }

  /// Least share of the volume's variance that the foreground needs to be used. Brighter voxels may be a nearly or
  /// wholly constant background. Dividing by their deviation would then blow up the rest.
  private static let leastForegroundVariance = 0.01

  private func ownMoments(of image: Image) -> (mean: Double, deviation: Double) {
    let all = Self.moments(image) { _ in true }
    guard whitening == .foreground else { return (all.mean, all.variance.squareRoot()) }
    let foreground = Self.moments(image) { Double($0) > all.mean }
    let chosen = foreground.variance >= Self.leastForegroundVariance * all.variance ? foreground : all
    return (chosen.mean, chosen.variance.squareRoot())
  }

  private static func moments(
    _ image: Image, where isCounted: (Float) -> Bool
  ) -> (mean: Double, variance: Double) {
    var (count, sum) = (0.0, 0.0)
    image.forEachMeasured { _, value in
      guard isCounted(value) else { return }
      count += 1
      sum += Double(value)
    }
    let mean = sum / count
    var squares = 0.0
    image.forEachMeasured { _, value in
      if isCounted(value) { squares += (Double(value) - mean) * (Double(value) - mean) }
    }
    return (mean, squares / count)
  }
}
