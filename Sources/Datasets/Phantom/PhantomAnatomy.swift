import Basics
import Foundation
import MedicalImaging

/// One patient: organs drawn at random inside a body, as functions of position.
///
/// Positions are patient coordinates from −1 to 1 across the field of view (LPS: x to the left, y to the back, z to
/// the head). Label 1 is the main organ, 2 its touching neighbour, and 3 the wall of a vessel. Everything else, bright
/// lumps and fat included, is background.
struct PhantomAnatomy {
  static let bodyTissue = 0.45

  private let body, organ, neighbour: PhantomBlob
  private let vessel: PhantomTube
  private let lumps: [(shape: PhantomBlob, tissue: Double)]
  private let texture: PhantomField
  private let organTissue, neighbourTissue, vesselTissue, fatTissue: Double

  init(random: inout SeededGenerator) {
    let side = random.uniform() < 0.5 ? -1.0 : 1.0  // of the vessel
    body = PhantomBlob(
      center: [0, 0, 0],
      radii: [random.uniform(in: 0.84...0.95), random.uniform(in: 0.76...0.9), 6],
      deformation: 0.02, rotation: 0, random: &random)
    organ = PhantomBlob(
      center: [
        -0.12 * side + random.uniform(in: -0.15...0.15), random.uniform(in: -0.3...0), random.uniform(in: -0.2...0.2),
      ],
      radii: [random.uniform(in: 0.28...0.44), random.uniform(in: 0.28...0.44), random.uniform(in: 0.7...0.95)],
      deformation: 0.14, random: &random)
    neighbour = PhantomAnatomy.neighbour(of: organ, random: &random)
    vessel = PhantomAnatomy.vessel(on: side, random: &random)
    organTissue = random.uniform(in: 0.61...0.65)
    neighbourTissue = random.uniform(in: 0.78...0.84)
    vesselTissue = random.uniform(in: 0.64...0.7)
    fatTissue = random.uniform(in: 0.62...0.8)
    let count = 10 + random.integer(below: 6)
    let drawn = (0..<count).map { _ in PhantomAnatomy.lump(random: &random) }
    lumps = drawn.filter { [organ, neighbour] in
      organ.level(at: $0.shape.center) < -0.5 && neighbour.level(at: $0.shape.center) < -0.8
    }
    texture = PhantomField(waves: 8, frequency: 5, random: &random)
  }

  /// Tissue value and label at a position.
  func sample(at point: SIMD3<Double>) -> (tissue: Double, label: LabelValue) {
    let depth = body.level(at: point)
    guard depth > 0 else { return (0, 0) }
    guard depth > 0.09 else { return (fatTissue, 0) }  // a layer under the skin
    let grain = 0.02 * texture.value(at: point)
    if organ.level(at: point) > 0 { return (organTissue + 0.5 * grain, 1) }
    if neighbour.level(at: point) > 0 { return (neighbourTissue + 0.5 * grain, 2) }
    if let part = vessel.part(at: point) { return part == .wall ? (vesselTissue, 3) : (0.3, 0) }
    for lump in lumps where lump.shape.level(at: point) > 0 { return (lump.tissue + grain, 0) }
    return (PhantomAnatomy.bodyTissue + grain, 0)
  }

  /// Draws the neighbour half sunk into the back of the organ, which becomes a crescent.
  private static func neighbour(of organ: PhantomBlob, random: inout SeededGenerator) -> PhantomBlob {
    let surface = organ.surface(towards: .pi / 2 + random.uniform(in: -1...1))
    let inward = organ.center - surface
    return PhantomBlob(
      center: surface - 0.15 * inward + SIMD3(0, 0, random.uniform(in: -0.15...0.15)),
      radii: [random.uniform(in: 0.21...0.31), random.uniform(in: 0.21...0.31), random.uniform(in: 0.6...0.8)],
      deformation: 0.1, random: &random)
  }

  private static func vessel(on side: Double, random: inout SeededGenerator) -> PhantomTube {
    let outerRadius = random.uniform(in: 0.14...0.19)
    return PhantomTube(
      center: [side * random.uniform(in: 0.5...0.58), random.uniform(in: -0.25...0.2), random.uniform(in: -0.2...0.2)],
      outerRadius: outerRadius, innerRadius: outerRadius * random.uniform(in: 0.4...0.55),
      halfLength: random.uniform(in: 0.6...0.9),
      meander: [random.uniform(in: 0.02...0.06), random.uniform(in: 0.02...0.06)],
      phase: random.uniform(in: -Double.pi...Double.pi))
  }

  /// Draws a small lump off centre, as bright as an organ (or dark): no threshold separates the two.
  private static func lump(random: inout SeededGenerator) -> (shape: PhantomBlob, tissue: Double) {
    let angle = random.uniform(in: -Double.pi...Double.pi)
    let distance = random.uniform(in: 0.45...0.75)
    let shape = PhantomBlob(
      center: [distance * cos(angle), 0.9 * distance * sin(angle), random.uniform(in: -0.9...0.9)],
      radii: [random.uniform(in: 0.07...0.16), random.uniform(in: 0.07...0.16), random.uniform(in: 0.2...0.5)],
      deformation: 0.1, random: &random)
    return (shape, random.uniform() < 0.7 ? random.uniform(in: 0.6...0.84) : random.uniform(in: 0.2...0.35))
  }
}
