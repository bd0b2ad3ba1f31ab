import Basics
import Foundation

/// An affine map of a volume's voxels, in units of a pixel: source = matrix · target − shift, from the middle.
struct SpaceMap: Equatable {
  /// Row by row, for x, y and z.
  let matrix: [Double]
  let shift: [Double]

  static let identity = SpaceMap(matrix: [1, 0, 0, 0, 1, 0, 0, 0, 1], shift: [0, 0, 0])

  private init(matrix: [Double], shift: [Double]) { (self.matrix, self.shift) = (matrix, shift) }

  /// A map of the plane, which also scales along z, after turns about x and y.
  ///
  /// - Parameters:
  ///   - angles: in radians.
  ///   - shift: along z, in pixels.
  ///   - mirrors: whether to mirror along z too.
  init(_ plane: PlaneMap, angles: (x: Double, y: Double), shift: Double, mirrors: Bool) {
    let scale = (plane.yx * plane.yx + plane.yy * plane.yy).squareRoot()
    let inPlane = [plane.xx, plane.xy, 0, plane.yx, plane.yy, 0, 0, 0, mirrors ? -scale : scale]
    let (cx, sx, cy, sy) = (cos(angles.x), sin(angles.x), cos(angles.y), sin(angles.y))
    let aboutX: [Double] = [1, 0, 0, 0, cx, -sx, 0, sx, cx]
    let aboutY: [Double] = [cy, 0, sy, 0, 1, 0, -sy, 0, cy]
    self.init(
      matrix: Self.product(inPlane, Self.product(aboutY, aboutX)), shift: [plane.shiftX, plane.shiftY, shift])
  }

  private static func product(_ a: [Double], _ b: [Double]) -> [Double] {
    (0..<9).map { place in
      let (row, column) = place.quotientAndRemainder(dividingBy: 3)
      return a[3 * row] * b[column] + a[3 * row + 1] * b[3 + column] + a[3 * row + 2] * b[6 + column]
    }
  }
}

/// A smooth random displacement of a volume; see `ElasticMap`. Nodes are about 32 pixels apart along each axis.
struct ElasticField {
  private let axes: [Axis]
  /// Displacements of the nodes along x, y and z, in pixels.
  private let nodes: [[Double]]

  /// - Parameter sliceDistance: see `TrainingExample`.
  init(_ extent: Extent, _ sliceDistance: Double, _ generator: SeededGenerator) {
    var generator = generator
    let sides = [Double(extent.width), Double(extent.height), Double(extent.depth ?? 1) * sliceDistance]
    let cells = sides.map { max(Int($0) / 32, 2) }
    let distance = zip(sides, cells).map { $0 / Double($1) }.min()!
    let deviation = generator.uniform() * min(0.04 * sides.min()!, 0.32 * distance)
    let count = cells.reduce(1) { $0 * ($1 + 2) }
    nodes = (0..<count).map { _ in (0..<3).map { _ in generator.normal() * deviation } }
    axes = zip([extent.width, extent.height, extent.depth ?? 1], cells).map { Axis(count: $0, cells: $1) }
  }

  /// In pixels along x, y and z.
  func displacement(x: Int, y: Int, z: Int) -> (x: Double, y: Double, z: Double) {
    let (column, row, slice) = (axes[0].places[x], axes[1].places[y], axes[2].places[z])
    var sum = (x: 0.0, y: 0.0, z: 0.0)
    for k in 0..<3 {
      for j in 0..<3 {
        let start = ((slice.first + k) * axes[1].nodes + row.first + j) * axes[0].nodes + column.first
        let outer = slice.weights[k] * row.weights[j]
        for i in 0..<3 {
          let (node, weight) = (nodes[start + i], outer * column.weights[i])
          sum.x += weight * node[0]
          sum.y += weight * node[1]
          sum.z += weight * node[2]
        }
      }
    }
    return sum
  }

