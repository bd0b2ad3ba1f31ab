/// The interpolation of nnU-Net between the grid of a volume and the network's.
///
/// Intensities are interpolated by cubic B-splines and scores linearly. Where one spacing is more than three times
/// another, its axis takes the nearest voxel. As nnU-Net's `resample_data_or_seg_to_shape` by scikit-image and SciPy.
struct NNUNetInterpolation: Equatable, Sendable {
  /// The axis (0 for x) that takes the nearest voxel; nil for none.
  let nearestAxis: Int?

  /// - Parameters:
  ///   - from: spacing of the grid to interpolate on.
  ///   - to: spacing of the grid to fill.
  init(from: SIMD3<Double>, to: SIMD3<Double>) {
    let coarse = [from, to].first { $0.max() / $0.min() > 3 }
    let axes = coarse.map { spacing in (0..<3).filter { spacing[$0] == spacing.max() } } ?? []
    nearestAxis = axes.count == 1 ? axes[0] : nil
  }

  func isNearest(along axis: Int) -> Bool { nearestAxis == axis }

  /// Interpolates intensities and keeps them within the range of the volume, or of each slice of the nearest axis.
  func ofIntensities(_ values: [Float], from: SIMD3<Int>, to: SIMD3<Int>) -> [Float] {
    guard from != to else { return values }
    var lines = Lines(values.map(Double.init), size: from)
    for axis in 0..<3 where axis != nearestAxis { lines = lines.interpolatedCubically(axis, to: to[axis]) }
    lines.clip(toRangesOf: values, size: from, alongSlicesOf: nearestAxis)
    if let nearestAxis { lines = lines.nearest(nearestAxis, to: to[nearestAxis]) }
    return lines.values.map(Float.init)
  }

  /// Interpolates scores along x and y; z has the same size in both.
  func ofScoresInPlane(_ values: [Float], from: SIMD3<Int>, to: SIMD3<Int>) -> [Float] {
    guard from != to else { return values }
    var lines = Lines(values.map(Double.init), size: from)
    for axis in 0..<2 {
      lines =
        isNearest(along: axis) ? lines.nearest(axis, to: to[axis]) : lines.interpolatedLinearly(axis, to: to[axis])
    }
    return lines.values.map(Float.init)
  }
}

/// A volume as lines along an axis.
private struct Lines {
  private(set) var values: [Double]
  private let size: SIMD3<Int>

  init(_ values: [Double], size: SIMD3<Int>) { (self.values, self.size) = (values, size) }

  /// Volume [outer, count, inner] with lines along the middle axis.
  private func shape(_ axis: Int) -> (outer: Int, count: Int, inner: Int) {
    let inner = (0..<axis).reduce(1) { $0 * size[$1] }
    return (values.count / (inner * size[axis]), size[axis], inner)
  }

  /// The place of a voxel of `count` on an axis of `size[axis]`; the outer faces of both grids are the same.
  private func place(_ index: Int, _ axis: Int, _ count: Int) -> Double {
    (Double(index) + 0.5) * Double(size[axis]) / Double(count) - 0.5
  }

  private func resized(_ axis: Int, to count: Int, _ weights: [(first: Int, values: [Double])]) -> Lines {
    let (outer, old, inner) = shape(axis)
    var result = [Double](repeating: 0, count: outer * count * inner)
    values.withUnsafeBufferPointer { source in
      result.withUnsafeMutableBufferPointer { target in
        for block in 0..<outer {
          for (index, (first, factors)) in weights.enumerated() {
            let to = (block * count + index) * inner
            for (offset, factor) in factors.enumerated() {
              let from = (block * old + Swift.min(Swift.max(first + offset, 0), old - 1)) * inner
              for voxel in 0..<inner { target[to + voxel] += factor * source[from + voxel] }
            }
          }
        }
      }
    }
    var larger = size
    larger[axis] = count
    return Lines(result, size: larger)
  }

  func nearest(_ axis: Int, to count: Int) -> Lines {
    guard count != size[axis] else { return self }
    return resized(axis, to: count, (0..<count).map { (Int((place($0, axis, count) + 0.5).rounded(.down)), [1]) })
  }

