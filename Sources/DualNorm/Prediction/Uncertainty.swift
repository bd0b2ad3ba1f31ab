import Foundation
package import MedicalImaging

/// The uncertainty of a segmentation.
package struct Uncertainty: Sendable {
  /// Entropy of the mean class probabilities of each voxel in nats, from 0 to the logarithm of the number of classes.
  package let entropy: Image
  /// The part of the entropy that comes from disagreement: the mean's entropy less the mean entropy of the members
  /// (mutual information). nil for a single network without mirror images.
  package let disagreement: Image?
  /// One number from 0 to 1: 1 less the Dice that the probabilities expect of the mask, the mean over the classes found.
  /// nil if none was. Also called one less the soft Dice confidence (Borges et al. 2024).
  package let ofCase: Double?
}

/// Sums for the uncertainty of a volume, to which each slab is added.
struct UncertaintySums {
  private(set) var entropy: [Float] = []
  private(set) var disagreement: [Float] = []
  /// Σ p, Σ p h and Σ h of each class but the background; h is 1 where the class is the most probable one.
  private var sums: [(probability: Double, both: Double, mask: Double)]

  init(classes: Int) { sums = Array(repeating: (0, 0, 0), count: classes - 1) }

  /// - Parameters:
  ///   - probabilities: of a slab's voxels, by class.
  ///   - classes: the most probable class of each.
  ///   - disagreement: of an ensemble's members; empty without any.
  mutating func add(_ probabilities: ClassProbabilities, _ classes: [UInt8], disagreement: [Float]) {
    var slab = [Float](repeating: 0, count: classes.count)
    for (index, map) in probabilities.enumerated() {
      var sum = (probability: 0.0, both: 0.0, mask: 0.0)
      for voxel in slab.indices {
        let p = map[voxel]
        if p > 0 { slab[voxel] -= p * log(p) }
        sum.probability += Double(p)
        if classes[voxel] == index {
          sum.both += Double(p)
          sum.mask += 1
        }
      }
      guard index > 0 else { continue }
      let old = sums[index - 1]
      sums[index - 1] = (old.probability + sum.probability, old.both + sum.both, old.mask + sum.mask)
    }
    entropy += slab
    self.disagreement += disagreement
  }

  /// See `Uncertainty.ofCase`.
  var ofCase: Double? {
    let found = sums.filter { $0.mask > 0 }
    guard !found.isEmpty else { return nil }
    let expected = found.reduce(0) { $0 + 2 * $1.both / ($1.probability + $1.mask) }
    return 1 - expected / Double(found.count)
  }

  /// The maps, each as `image` makes it of its voxels.
  func uncertainty(_ image: ([Float]) -> Image) -> Uncertainty {
    Uncertainty(
      entropy: image(entropy), disagreement: disagreement.isEmpty ? nil : image(disagreement), ofCase: ofCase)
  }
}
