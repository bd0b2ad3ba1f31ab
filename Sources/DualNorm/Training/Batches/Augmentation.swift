package import Basics
import Foundation

/// A training example: a slice with its neighbours, or a window of a volume, and the classes of its voxels.
package struct TrainingExample: Equatable, Sendable {
  /// [channels, height, width], or [channels, depth, height, width]; row-major.
  var image: [Float]
  /// [height, width], or [depth, height, width]; row-major, class indices.
  var labels: [UInt8]
  let channels: Int
  let extent: Extent
  /// Distance of slices over that of the pixels in a slice.
  let sliceDistance: Double

  package init(image: [Float], labels: [UInt8], channels: Int, extent: Extent, sliceDistance: Double = 1) {
    let voxels = extent.sizes.reduce(1, *)
    precondition(image.count == channels * voxels && labels.count == voxels)
    self.image = image
    self.labels = labels
    self.channels = channels
    self.extent = extent
    self.sliceDistance = sliceDistance
  }

  /// Size of its slices, in pixels.
  var size: ImageSize { extent.slice }

  /// Reverses the order of a volume's slices.
  mutating func reverseSlices() {
    guard let depth = extent.depth else { return }
    let plane = size.height * size.width
    func reversed<Value>(_ values: [Value]) -> [Value] {
      var result: [Value] = []
      for channel in stride(from: 0, to: values.count, by: depth * plane) {
        for z in (0..<depth).reversed() {
          let first = channel + z * plane
          result += values[first..<first + plane]
        }
      }
      return result
    }
    (image, labels) = (reversed(image), reversed(labels))
  }

  /// Slices of all channels.
  var planes: Int { channels * (extent.depth ?? 1) }
}