  /// The three nodes around each voxel of an axis, and their weights in a uniform quadratic B-spline.
  private struct Axis {
    let nodes: Int
    let places: [(first: Int, weights: [Double])]

    init(count: Int, cells: Int) {
      nodes = cells + 2
      places = (0..<count).map { index in
        let place = Double(index) * Double(cells) / Double(count)
        let t = place - place.rounded(.down)
        return (Int(place), [0.5 * (1 - t) * (1 - t), 0.5 + t * (1 - t), 0.5 * t * t])
      }
    }
  }
}

extension TrainingExample {
  /// Tells whether it is a volume whose slices lie at most twice as far apart as pixels.
  var isTurnedInSpace: Bool { extent.depth != nil && (0.5...2).contains(sliceDistance) }

  /// Resamples the image trilinearly and the labels by nearest neighbour. Edge voxels repeat beyond the border, as
  /// background.
  func transformed(by map: SpaceMap, bending: ElasticField?) -> TrainingExample {
    var result = self
    let (depth, height, width) = (extent.depth ?? 1, extent.height, extent.width)
    let middle = [width, height, depth].map { Double($0 - 1) / 2 }
    let m = map.matrix
    let count = labels.count
    image.withUnsafeBufferPointer { source in
      result.image.withUnsafeMutableBufferPointer { target in
        for z in 0..<depth {
          for y in 0..<height {
            for x in 0..<width {
              let bend = bending?.displacement(x: x, y: y, z: z) ?? (x: 0, y: 0, z: 0)
              let (dx, dy) = (Double(x) - middle[0] + bend.x, Double(y) - middle[1] + bend.y)
              let dz = (Double(z) - middle[2]) * sliceDistance + bend.z
              let place = Corners(
                x: m[0] * dx + m[1] * dy + m[2] * dz + middle[0] - map.shift[0],
                y: m[3] * dx + m[4] * dy + m[5] * dz + middle[1] - map.shift[1],
                z: (m[6] * dx + m[7] * dy + m[8] * dz - map.shift[2]) / sliceDistance + middle[2],
                in: (width, height, depth))
              let voxel = (z * height + y) * width + x
              result.labels[voxel] = place.nearest.map { labels[$0] } ?? 0
              for channel in stride(from: 0, to: source.count, by: count) {
                target[channel + voxel] = place.interpolated(source, channel)
              }
            }
          }
        }
      }
    }
    return result
  }
}

/// The eight voxels around a place in a volume.
private struct Corners {
  private let x, y, z: (low: Int, high: Int, weight: Float)
  /// Index of the nearest voxel; nil outside the volume.
  let nearest: Int?

  init(x: Double, y: Double, z: Double, in size: (width: Int, height: Int, depth: Int)) {
    func neighbours(_ place: Double, _ count: Int, step: Int) -> (low: Int, high: Int, weight: Float) {
      let inside = min(max(place, 0), Double(count - 1))
      let low = Int(inside)
      return (low * step, min(low + 1, count - 1) * step, Float(inside - Double(low)))
    }
    let plane = size.width * size.height
    self.x = neighbours(x, size.width, step: 1)
    self.y = neighbours(y, size.height, step: size.width)
    self.z = neighbours(z, size.depth, step: plane)
    let (column, row, slice) = (Int(x.rounded()), Int(y.rounded()), Int(z.rounded()))
    let isInside =
      (0..<size.width).contains(column) && (0..<size.height).contains(row) && (0..<size.depth).contains(slice)
    nearest = isInside ? slice * plane + row * size.width + column : nil
  }

  func interpolated(_ values: UnsafeBufferPointer<Float>, _ offset: Int) -> Float {
    func row(_ start: Int) -> Float {
      values[start + x.low] * (1 - x.weight) + values[start + x.high] * x.weight
    }
    func plane(_ start: Int) -> Float { row(start + y.low) * (1 - y.weight) + row(start + y.high) * y.weight }
    return plane(offset + z.low) * (1 - z.weight) + plane(offset + z.high) * z.weight
  }
}
