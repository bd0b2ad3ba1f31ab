import Basics
import Datasets
import Foundation
import MedicalImaging
import Scores

/// The preparation of a model that nnU-Net trained: the steps of its `DefaultPreprocessor`, version 2.8.1.
///
/// The stored axes are put in an order of the plan. The volume is cropped to the box of voxels that are not 0 in some
/// channel. Each channel is normalized, and the volume is resampled. Beyond it the network sees 0.
package struct NNUNetPreparation: Equatable, Sendable {
  /// The axes of the plan's arrays among those of the file's, slowest first: `transpose_forward`.
  let transposition: [Int]
  /// One for each channel.
  let normalizations: [Normalization]

  /// A normalization scheme of nnU-Net.
  enum Normalization: Equatable, Sendable {
    /// The mean and deviation of all voxels, or of those inside the mask of voxels that are not 0.
    case zScore(isMasked: Bool)
    /// Clips to percentiles of the training's labelled voxels, then takes their mean and deviation.
    case ct(low: Double, high: Double, mean: Double, deviation: Double)
    case none
    /// Least value 0, greatest 1.
    case unitRange
    /// Divides by 255.
    case rgb
  }

  /// For each axis x, y and z of the network's volume, the stored one.
  var axes: SIMD3<Int> { SIMD3(2 - transposition[2], 2 - transposition[1], 2 - transposition[0]) }

  /// The steps in a few words.
  var text: String {
    let names = normalizations.map { normalization in
      switch normalization {
      case .zScore(let isMasked): isMasked ? "z-score inside the body" : "z-score"
      case .ct(let low, let high, _, _): "CT clipped to \(short(low))…\(short(high))"
      case .none: "unchanged"
      case .unitRange: "0 to 1"
      case .rgb: "divided by 255"
      }
    }
    return "as nnU-Net: crop to voxels that are not 0, normalize (\(names.firstOccurrences.joined(separator: ", ")))"
  }

  /// Voxels after resampling: round(spacing / target · size), halves to even.
  static func voxels(_ geometry: Geometry, spacingMM: SIMD3<Double>) -> SIMD3<Int> {
    var size = geometry.size
    for axis in 0..<3 {
      let count = geometry.spacingMM[axis] / spacingMM[axis] * Double(geometry.size[axis])
      size[axis] = Int(min(max(count.rounded(.toNearestOrEven), 1), 1e9))
    }
    return size
  }

  /// A volume on the network's grid.
  struct Prepared {
    let channels: [Float]
    let classes: [UInt8]?
    let grid: PreparedGrid
  }

  /// Crops, normalizes and resamples images whose axes have the order of the plan.
  ///
  /// - Throws: `Refusal` for images without contrast, or of too many slices or pixels.
  func prepared(
    _ images: consuming [Image], _ labels: ClassMap?, _ plan: PreparationPlan, names: [String],
    storedGeometry: Geometry?
  ) throws -> Prepared {
    precondition(images.count == normalizations.count, "one scheme a channel")
    let whole = images[0].geometry
    try Self.requireContrast(images, names: names)
    let box = Box(ofNonzeroVoxels: copy images)
    let geometry = whole.box(box)
    let size = plan.resampledVoxels(geometry)
    try Self.requireRoom(for: size, of: geometry, name: names[0])
    let resampled = size == geometry.size ? geometry : geometry.sized(size)
    let target = targetSpacing(plan, geometry)
    let interpolation = NNUNetInterpolation(from: geometry.spacingMM, to: target)
    let mask = normalizations.contains(.zScore(isMasked: true)) ? Self.body(images, box) : nil
    var channels: [Float] = []
    for normalization in normalizations {
      var voxels = images.removeFirst().cropped(to: box).voxels
      normalization.apply(to: &voxels, mask: mask)
      channels += interpolation.ofIntensities(voxels, from: geometry.size, to: size)
    }
    let classes = labels.map { labels in
      ClassMap(voxels: labels.cropped(to: box).voxels, geometry: geometry).resampled(onto: resampled).voxels
    }
    var grid = PreparedGrid(
      geometry: geometry, storedGeometry: storedGeometry ?? whole, resampledGeometry: resampled)
    grid.crop = geometry.size == whole.size ? nil : .init(whole: whole, first: box.first)
    // The way back may have another coarse axis, since nnU-Net looks at the spacing that it comes from first.
    grid.interpolation = NNUNetInterpolation(from: target, to: geometry.spacingMM)
    return Prepared(channels: channels, classes: classes, grid: grid)
  }

  /// Refuses voxels that are no numbers, and cases of which no channel has contrast. nnU-Net takes a single empty
  /// channel, such as a modality that was not measured.
  private static func requireContrast(_ images: [Image], names: [String]) throws {
    let found = images.map(IntensityStatistics.init)
    let isFlat = found.map { $0.range.map { $0.lowerBound == $0.upperBound } ?? false }
    for index in images.indices where found[index].nonFiniteCount > 0 || !isFlat.contains(false) {
      if let fault = found[index].fault(names[index]) { throw fault }
    }
  }

  /// Refuses a volume that resampling would make larger than networks or memory take.
  ///
  /// Cubic interpolation holds about three volumes of 8 bytes a voxel.
  private static func requireRoom(for size: SIMD3<Int>, of geometry: Geometry, name: String) throws {
    let bytes = (0..<3).reduce(24.0) { $0 * Double(size[$1]) }
    let isTooLarge = bytes > Double(VolumeMemory.limit)
    guard isTooLarge || size.max() > SliceSides.largest else { return }
    throw Refusal(
      .input, name,
      "\(size.x)×\(size.y)×\(size.z) voxels after resampling by nnU-Net's plan"
        + (isTooLarge ? ", which take \(fixed(bytes / 1e9, decimals: 1)) GB" : ""),
      detail: "at most \(SliceSides.largest) a side and \(fixed(Double(VolumeMemory.limit) / 1e9, decimals: 1)) GB "
        + "(\(Setting.memory)) are possible", remedy: "correct its spacing, or crop it")
  }

  private func targetSpacing(_ plan: PreparationPlan, _ geometry: Geometry) -> SIMD3<Double> {
    guard case .spacingMM(let x, let y, let z) = plan.resampling else { return geometry.spacingMM }
    return SIMD3(x, y, z ?? geometry.spacingMM.z)
  }

  /// Voxels of a box that are not 0 in some channel, with the holes that they enclose.
  private static func body(_ images: [Image], _ box: Box) -> [Bool] {
    var isBody = [Bool](repeating: false, count: box.size.x * box.size.y * box.size.z)
    for image in images {
      for (index, value) in image.cropped(to: box).voxels.enumerated() where value != 0 { isBody[index] = true }
    }
    return isBody.withHolesFilled(size: box.size)
  }
}

