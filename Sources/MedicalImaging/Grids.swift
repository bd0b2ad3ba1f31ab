import Foundation

extension Geometry {
  /// The position of a (fractional) voxel index, in mm.
  public func positionMM(ofIndex index: SIMD3<Double>) -> SIMD3<Double> {
    originMM + turned(index * spacingMM)
  }

  /// A grid of equal extent with another number of voxels in plane.
  ///
  /// The x and y edges (not centres) and all z stay in place.
  public func inPlane(size newSize: SIMD2<Int>) -> Geometry { sized(SIMD3(newSize.x, newSize.y, size.z)) }

  /// A grid of equal extent with another number of voxels along each axis; all edges stay in place.
  public func sized(_ newSize: SIMD3<Int>) -> Geometry {
    precondition(newSize.min() > 0, "a size of \(newSize.x)×\(newSize.y)×\(newSize.z)")
    var result = self
    for axis in 0..<3 {
      result.size[axis] = newSize[axis]
      result.spacingMM[axis] = spacingMM[axis] * Double(size[axis]) / Double(newSize[axis])
    }
    result.originMM = originMM + turned((result.spacingMM - spacingMM) / 2)
    return result
  }

  /// Describes why two volumes cannot be compared voxel by voxel; nil if only rounding differs.
  ///
  /// Spacings may differ by 1/1000, and the first voxel may move by 5 % of a voxel. Turned axes may move a corner by
  /// 20 % of a voxel. NIfTI keeps quaternions in 32 bits, so one near a half turn is right to 3e-4. That is 14 % of a
  /// voxel over 400 of them. A shift by half a voxel is a mismatch.
  ///
  /// If the sform and qform of a NIfTI file differ, one of them must fit. Programs choose differently between the two
  /// and give their choice to the masks that they write.
  /// - Returns: for example "size 48×48×40 against 48×48×41" or "origin differs by 3.2 mm along x".
  public func mismatch(with other: Geometry) -> String? {
    guard let difference = difference(from: other) else { return nil }
    let fits = size == other.size && pairs(with: other).contains { $0.difference(from: $1) == nil }
    return fits ? nil : difference
  }

  /// Pairs each reading of this grid with each of another.
  private func pairs(with other: Geometry) -> [(Geometry, Geometry)] {
    let others = other.readings
    return readings.flatMap { own in others.map { (own, $0) } }
  }

  /// The largest distance between the two grids, in voxels along the axis where it is largest; nil for other sizes.
  ///
  /// If sform and qform differ, the forms that fit best count.
  public func largestMove(to other: Geometry) -> Double? {
    guard size == other.size else { return nil }
    let pairs = difference(from: other) == nil ? [(self, other)] : pairs(with: other)
    return pairs.map { own, other in
      own.corners.map { own.largestMove(other.positionMM(ofIndex: $0) - own.positionMM(ofIndex: $0)) }.max()!
    }.min()
  }

  /// The largest distance between the corners of two grids of one size.
  func farthestMM(to other: Geometry) -> Double {
    corners.map { corner in
      let offset = other.positionMM(ofIndex: corner) - positionMM(ofIndex: corner)
      return (offset * offset).sum().squareRoot()
    }.max()!
  }

  /// Like `mismatch`, for these two grids alone.
  func difference(from other: Geometry) -> String? {
    guard size == other.size else { return "size \(shape(size)) against \(shape(other.size))" }
    guard (0..<3).allSatisfy({ abs(spacingMM[$0] - other.spacingMM[$0]) <= 1e-3 * spacingMM[$0] }) else {
      return "spacing \(shape(spacingMM)) mm against \(shape(other.spacingMM)) mm"
    }
    let shift = other.originMM - originMM
    guard largestMove(shift) <= 0.05 else {
      let axis = (0..<3).max { abs(shift[$0]) < abs(shift[$1]) }!
      return "origin differs by \(short(abs(shift[axis]))) mm along \(["x", "y", "z"][axis])"
    }
    guard corners.allSatisfy({ largestMove(other.turned($0 * spacingMM) - turned($0 * spacingMM)) <= 0.2 }) else {
      return "axes differ by \(short(largestAngle(to: other)))°"
    }
    return nil
  }

  /// The corner voxels' indices.
  private var corners: [SIMD3<Double>] {
    let far = SIMD3<Double>(size &- 1)
    return (0..<8).map { far * SIMD3(Double($0 & 1), Double($0 >> 1 & 1), Double($0 >> 2)) }
  }

  /// A displacement in mm, in voxels along the axis where it is largest.
  private func largestMove(_ displacement: SIMD3<Double>) -> Double {
    (0..<3).map { abs((axis($0) * displacement).sum()) / spacingMM[$0] }.max()!
  }

  /// The direction matrix times a vector along the axes.
  private func turned(_ vector: SIMD3<Double>) -> SIMD3<Double> {
    axis(0) * vector.x + axis(1) * vector.y + axis(2) * vector.z
  }

  /// The unit vector of x (0), y or z (2).
  func axis(_ column: Int) -> SIMD3<Double> {
    SIMD3(direction[column], direction[3 + column], direction[6 + column])
  }
}

private func shape(_ size: SIMD3<Int>) -> String { "\(size.x)×\(size.y)×\(size.z)" }

private func shape(_ spacing: SIMD3<Double>) -> String { (0..<3).map { short(spacing[$0]) }.joined(separator: "×") }

/// Formats up to four significant digits.
func short(_ value: Double) -> String { String(format: "%.4g", value) }
