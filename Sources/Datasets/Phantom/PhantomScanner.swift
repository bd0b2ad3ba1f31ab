import Basics
import Foundation
import MedicalImaging

/// One acquisition at a site: the position of its voxels, and the conversion of tissue to file values.
struct PhantomScanner {
  let site: PhantomSite
  let geometry: Geometry
  private let gain: Double
  private let field: PhantomField

  /// Draws the patient's position, the bias field and a gain that differs by up to 10 % between scans.
  init(site: PhantomSite, size: SIMD3<Int>, spacingMM: SIMD3<Double>, random: inout SeededGenerator) {
    self.site = site
    let spacing = spacingMM * site.spacingScale
    let isocenter = SIMD3(random.normal(), random.normal(), random.normal()) * 15
    let half = SIMD3<Double>(size &- 1) * spacing / 2
    geometry = Geometry(
      size: size, spacingMM: spacing, originMM: isocenter - site.direction.applied(to: half), direction: site.direction)
    gain = site.gain * random.uniform(in: 0.9...1.1)
    field = PhantomField(waves: 4, frequency: 1, random: &random)
  }

  /// Positions of a slice's voxels relative to the volume's centre, in patient axes, in mm.
  func positionMM(x: Int, y: Int, z: Int) -> SIMD3<Double> {
    let half = SIMD3<Double>(geometry.size &- 1) / 2
    return site.direction.applied(to: (SIMD3(Double(x), Double(y), Double(z)) - half) * geometry.spacingMM)
  }

  /// The site's signal for a tissue value at a position from −1 to 1, before blur and noise.
  func signal(of tissue: Double, at point: SIMD3<Double>) -> Double {
    guard tissue > 0 else { return 0 }
    let body = PhantomAnatomy.bodyTissue
    return pow(max(body + site.contrast * (tissue - body), 0), site.gamma) * exp(site.bias * field.value(at: point))
  }

  /// Applies blur, noise, gain and offset; the values are whole numbers of the int16 range.
  func image(of signal: [Float], random: inout SeededGenerator) -> Image {
    var image = Image(voxels: signal, geometry: geometry).smoothed(sigmaMM: site.blurMM)
    for index in image.voxels.indices {
      var value = Double(image.voxels[index]) + site.noise * random.normal()
      if site.isRician {
        let imaginary = site.noise * random.normal()
        value = (value * value + imaginary * imaginary).squareRoot()
      }
      image.voxels[index] = Float((site.offset + gain * value).rounded().clamped(to: -32768...32767))
    }
    return image
  }
}

extension [Double] {
  /// The product of a 3×3 matrix, row by row, and a vector.
  fileprivate func applied(to vector: SIMD3<Double>) -> SIMD3<Double> {
    SIMD3(
      self[0] * vector.x + self[1] * vector.y + self[2] * vector.z,
      self[3] * vector.x + self[4] * vector.y + self[5] * vector.z,
      self[6] * vector.x + self[7] * vector.y + self[8] * vector.z)
  }
}

extension Double {
  fileprivate func clamped(to range: ClosedRange<Double>) -> Double {
    min(max(self, range.lowerBound), range.upperBound)
  }
}
