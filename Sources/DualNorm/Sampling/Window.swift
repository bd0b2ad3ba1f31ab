import Foundation

/// A box of a prepared volume that the network sees at once. Beyond the volume, its edge is repeated.
package struct Window: Hashable, Sendable {
  package let slices, rows, columns: Range<Int>

  /// Size of one of its slices, in pixels.
  package var size: ImageSize { ImageSize(height: rows.count, width: columns.count) }

  /// Size in voxels.
  var extent: Extent { Extent(depth: slices.count, height: rows.count, width: columns.count) }

  /// One window for each slice.
  var slicesApart: [Window] { slices.map { Window(slices: $0..<$0 + 1, rows: rows, columns: columns) } }

  /// Copies the window's part of one slice, row by row.
  ///
  /// - Parameters:
  ///   - slice: size of the slice, in pixels.
  ///   - padding: the value beyond the slice; nil repeats the edge.
  ///   - read: appends a range of the slice's values, in row-major order.
  func append<Value>(
    planeOf slice: ImageSize, padding: Value?, to target: inout [Value],
    _ read: (Range<Int>, inout [Value]) throws -> Void
  ) rethrows {
    if rows == 0..<slice.height, columns == 0..<slice.width {
      return try read(0..<slice.height * slice.width, &target)
    }
    let (first, last) = (nearest(rows.lowerBound, of: slice.height), nearest(rows.upperBound - 1, of: slice.height))
    var strip: [Value] = []
    strip.reserveCapacity((last - first + 1) * slice.width)
    try read(first * slice.width..<(last + 1) * slice.width, &strip)
    for row in rows {
      if let padding, !(0..<slice.height).contains(row) {
        target.append(contentsOf: repeatElement(padding, count: columns.count))
      } else {
        let start = (nearest(row, of: slice.height) - first) * slice.width
        append(row: strip[start..<start + slice.width], padding: padding, to: &target)
      }
    }
  }

  private func append<Value>(row: ArraySlice<Value>, padding: Value?, to target: inout [Value]) {
    let inside = columns.clamped(to: 0..<row.count)
    let before = min(max(-columns.lowerBound, 0), columns.count)
    let after = columns.count - before - inside.count
    target.append(contentsOf: repeatElement(padding ?? row[row.startIndex], count: before))
    target += row[row.startIndex + inside.lowerBound..<row.startIndex + inside.upperBound]
    target.append(contentsOf: repeatElement(padding ?? row[row.endIndex - 1], count: after))
  }
}

/// The index within `0..<count` nearest to a given one.
func nearest(_ index: Int, of count: Int) -> Int { min(max(index, 0), count - 1) }

/// The range of a window around the centre of an axis; the odd voxel of padding comes last.
func centred(_ side: Int, in length: Int) -> Range<Int> {
  let start = -((side - length) >> 1)
  return start..<start + side
}

/// Starts of the fewest windows that cover an axis: evenly spread, at most one step apart.
///
/// They equal those of nnU-Net's `compute_steps_for_sliding_window`. An axis shorter than the window has a single
/// window, around the same centre.
///
/// - Parameters:
///   - length: length of the axis, in voxels.
///   - window: side of the window along the axis, in voxels.
///   - overlap: overlap of neighbouring windows, as a share of a window, from 0 to below 1.
func windowStarts(_ length: Int, window: Int, overlap: Double) -> [Int] {
  guard length > window else { return [centred(window, in: length).lowerBound] }
  let share = ((1 - overlap) * 1e9).rounded() / 1e9  // 1 − 0.9 is not 0.1
  let step = max(Double(window) * share, 1)
  let count = Int((Double(length - window) / step).rounded(.up)) + 1
  let distance = Double(length - window) / Double(count - 1)
  return (0..<count).map { Int((distance * Double($0)).rounded(.toNearestOrEven)) }
}

/// Weight of each voxel along an axis of a window: a Gaussian around its middle, with maximum 1.
///
/// The standard deviation is an eighth of the window, as in nnU-Net's `compute_gaussian`. A window's weight is the
/// product over its axes.
func windowWeights(_ side: Int) -> [Double] {
  let (middle, sigma) = (side / 2, Double(side) / 8)
  return (0..<side).map { exp(-Double(($0 - middle) * ($0 - middle)) / (2 * sigma * sigma)) }
}
