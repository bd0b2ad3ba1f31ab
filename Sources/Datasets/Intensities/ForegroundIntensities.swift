import Foundation
import MedicalImaging

/// The intensities of a case's voxels with labels to learn, from which those of a whole data set follow.
package struct ForegroundIntensities: Equatable, Sendable {
  /// 201 quantiles, from the least intensity (0 %) to the greatest (100 %) in steps of 0.5 %.
  let quantiles: [Float]
  let mean: Double
  /// The mean of the squares.
  let meanSquare: Double

  /// More voxels than this are sampled at even steps.
  private static let mostVoxels = 100_000

  /// nil if no finite, measured voxel has a label to learn.
  ///
  /// - Parameter excluded: labels that training treats as background.
  /// - Precondition: mask and image have equal sizes.
  init?(of image: Image, in mask: LabelMap, without excluded: Set<LabelValue> = []) {
    precondition(image.geometry.size == mask.geometry.size, "a mask of another size")
    var isLearnt = [Bool](repeating: true, count: Int(LabelValue.max) + 1)
    for value in excluded.union([0]) { isLearnt[Int(value)] = false }
    let labelled = mask.voxels.count { isLearnt[Int($0)] }
    let step = max(1, (labelled + Self.mostVoxels - 1) / Self.mostVoxels)
    var values: [Float] = []
    var place = 0
    image.forEachMeasured { index, value in
      guard isLearnt[Int(mask.voxels[index])], value.isFinite else { return }
      if place % step == 0 { values.append(value) }
      place += 1
    }
    guard !values.isEmpty else { return nil }
    values.sort()
    let count = Double(values.count)
    quantiles = (0...200).map { values[($0 * (values.count - 1) + 100) / 200] }
    mean = values.reduce(0.0) { $0 + Double($1) } / count
    meanSquare = values.reduce(0.0) { $0 + Double($1) * Double($1) } / count
  }
}

/// `{"quantiles": "…", "mean": 100, "mean_square": 10400}`, with the quantiles as little-endian float32 in base 64.
extension ForegroundIntensities: Codable {
  private enum CodingKeys: String, CodingKey {
    case quantiles, mean
    case meanSquare = "mean_square"
  }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let bytes = try container.decode(Data.self, forKey: .quantiles)
    quantiles = bytes.withUnsafeBytes { raw in
      (0..<raw.count / 4).map { place in
        Float(bitPattern: UInt32(littleEndian: raw.loadUnaligned(fromByteOffset: 4 * place, as: UInt32.self)))
      }
    }
    mean = try container.decode(Double.self, forKey: .mean)
    meanSquare = try container.decode(Double.self, forKey: .meanSquare)
    guard quantiles.count == 201, quantiles.allSatisfy(\.isFinite) else {
      throw DecodingError.dataCorruptedError(
        forKey: .quantiles, in: container, debugDescription: "expected 201 finite numbers")
    }
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    let words = quantiles.map(\.bitPattern.littleEndian)
    try container.encode(words.withUnsafeBytes { Data($0) }, forKey: .quantiles)
    try container.encode(mean, forKey: .mean)
    try container.encode(meanSquare, forKey: .meanSquare)
  }
}

/// The intensities of the voxels to learn of several cases, each of which counts alike, as in nnU-Net.
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
