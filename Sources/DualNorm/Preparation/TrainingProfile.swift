import Datasets
import MedicalImaging

/// A volume that the plan has turned and resampled, before whitening.
struct SeenVolume {
  let isPicture: Bool
  let geometry: Geometry
  /// Percentiles of each modality; empty if unknown.
  let percentiles: [IntensityPercentiles]

  init(_ fact: CaseFacts, _ plan: PreparationPlan) {
    isPicture = fact.scan.isPicture
    let seen = plan.seenGeometry(of: fact)
    geometry = seen.sized(plan.resampledVoxels(seen))
    percentiles = fact.percentiles
  }

  init(_ item: PreparedCase) {
    isPicture = item.source.isPicture
    geometry = item.volume.grid.resampledGeometry
    percentiles = item.volume.percentiles
  }
}

extension PreparationPlan {
  /// A case's geometry, turned to the plan's orientation.
  func seenGeometry(of fact: CaseFacts) -> Geometry {
    guard let orientation, fact.scan.hasOrientation else { return fact.geometry }
    return fact.geometry.reoriented(to: orientation)
  }
}

/// Ranges of a network's training volumes, which show whether another volume is far from them.
package struct TrainingProfile: Equatable, Sendable {
  /// Number of volumes.
  let cases: Int
  /// Tells whether they are pictures; nil if only some are.
  let arePictures: Bool?
  /// Spacing of pixels along x and y, and of slices, in mm.
  let pixelsMM, slicesMM: ClosedRange<Double>
  /// Number of pixels along x and y, and of slices.
  let sides, depth: ClosedRange<Int>
  /// Ranges of `IntensityPercentiles.places`, one row per modality; empty if unknown.
  let places: [[ClosedRange<Double>]]
}

extension TrainingProfile {
  /// - Parameter window: the plan's intensity window.
  /// - Returns: nil without volumes.
  init?(of volumes: [SeenVolume], window: IntensityWindow? = nil) {
    guard let first = volumes.first else { return nil }
    cases = volumes.count
    arePictures = volumes.allSatisfy { $0.isPicture == first.isPicture } ? first.isPicture : nil
    let geometries = volumes.map(\.geometry)
    pixelsMM = geometries.flatMap { [$0.spacingMM.x, $0.spacingMM.y] }.range
    slicesMM = geometries.map(\.spacingMM.z).range
    sides = geometries.flatMap { [$0.size.x, $0.size.y] }.range
    depth = geometries.map(\.size.z).range
    let isKnown = volumes.allSatisfy { $0.percentiles.count == first.percentiles.count }
    let modalities = (isKnown ? first.percentiles.indices : 0..<0).map { index in volumes.map { $0.percentiles[index] }
    }
    places = modalities.map { modality in
      let places = modality.map { $0.places(in: window) }
      return places[0].indices.map { index in places.map { $0[index] }.range }
    }
  }
}

extension Collection where Element: Comparable {
  /// The range from the least to the greatest element.
  fileprivate var range: ClosedRange<Element> { self.min()!...self.max()! }
}

/// Coded as `{"cases": 12, "pictures": false, "pixels_mm": [0.9, 1.1], "slices_mm": [3, 3.6], "sides": [256, 320],
/// "slices": [15, 24], "places": [[[0.2, 0.4]]]}`, with ranges as [least, greatest].
extension TrainingProfile: Codable {
  private enum CodingKeys: String, CodingKey {
    case cases, sides, places
    case arePictures = "pictures"
    case pixelsMM = "pixels_mm"
    case slicesMM = "slices_mm"
    case depth = "slices"
  }
}

extension IntensityPercentiles {
  /// Position of each percentile as a share of the window; without one, the median's between `low` and `high`.
  ///
  /// Whitening removes scale and offset, so without a window only the median's position can differ from training.
  func places(in window: IntensityWindow?) -> [Double] {
    let values = [low, median, high].map(Double.init)
    guard let window else {
      let width = values[2] - values[0]
      return [width > 0 ? (values[1] - values[0]) / width : 0]
    }
    return values.map { (min(max($0, window.low), window.high) - window.low) / (window.high - window.low) }
  }
}
