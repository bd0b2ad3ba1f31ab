import Foundation
import MedicalImaging

/// The position of a mask's labels on its image, in numbers that can be compared between cases.
struct MaskPlacement: Codable, Equatable, Sendable {
  /// The centre of mass of all labels above 0, along right to left, anterior to posterior and inferior to superior.
  ///
  /// 0 is one edge of the image, 1 the other.
  let centre: SIMD3<Double>
  /// The share of the labelled voxels on the image's background.
  ///
  /// Background reaches a tenth of the way from the 1st to the 99th percentile.
  let backgroundShare: Double
  /// The spread of intensities within the labels after mirroring along each axis, relative to the mask as it is.
  ///
  /// Below 1, the mirrored mask fits the image better; 1 where mirroring changes nothing.
  let mirroredSpread: SIMD3<Double>

  /// The geometric mean of `mirroredSpread` over the axes where mirroring changes something; nil without such an axis.
  ///
  /// About 1 for a mask unrelated to its image, above 1 for labels of even intensities.
  var fit: Double? {
    let ratios = (0..<3).map { mirroredSpread[$0] }.filter { $0 != 1 }
    guard !ratios.isEmpty else { return nil }
    return exp(ratios.reduce(0) { $0 + log(max($1, 1e-6)) } / Double(ratios.count))
  }

  init(centre: SIMD3<Double>, backgroundShare: Double = 0, mirroredSpread: SIMD3<Double> = [1, 1, 1]) {
    self.centre = centre
    self.backgroundShare = backgroundShare
    self.mirroredSpread = mirroredSpread
  }

  /// Leaves out the image's voxels that were never measured.
  ///
  /// - Parameter quantiles: the image's quantiles, as in `CaseProfile`.
  /// - Precondition: mask and image have equal sizes.
  init?(of mask: LabelMap, on image: Image, quantiles: [Float]) {
    precondition(mask.geometry.size == image.geometry.size, "a mask of another size")
    guard quantiles.count == 101 else { return nil }
    let size = image.geometry.size
    let background = quantiles[1] + 0.1 * (quantiles[99] - quantiles[1])
    var given = WithinLabels(largestLabel: Int(mask.voxels.max() ?? 0))
    var mirrored = [given, given, given]
    var sum = SIMD3<Int>.zero
    var count = 0
    var dark = 0
    mask.voxels.withUnsafeBufferPointer { labels in
      image.voxels.withUnsafeBufferPointer { values in
        func value(_ index: Int) -> Float { image.noData?[index] == true ? .nan : values[index] }
        for z in 0..<size.z {
          for y in 0..<size.y {
            let row = (z * size.y + y) * size.x
            for x in 0..<size.x where labels[row + x] != 0 {
              let label = Int(labels[row + x])
              sum &+= SIMD3(x, y, z)
              count += 1
              if value(row + x) <= background { dark += 1 }
              given.add(value(row + x), label)
              mirrored[0].add(value(row + size.x - 1 - x), label)
              mirrored[1].add(value((z * size.y + size.y - 1 - y) * size.x + x), label)
              mirrored[2].add(value(((size.z - 1 - z) * size.y + y) * size.x + x), label)
            }
          }
        }
      }
    }
    guard count > 0 else { return nil }
    let orientation = image.geometry.orientation
    var place = (SIMD3<Double>(sum) / Double(count) + 0.5) / SIMD3<Double>(size)
    for grid in 0..<3 where !orientation.runsForward[grid] { place[grid] = 1 - place[grid] }
    centre = orientation.byPatientAxis(place)
    backgroundShare = Double(dark) / Double(count)
    let spread = given.spread
    let ratios = mirrored.map { spread > 0 ? $0.spread / spread : 1 }
    mirroredSpread = orientation.byPatientAxis(SIMD3(ratios[0], ratios[1], ratios[2]))
  }
}

/// Sums for the pooled standard deviation of intensities within labels.
private struct WithinLabels {
  private var counts: [Double]
  private var sums: [Double]
  private var squares = 0.0
  /// The first value; sums are of differences from it, which keeps digits for large intensities of little spread.
  private var origin: Double?

  init(largestLabel: Int) {
    counts = [Double](repeating: 0, count: largestLabel + 1)
    sums = counts
  }

  mutating func add(_ value: Float, _ label: Int) {
    guard value.isFinite else { return }
    let first = origin ?? Double(value)
    origin = first
    let difference = Double(value) - first
    counts[label] += 1
    sums[label] += difference
    squares += difference * difference
  }

  var spread: Double {
    let total = counts.reduce(0, +)
    guard total > 0 else { return 0 }
    let explained = zip(sums, counts).reduce(0.0) { $1.1 > 0 ? $0 + $1.0 * $1.0 / $1.1 : $0 }
    return max(0, (squares - explained) / total).squareRoot()
  }
}