/// Random changes of a training example, drawn anew each time it is used.
///
/// All spatial changes are combined into one map, so that voxels are interpolated once. Image and labels always move
/// together. Volumes turn about all three axes, and change along all of them, unless distances of slices and pixels
/// differ more than twofold: then all slices move alike. Intensities change afterwards; all channels (neighbouring slices and modalities) change alike,
/// except for noise.
package struct Augmentation: Equatable, Sendable {
  /// A kind of change. The first three are the published augmentation.
  package enum Part: String, Codable, Sendable, CaseIterable {
    /// Rotation, uniform within ±10°; of volumes about each axis.
    case rotation
    /// Mirroring along each axis of `flips` with probability 1/2.
    case flip
    /// Shift of N(0, 4) pixels along each axis; with two classes only, as published.
    case shift
    /// Magnification, log-uniform from 0.7 to 1.4.
    case scale
    /// Smooth random displacement, see `ElasticMap`.
    case elastic
    /// Gamma curve over the slice's range, exponent log-uniform from 0.7 to 1.5; with probability 1/4 on the negative.
    case gamma
    /// Contrast times 0.75 to 1.25 around the slice's mean, and brightness plus N(0, 0.1) standard deviations.
    case contrast
    /// Gaussian noise with a standard deviation of up to 0.15, in units of normalized intensities.
    case noise
    /// Gaussian blur in plane, σ from 0.5 to 1 pixel.
    case blur
    /// Multiplicative smooth field, exp of a cubic polynomial with coefficients up to ±0.3.
    case biasField = "bias-field"

    /// The probability of the change: 0.5 for the published ones and the scale, low values as in nnU-Net for the
    /// others.
    var probability: Double {
      switch self {
      case .rotation, .flip, .shift, .scale: 0.5
      case .gamma: 0.3
      case .elastic, .contrast, .noise, .blur, .biasField: 0.2
      }
    }
  }

  var parts: Set<Part>
  /// The number of the network's classes; shifts need two.
  var classes: Int
  /// The axes of flips.
  var flips: [MirrorAxis]
  /// Largest zoom of the published code, uniform from 1; 1 turns it off.
  var zoom: Double

  /// - Parameter flips: nil takes `standardFlips`.
  package init(_ parts: some Sequence<Part>, classes: Int, zoom: Double = 1, flips: [MirrorAxis]? = nil) {
    self.parts = Set(parts)
    self.classes = classes
    self.flips = flips ?? Self.standardFlips(classes: classes)
    self.zoom = zoom
  }

  /// Left-right mirroring with two classes only, as published, since organs have sides.
  static func standardFlips(classes: Int) -> [MirrorAxis] { classes == 2 ? [.x] : [] }

  /// The published augmentation.
  package static let published: [Part] = [.rotation, .flip, .shift]

  /// Returns the example with random changes.
  package func apply(to example: TrainingExample, using generator: inout SeededGenerator) -> TrainingExample {
    // Each part has its own generator, so that one part does not change another's numbers.
    let seed = generator.next()
    func own(_ part: Part?) -> SeededGenerator {
      .stream(seed: seed, part.map { Part.allCases.firstIndex(of: $0)! } ?? -1)
    }
    func fires(_ part: Part) -> SeededGenerator? {
      guard parts.contains(part) else { return nil }
      var drawn = own(part)
      return drawn.uniform() < part.probability ? drawn : nil
    }
    let mirrored = mirroredAxes(own)
    let map = plane(fires, mirrored, zooming: own(nil))
    var result = example
    if example.isTurnedInSpace {
      let elastic = fires(.elastic).map { ElasticField(example.extent, example.sliceDistance, $0) }
      let space = space(map, mirrored, fires)
      if elastic != nil || space != .identity { result = example.transformed(by: space, bending: elastic) }
      changeIntensities(of: &result, fires)
      return result
    }
    if var own = fires(.elastic) {
      result = example.transformed(by: map, bending: ElasticMap(size: example.size, using: &own))
    } else if map != .identity {
      result = example.transformed(by: map)
    }
    if mirrored.contains(.z) { result.reverseSlices() }
    changeIntensities(of: &result, fires)
    return result
  }

  private func mirroredAxes(_ own: (Part?) -> SeededGenerator) -> Set<MirrorAxis> {
    guard parts.contains(.flip) else { return [] }
    // x has the first number, y the second, z the third.
    var drawn = own(.flip)
    return Set(MirrorAxis.allCases.filter { drawn.uniform() < Part.flip.probability && flips.contains($0) })
  }

  private func changeIntensities(of example: inout TrainingExample, _ fires: (Part) -> SeededGenerator?) {
    for part in IntensityChange.order {
      if var own = fires(part) { IntensityChange(part, using: &own).apply(to: &example) }
    }
  }

  /// The map of a volume whose slices move by `plane`, turned about the other two axes and shifted along the third.
  private func space(
    _ plane: PlaneMap, _ mirrored: Set<MirrorAxis>, _ fires: (Part) -> SeededGenerator?
  ) -> SpaceMap {
    var angles = (x: 0.0, y: 0.0)
    if var own = fires(.rotation) {
      _ = own.uniform(in: -10...10)  // the plane's
      angles = (own.uniform(in: -10...10) * .pi / 180, own.uniform(in: -10...10) * .pi / 180)
    }
    var shift = 0.0
    if classes == 2, var own = fires(.shift) {
      _ = (own.normal(), own.normal())
      shift = own.normal() * 4
    }
    return SpaceMap(plane, angles: angles, shift: shift, mirrors: mirrored.contains(.z))
  }

  private func plane(
    _ fires: (Part) -> SeededGenerator?, _ mirrored: Set<MirrorAxis>, zooming: SeededGenerator
  ) -> PlaneMap {
    var zooming = zooming
    var scale = zooming.uniform() < 0.5 ? zooming.uniform(in: 1...max(zoom, 1)) : 1
    if var own = fires(.scale) { scale *= exp(own.uniform(in: log(0.7)...log(1.4))) }
    var angle = 0.0
    if var own = fires(.rotation) { angle = own.uniform(in: -10...10) * .pi / 180 }
    var shift = (x: 0.0, y: 0.0)
    if classes == 2, var own = fires(.shift) { shift = (own.normal() * 4, own.normal() * 4) }
    return PlaneMap(angle: angle, mirrors: mirrored, scale: scale, shift: shift)
  }
}
