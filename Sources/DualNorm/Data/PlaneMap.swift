import Foundation

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

/// A smooth random displacement of the plane (Simard et al., 2003, on a coarse grid).
///
/// Nodes about 32 pixels apart move by N(0, σ) along each axis, σ drawn up to 4 % of the shorter side, and up to 0.32 of
/// the nodes' distance; between nodes the displacement is a uniform quadratic B-spline, so neighbouring pixels never tear
/// apart. A derivative of it has a standard deviation of at most 1.09 σ / distance, so of at most 0.35: places where the
/// plane folds (a derivative below −1) are rare.
struct ElasticMap {
  private let width: Int
  /// How far each pixel looks aside, in pixels.
  private let field: [(x: Double, y: Double)]

  init(size: ImageSize, using generator: inout SeededGenerator) {
    let cells = Self.cells(size)
    let nodesAcross = cells.x + 2
    let deviation = generator.uniform() * Self.largestDeviation(size)
    var nodes: [(x: Double, y: Double)] = []
    for _ in 0..<nodesAcross * (cells.y + 2) {
      nodes.append((generator.normal() * deviation, generator.normal() * deviation))
    }
    let columns = (0..<size.width).map { Weights(Double($0) * Double(cells.x) / Double(size.width)) }
    let rows = (0..<size.height).map { Weights(Double($0) * Double(cells.y) / Double(size.height)) }
    width = size.width
    field = rows.flatMap { row in
      columns.map { column in
        var sum = (x: 0.0, y: 0.0)
        for j in 0..<3 {
          for i in 0..<3 {
            let node = nodes[(row.first + j) * nodesAcross + column.first + i]
            let weight = row.values[j] * column.values[i]
            sum.x += weight * node.x
            sum.y += weight * node.y
          }
        }
        return sum
      }
    }
  }

  private static func cells(_ size: ImageSize) -> (x: Int, y: Int) {
    (max(size.width / 32, 2), max(size.height / 32, 2))
  }

  /// The largest σ, in pixels.
  static func largestDeviation(_ size: ImageSize) -> Double {
    let cells = cells(size)
    let distance = min(Double(size.width) / Double(cells.x), Double(size.height) / Double(cells.y))
    return min(0.04 * Double(min(size.width, size.height)), 0.32 * distance)
  }

  func displacement(x: Int, y: Int) -> (x: Double, y: Double) { field[y * width + x] }

  /// The first of the three nodes around a place between them, and their weights, which add up to one.
  private struct Weights {
    let first: Int
    let values: [Double]

    init(_ place: Double) {
      first = Int(place)
      let t = place - Double(first)
      values = [0.5 * (1 - t) * (1 - t), 0.5 + t * (1 - t), 0.5 * t * t]
    }
  }
}

extension TrainingSlice {
  /// Bilinear for the image, nearest neighbour for the labels; beyond the border the edge pixels repeat, as background.
  func transformed(by map: PlaneMap, bending: ElasticMap? = nil) -> TrainingSlice {
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
            result.labels[pixel] = inside ? labels[nearest.y * width + nearest.x] : 0
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
    for channel in 0..<channels {
      let plane = channel * height * width
      let above = source[plane + top * width + left] * (1 - fx) + source[plane + top * width + right] * fx
      let below = source[plane + bottom * width + left] * (1 - fx) + source[plane + bottom * width + right] * fx
      target[plane + pixel] = above * (1 - fy) + below * fy
    }
  }
}
