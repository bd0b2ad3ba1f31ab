import Basics
import Foundation
import MedicalImaging

/// The acquisition of one hospital of a phantom: everything that differs between sites except the patients.
///
/// Tissue values run from 0 (air) over 0.45 (body) to about 0.8; a voxel's file value is
/// `offset + gain · noise(blur(bias · curve(tissue)))`, rounded.
package struct PhantomSite: Equatable, Sendable {
  /// 0 is Site-A, 25 is Site-Z; the patients of a site depend on the seed and on this.
  package let index: Int
  /// Slope of the curve at body tissue: below 1 flattens the organs' contrast, below 0 inverts it.
  package var contrast = 1.0
  /// Exponent of the curve: above 1 darkens and spreads bright tissue, below 1 the reverse.
  var gamma = 1.0
  /// Standard deviation of the logarithm of the smooth multiplicative bias field.
  var bias = 0.1
  /// Standard deviation of the noise, in tissue values.
  package var noise = 0.04
  /// Tells whether the noise is Rician, as in magnitude images (MR), rather than Gaussian.
  package var isRician = true
  /// Standard deviation of the Gaussian blur, in plane and through it.
  var blurMM = 1.5
  /// File value of a tissue value of 1, before the offset.
  package var gain = 1000.0
  var offset = 0.0
  /// Spacing relative to the configuration's.
  package var spacingScale: SIMD3<Double> = [1, 1, 1]
  /// The axes' unit vectors as the columns of a 3×3 matrix, row by row.
  package var direction = Geometry.identityDirection

  /// A site with the plainest acquisition; `index` is 0 to 25.
  package init(index: Int) {
    precondition(0..<PhantomSite.maximumCount ~= index, "a phantom's sites are numbered 0 to 25, not \(index)")
    self.index = index
  }

  /// `Site-A` for index 0.
  package var name: String { "Site-\(Character(UnicodeScalar(UInt8(ascii: "A") + UInt8(index))))" }
}

extension PhantomSite {
  /// The most sites: each is named by one letter.
  package static let maximumCount = 26

  /// `count` sites to train on: three presets, the rest drawn from the seed between and around them.
  package static func training(count: Int, seed: UInt64) -> [PhantomSite] {
    (0..<count).map { $0 < presets.count ? presets[$0] : drawn(index: $0, seed: seed) }
  }

  /// A hospital far from all others: flat contrast, strong bias, noise and blur, thick slices.
  package static func unseen(index: Int) -> PhantomSite {
    var site = PhantomSite(index: index)
    (site.contrast, site.gamma) = (0.55, 1.6)
    (site.bias, site.noise, site.isRician) = (0.32, 0.06, false)
    site.blurMM = 2.75
    (site.gain, site.offset) = (2400, -1000)
    site.spacingScale = [0.92, 0.92, 1.15]
    site.direction = tilt(degrees: -12)
    return site
  }

  private static let presets: [PhantomSite] = {
    var bright = PhantomSite(index: 0)
    (bright.contrast, bright.bias, bright.noise) = (1.1, 0.08, 0.035)
    bright.gain = 900

    var flipped = PhantomSite(index: 1)
    (flipped.contrast, flipped.gamma, flipped.bias, flipped.noise) = (0.95, 0.75, 0.1, 0.04)
    (flipped.gain, flipped.offset, flipped.blurMM) = (260, 40, 2)
    flipped.spacingScale = [1.08, 1.08, 0.9]
    flipped.direction = [-1, 0, 0, 0, 1, 0, 0, 0, 1]

    var tilted = PhantomSite(index: 2)
    (tilted.contrast, tilted.gamma, tilted.bias, tilted.noise) = (0.9, 1.3, 0.11, 0.04)
    (tilted.isRician, tilted.gain, tilted.offset) = (false, 1800, -400)
    tilted.blurMM = 1.25
    tilted.spacingScale = [0.95, 0.95, 1.1]
    tilted.direction = tilt(degrees: 8)
    return [bright, flipped, tilted]
  }()

  private static func drawn(index: Int, seed: UInt64) -> PhantomSite {
    var random = SeededGenerator.stream(seed: seed, index, -1)
    var site = PhantomSite(index: index)
    site.contrast = random.uniform(in: 0.85...1.15)
    site.gamma = random.uniform(in: 0.65...1.4)
    site.bias = random.uniform(in: 0.06...0.16)
    site.noise = random.uniform(in: 0.03...0.05)
    site.isRician = random.uniform() < 0.5
    site.blurMM = random.uniform(in: 1.25...2.25)
    site.gain = (300 * random.uniform(in: 1...8)).rounded()
    site.offset = site.isRician ? 0 : (-400 * random.uniform()).rounded()
    let zoom = random.uniform(in: 0.95...1.08)
    site.spacingScale = [zoom, zoom, random.uniform(in: 0.9...1.1)]
    site.direction = tilt(degrees: random.uniform(in: -10...10))
    return site
  }

  /// The direction of slices tilted about the patient's left-right axis, as by a gantry.
  private static func tilt(degrees: Double) -> [Double] {
    let (c, s) = (cos(degrees * .pi / 180), sin(degrees * .pi / 180))
    return [1, 0, 0, 0, c, -s, 0, s, c]
  }
}
