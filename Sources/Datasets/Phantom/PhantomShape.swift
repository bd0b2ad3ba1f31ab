import Basics
import Foundation

/// A smooth closed surface: an ellipsoid whose radius is modulated by a few harmonics around its z axis.
struct PhantomBlob {
  /// Adds `amplitude · cos(order · θ + phase + twist · z)` to a radius of 1.
  struct Harmonic {
    let order, amplitude, phase, twist: Double
  }

  let center: SIMD3<Double>
  let radii: SIMD3<Double>
  /// Cosine and sine of the rotation about z.
  let rotation: SIMD2<Double>
  let harmonics: [Harmonic]

  /// Draws a blob with harmonics of orders 2 to 4 and amplitudes up to `deformation`; draws the rotation if it is nil.
  init(
    center: SIMD3<Double>, radii: SIMD3<Double>, deformation: Double, rotation: Double? = nil,
    random: inout SeededGenerator
  ) {
    self.center = center
    self.radii = radii
    let angle = rotation ?? random.uniform(in: -Double.pi...Double.pi)
    self.rotation = [cos(angle), sin(angle)]
    harmonics = (2...4).map { order in
      Harmonic(
        order: Double(order),
        amplitude: deformation * random.uniform() * 2 / Double(order),
        phase: random.uniform(in: -Double.pi...Double.pi),
        twist: random.uniform(in: -1.5...1.5))
    }
  }

  /// Above 0 inside, 0 on the surface, about −1 at twice the radius.
  func level(at point: SIMD3<Double>) -> Double {
    let offset = point - center
    let x = rotation.x * offset.x + rotation.y * offset.y
    let y = rotation.x * offset.y - rotation.y * offset.x
    let local = SIMD3(x, y, offset.z) / radii
    let radius = (local * local).sum().squareRoot()
    if radius < 0.4 || radius > 2 { return 1 - radius }
    let equator = (local.x * local.x + local.y * local.y).squareRoot() / radius  // harmonics fade at the poles
    let angle = atan2(local.y, local.x)
    let modulation = harmonics.reduce(0) { sum, h in
      sum + h.amplitude * cos(h.order * angle + h.phase + h.twist * local.z)
    }
    return 1 - radius / (1 + equator * modulation)
  }

  /// The point where the ray from the centre in the given in-plane direction (radians) leaves the blob.
  func surface(towards angle: Double) -> SIMD3<Double> {
    let direction = SIMD3(cos(angle), sin(angle), 0)
    var (inside, outside) = (0.0, 3 * radii.max())
    for _ in 0..<30 {
      let middle = (inside + outside) / 2
      if level(at: center + middle * direction) > 0 { inside = middle } else { outside = middle }
    }
    return center + inside * direction
  }
}

/// A tube that runs along z and meanders: a wall around a lumen.
struct PhantomTube {
  let center: SIMD3<Double>
  let outerRadius, innerRadius, halfLength: Double
  let meander: SIMD2<Double>
  let phase: Double

  enum Part { case wall, lumen }

  func part(at point: SIMD3<Double>) -> Part? {
    guard abs(point.z - center.z) < halfLength else { return nil }
    let x = point.x - center.x - meander.x * cos(2 * point.z + phase)
    let y = point.y - center.y - meander.y * sin(2 * point.z + phase)
    let radius = (x * x + y * y).squareRoot()
    return radius < innerRadius ? .lumen : radius < outerRadius ? .wall : nil
  }
}

/// A smooth random function of position: a sum of long cosine waves.
///
/// Over many draws it has mean 0 and standard deviation 1.
struct PhantomField {
  private let waves: [(direction: SIMD3<Double>, phase: Double)]

  /// Draws waves of up to `frequency` periods across the field of view.
  init(waves count: Int, frequency: Double, random: inout SeededGenerator) {
    waves = (0..<count).map { _ in
      let direction = SIMD3(random.normal(), random.normal(), 0.5 * random.normal())
      let length = max((direction * direction).sum().squareRoot(), 1e-6)
      let scale = frequency * .pi * random.uniform(in: 0.4...1) / length
      return (direction * scale, random.uniform(in: -Double.pi...Double.pi))
    }
  }

  func value(at point: SIMD3<Double>) -> Double {
    let sum = waves.reduce(0) { sum, wave in sum + cos((wave.direction * point).sum() + wave.phase) }
    return sum * (2 / Double(waves.count)).squareRoot()
  }
}
