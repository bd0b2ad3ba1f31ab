package import MedicalImaging

/// The facts of a case that only comparisons need, beyond those that planning uses.
struct CaseProfile: Equatable, Sendable {
  /// For each channel, 101 quantiles from the least voxel (0 %) to the greatest (100 %); empty if no voxel is finite.
  let quantiles: [[Float]]
  /// Equal for images of equal voxels in any order, such as mirrored and turned copies.
  let unorderedHash: UInt64
  /// Equal for masks of equal sizes and labels.
  let maskHash: UInt64
  /// The mask's placement; nil if it is missing or empty, or does not lie on its image's voxels.
  let placement: MaskPlacement?
  /// The largest difference between the grids of the case's files and the first one's, in voxels, within rounding.
  ///
  /// nil if a file does not lie on the voxels of the first.
  let rounding: Double?

  init(
    quantiles: [[Float]], unorderedHash: UInt64 = 0, maskHash: UInt64 = 0, placement: MaskPlacement? = nil,
    rounding: Double? = 0
  ) {
    self.quantiles = quantiles
    self.unorderedHash = unorderedHash
    self.maskHash = maskHash
    self.placement = placement
    self.rounding = rounding
  }
}

/// Computes 101 quantiles of the finite voxels that were measured.
///
/// The least and the greatest are exact. Those between come from about 16,384 voxels spread evenly over the image.
package func quantiles(of image: Image, range: ClosedRange<Float>?) -> [Float] {
  guard let range else { return [] }
  let (voxels, noData) = (image.voxels, image.noData)
  var step = max(1, voxels.count / 16_384)
  // A step that shares a factor with the row would sample some columns only.
  while step > 1, greatestCommonDivisor(step, image.geometry.size.x) > 1 { step += 1 }
  var sample: [Float] = []
  for index in stride(from: 0, to: voxels.count, by: step) where voxels[index].isFinite && noData?[index] != true {
    sample.append(voxels[index])
  }
  if sample.isEmpty { sample = [range.lowerBound] }
  sample.sort()
  var result = (0...100).map { sample[($0 * (sample.count - 1) + 50) / 100] }
  result[0] = range.lowerBound
  result[100] = range.upperBound
  return result
}

private func greatestCommonDivisor(_ a: Int, _ b: Int) -> Int { b == 0 ? a : greatestCommonDivisor(b, a % b) }

/// A 64-bit hash of sizes and voxels, equal in every run (FNV-1a over whole voxels, then mixed).
package struct VoxelHash {
  package private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325
  /// A hash of the voxels and sizes in any order: the sum of the values' hashes.
  private(set) var unordered: UInt64 = 0

  package init() {}

  package mutating func combine(_ image: Image) { combine(image.geometry.size, image.voxels) { $0.bitPattern } }

  mutating func combine(_ mask: LabelMap) { combine(mask.geometry.size, mask.voxels) { UInt32($0) } }

  private mutating func combine<Voxel>(_ size: SIMD3<Int>, _ voxels: [Voxel], bits: (Voxel) -> UInt32) {
    var hash = value
    var sum = unordered
    func add(_ bits: UInt64) {
      hash = (hash ^ bits) &* 0x100_0000_01B3
      hash ^= hash >> 32
    }
    for side in [size.x, size.y, size.z] {
      add(UInt64(side))
      sum &+= mixed(UInt64(side) << 32)
    }
    voxels.withUnsafeBufferPointer { voxels in
      for voxel in voxels {
        let bits = UInt64(bits(voxel))
        add(bits)
        sum &+= mixed(bits)
      }
    }
    value = hash
    unordered = sum
  }
}

/// Spreads the bits of a value over all 64 (the finalizer of SplitMix64, Steele et al. 2014).
private func mixed(_ value: UInt64) -> UInt64 {
  var bits = value &+ 0x9E37_79B9_7F4A_7C15
  bits = (bits ^ bits >> 30) &* 0xBF58_476D_1CE4_E5B9
  bits = (bits ^ bits >> 27) &* 0x94D0_49BB_1331_11EB
  return bits ^ bits >> 31
}
