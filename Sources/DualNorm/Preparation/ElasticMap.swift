import Basics
import Foundation

/// A smooth random displacement of the plane (Simard et al., 2003, on a coarse grid).
///
/// Nodes about 32 pixels apart move by N(0, σ) along each axis. σ is uniform, up to 4 % of the shorter side and at most
/// 0.32 of the node distance. Between nodes the displacement is a uniform quadratic B-spline, so neighbouring pixels
/// never tear apart. Its derivative has a standard deviation of at most 1.09 σ / distance, hence at most 0.35. Folds of
/// the plane (a derivative below −1) are therefore rare.
struct ElasticMap {
  private let width: Int
  /// Displacement of each pixel, in pixels, in row-major order.
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

  /// The first of the three nodes around a position, and their weights, which sum to 1.
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
