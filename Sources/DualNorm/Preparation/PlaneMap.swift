import Basics
import Foundation

/// An affine map from a pixel of the result to a position in the source: mirror, scale, rotate about the centre, shift.
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

  /// - Parameters:
  ///   - angle: rotation in radians.
  ///   - mirrors: axes to mirror along; z makes no difference.
  ///   - scale: magnification; above 1 enlarges.
  init(angle: Double, mirrors: Set<MirrorAxis>, scale: Double, shift: (x: Double, y: Double)) {
    let (cosine, sine) = (cos(angle) / scale, sin(angle) / scale)
    let (x, y) = (mirrors.contains(.x) ? -1.0 : 1.0, mirrors.contains(.y) ? -1.0 : 1.0)
    (xx, xy, yx, yy) = (x * cosine, -x * sine, y * sine, y * cosine)
    (shiftX, shiftY) = (shift.x, shift.y)
  }
}

extension TrainingExample {
  /// Resamples the image bilinearly and the labels by nearest neighbour. Edge pixels repeat beyond the border, as
  /// background.
  func transformed(by map: PlaneMap, bending: ElasticMap? = nil) -> TrainingExample {
    var result = self
    let (height, width) = (size.height, size.width)
    let (centreX, centreY) = (Double(width - 1) / 2, Double(height - 1) / 2)
    image.withUnsafeBufferPointer { source in
      result.image.withUnsafeMutableBufferPointer { target in
        for y in 0..<height {
          for x in 0..<width {
            let bend = bending?.displacement(x: x, y: y) ?? (x: 0, y: 0)
            let (dx, dy) = (Double(x) - centreX + bend.x, Double(y) - centreY + bend.y)
            let sourceX = map.xx * dx + map.xy * dy + centreX - map.shiftX
            let sourceY = map.yx * dx + map.yy * dy + centreY - map.shiftY
            let pixel = y * width + x
            let nearest = (x: Int(sourceX.rounded()), y: Int(sourceY.rounded()))
            let inside = (0..<width).contains(nearest.x) && (0..<height).contains(nearest.y)
            for slice in stride(from: 0, to: labels.count, by: height * width) {
              result.labels[slice + pixel] = inside ? labels[slice + nearest.y * width + nearest.x] : 0
            }
            interpolate(source, x: sourceX, y: sourceY, into: target, at: pixel)
          }
        }
      }
    }
    return result
  }

  private func interpolate(
    _ source: UnsafeBufferPointer<Float>, x: Double, y: Double, into target: UnsafeMutableBufferPointer<Float>,
    at pixel: Int
  ) {
    let (height, width) = (size.height, size.width)
    let (x, y) = (min(max(x, 0), Double(width - 1)), min(max(y, 0), Double(height - 1)))
    let (left, top) = (Int(x), Int(y))
    let (right, bottom) = (min(left + 1, width - 1), min(top + 1, height - 1))
    let (fx, fy) = (Float(x - Double(left)), Float(y - Double(top)))
    for plane in stride(from: 0, to: source.count, by: height * width) {
      let above = source[plane + top * width + left] * (1 - fx) + source[plane + top * width + right] * fx
      let below = source[plane + bottom * width + left] * (1 - fx) + source[plane + bottom * width + right] * fx
      target[plane + pixel] = above * (1 - fy) + below * fy
    }
  }
}
