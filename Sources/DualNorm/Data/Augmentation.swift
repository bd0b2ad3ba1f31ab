import Foundation

/// What the network learns from: one slice with its neighbours, and the classes of its pixels.
public struct TrainingSlice: Equatable, Sendable {
  /// [channels, height, width], row-major.
  public var image: [Float]
  /// [height, width], classes.
  public var labels: [UInt8]
  public let channels: Int
  public let size: SliceSize

  public init(image: [Float], labels: [UInt8], channels: Int, size: SliceSize) {
    precondition(image.count == channels * size.height * size.width && labels.count == size.height * size.width)
    self.image = image
    self.labels = labels
    self.channels = channels
    self.size = size
  }
}

/// The published augmentation. Each part fires with probability one half; all parts become one affine map of the
/// plane, so that pixels are interpolated once, and image and labels always move together.
public struct Augmentation: Codable, Equatable, Sendable {
  /// Uniform rotation within ± this, in degrees.
  public var rotationDegrees: Double
  /// Mirrors left and right.
  public var flip: Bool
  /// Standard deviation of a shift along each axis, in pixels.
  public var shiftPixels: Double
  /// Largest zoom; uniform from 1. 1 turns it off.
  public var zoom: Double

  public init(rotationDegrees: Double, flip: Bool, shiftPixels: Double, zoom: Double) {
    self.rotationDegrees = rotationDegrees
    self.flip = flip
    self.shiftPixels = shiftPixels
    self.zoom = zoom
  }

  /// Rotation by ±10°; with two classes also flips and shifts of N(0, 4) pixels.
  public static func published(classes: Int) -> Augmentation {
    Augmentation(rotationDegrees: 10, flip: classes == 2, shiftPixels: classes == 2 ? 4 : 0, zoom: 1)
  }

  public static let none = Augmentation(rotationDegrees: 0, flip: false, shiftPixels: 0, zoom: 1)

  /// The slice under a map drawn from `generator`.
  public func apply(to slice: TrainingSlice, using generator: inout SeededGenerator) -> TrainingSlice {
    let map = draw(using: &generator)
    return map == .identity ? slice : slice.transformed(by: map)
  }

  private func draw(using generator: inout SeededGenerator) -> PlaneMap {
    // Every number is drawn whatever fires, so that one part does not change what another draws.
    func fires() -> Bool { generator.uniform() < 0.5 }
    let (rotates, angle) = (fires(), generator.uniform(in: -1...1) * rotationDegrees * .pi / 180)
    let mirrors = fires()
    let (shifts, shift) = (fires(), (generator.normal() * shiftPixels, generator.normal() * shiftPixels))
    let (zooms, factor) = (fires(), generator.uniform(in: 1...max(zoom, 1)))
    return PlaneMap(
      angle: rotates ? angle : 0, mirrors: flip && mirrors, scale: zooms ? factor : 1, shift: shifts ? shift : (0, 0))
  }
}

/// From a pixel of the result to a place in the source: mirror, scale, rotate about the centre and shift.
struct PlaneMap: Equatable {
  /// source = matrix · (result − centre) + centre − shift, with (x, y) in pixels.
  var xx = 1.0
  var xy = 0.0
  var yx = 0.0
  var yy = 1.0
  var shiftX = 0.0
  var shiftY = 0.0

  static let identity = PlaneMap()

  init() {}

  /// - Parameter angle: in radians; - scale: above 1 magnifies.
  init(angle: Double, mirrors: Bool, scale: Double, shift: (x: Double, y: Double)) {
    let (cosine, sine) = (cos(angle) / scale, sin(angle) / scale)
    let side = mirrors ? -1.0 : 1.0
    (xx, xy, yx, yy) = (side * cosine, -side * sine, sine, cosine)
    (shiftX, shiftY) = (shift.x, shift.y)
  }
}

extension TrainingSlice {
  /// Bilinear for the image, nearest neighbour for the labels; beyond the border the edge pixels repeat, as background.
  func transformed(by map: PlaneMap) -> TrainingSlice {
    var result = self
    let (height, width) = (size.height, size.width)
    let (centreX, centreY) = (Double(width - 1) / 2, Double(height - 1) / 2)
    for y in 0..<height {
      for x in 0..<width {
        let (dx, dy) = (Double(x) - centreX, Double(y) - centreY)
        let sourceX = map.xx * dx + map.xy * dy + centreX - map.shiftX
        let sourceY = map.yx * dx + map.yy * dy + centreY - map.shiftY
        let pixel = y * width + x
        let nearest = (x: Int(sourceX.rounded()), y: Int(sourceY.rounded()))
        let inside = (0..<width).contains(nearest.x) && (0..<height).contains(nearest.y)
        result.labels[pixel] = inside ? labels[nearest.y * width + nearest.x] : 0
        interpolate(x: sourceX, y: sourceY, into: &result.image, at: pixel)
      }
    }
    return result
  }

  private func interpolate(x: Double, y: Double, into target: inout [Float], at pixel: Int) {
    let (height, width) = (size.height, size.width)
    let (x, y) = (min(max(x, 0), Double(width - 1)), min(max(y, 0), Double(height - 1)))
    let (left, top) = (Int(x), Int(y))
    let (right, bottom) = (min(left + 1, width - 1), min(top + 1, height - 1))
    let (fx, fy) = (Float(x - Double(left)), Float(y - Double(top)))
    for channel in 0..<channels {
      let plane = channel * height * width
      let above = image[plane + top * width + left] * (1 - fx) + image[plane + top * width + right] * fx
      let below = image[plane + bottom * width + left] * (1 - fx) + image[plane + bottom * width + right] * fx
      target[plane + pixel] = above * (1 - fy) + below * fy
    }
  }
}