  func interpolatedLinearly(_ axis: Int, to count: Int) -> Lines {
    guard count != size[axis] else { return self }
    return resized(
      axis, to: count,
      (0..<count).map { index in
        let place = place(index, axis, count)
        let first = place.rounded(.down)
        return (Int(first), [1 - (place - first), place - first])
      })
  }

  /// Interpolates by cubic B-splines of the volume with its edge repeated.
  func interpolatedCubically(_ axis: Int, to count: Int) -> Lines {
    guard count != size[axis] else { return self }
    let padded = padded(axis, by: Self.padding).splineCoefficients(axis)
    return padded.resized(
      axis, to: count,
      (0..<count).map { index in
        let place = place(index, axis, count) + Double(Self.padding)
        let first = place.rounded(.down)
        let t = place - first
        let weights = [
          (1 - t) * (1 - t) * (1 - t) / 6, (4 - 6 * t * t + 3 * t * t * t) / 6,
          (1 + 3 * t + 3 * t * t - 3 * t * t * t) / 6, t * t * t / 6,
        ]
        return (Int(first) - 1, weights)
      })
  }

  /// The number of voxels that SciPy repeats, too; the spline forgets the end of the line over them.
  private static let padding = 12

  private func padded(_ axis: Int, by padding: Int) -> Lines {
    let count = size[axis] + 2 * padding
    return resized(axis, to: count, (0..<count).map { ($0 - padding, [1]) })
  }

  /// The coefficients of the cubic B-spline through the values (Unser 1999), mirrored at the ends.
  private func splineCoefficients(_ axis: Int) -> Lines {
    let (outer, count, inner) = shape(axis)
    let pole = 3.0.squareRoot() - 2
    var result = values.map { $0 * 6 }
    result.withUnsafeMutableBufferPointer { values in
      for block in 0..<outer {
        let start = block * count * inner
        func add(_ factor: Double, of source: Int, to target: Int) {
          for voxel in 0..<inner {
            values[start + target * inner + voxel] += factor * values[start + source * inner + voxel]
          }
        }
        // The causal sum over the mirrored line; its terms vanish long before the other end.
        var power = 1.0
        for index in 1..<Swift.min(count, 40) {
          power *= pole
          add(power, of: index, to: 0)
        }
        for index in 1..<count { add(pole, of: index - 1, to: index) }
        let last = (start + (count - 1) * inner, start + (count - 2) * inner)
        for voxel in 0..<inner {
          values[last.0 + voxel] = pole / (pole * pole - 1) * (values[last.0 + voxel] + pole * values[last.1 + voxel])
        }
        for index in (0..<count - 1).reversed() {
          for voxel in 0..<inner {
            let place = start + index * inner + voxel
            values[place] = pole * (values[place + inner] - values[place])
          }
        }
      }
    }
    return Lines(result, size: size)
  }

  /// Clips values to the least and the greatest of a source, or of each of its slices across an axis.
  ///
  /// - Parameter from: size of the source, the same along the axis.
  mutating func clip(toRangesOf source: [Float], size from: SIMD3<Int>, alongSlicesOf axis: Int?) {
    let sourceLines = Lines([], size: from)
    /// The slice of a value.
    func slice(_ index: Int, _ lines: Lines) -> Int {
      guard let axis else { return 0 }
      let inner = (0..<axis).reduce(1) { $0 * lines.size[$1] }
      return index / inner % lines.size[axis]
    }
    var ranges = Array(repeating: (low: Double.infinity, high: -Double.infinity), count: axis.map { size[$0] } ?? 1)
    for (index, value) in source.enumerated() {
      let place = slice(index, sourceLines)
      ranges[place] = (Swift.min(ranges[place].low, Double(value)), Swift.max(ranges[place].high, Double(value)))
    }
    for index in values.indices {
      let range = ranges[slice(index, self)]
      values[index] = Swift.min(Swift.max(values[index], range.low), range.high)
    }
  }
}