extension NNUNetPreparation.Normalization {
  /// - Parameter mask: the voxels of the body.
  fileprivate func apply(to voxels: inout [Float], mask: [Bool]?) {
    switch self {
    case .none: break
    case .zScore(let isMasked): normalize(&voxels, inside: isMasked ? mask : nil)
    case .ct(let low, let high, let mean, let deviation):
      let (low, high, mean) = (Float(low), Float(high), Float(mean))
      let scale = Float(max(deviation, 1e-8))
      for index in voxels.indices { voxels[index] = (min(max(voxels[index], low), high) - mean) / scale }
    case .unitRange:
      let low = voxels.min() ?? 0
      let range = max((voxels.max() ?? 0) - low, 1e-8)
      for index in voxels.indices { voxels[index] = (voxels[index] - low) / range }
    case .rgb:
      for index in voxels.indices { voxels[index] /= 255 }
    }
  }

  private func normalize(_ voxels: inout [Float], inside mask: [Bool]?) {
    var (count, sum) = (0.0, 0.0)
    for index in voxels.indices where mask?[index] ?? true {
      count += 1
      sum += Double(voxels[index])
    }
    let mean = sum / count
    var squares = 0.0
    for index in voxels.indices where mask?[index] ?? true {
      squares += (Double(voxels[index]) - mean) * (Double(voxels[index]) - mean)
    }
    let scale = 1 / max((squares / count).squareRoot(), 1e-8)
    for index in voxels.indices where mask?[index] ?? true {
      voxels[index] = Float((Double(voxels[index]) - mean) * scale)
    }
  }
}
