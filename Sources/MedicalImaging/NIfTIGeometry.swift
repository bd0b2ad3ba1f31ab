/// A NIfTI header's fields on where the voxels lie (RAS+), and their meaning in ITK's frame (LPS+, mm).
struct NIfTIGeometry {
  let units: UInt8
  let qformCode: Int
  let sformCode: Int
  /// The quaternion's handedness, then the spacings.
  let pixdim: [Double]
  let quaternion: [Double]
  let offset: [Double]
  /// The 3×4 affine, row by row.
  let sform: [Double]

  /// The sform's geometry where it has one (code above 0, axes perpendicular), else the qform's, else the spacing at 0.
  ///
  /// The order is nibabel's and FSL's. ITK's own reader prefers the qform where the two differ and the sform's code is
  /// not 1, refuses some roundings, and scales the spacing but not the origin of files in metres.
  func geometry(size: SIMD3<Int>) -> Geometry {
    let scale = units & 7 == 1 ? 1000 : units & 7 == 3 ? 0.001 : 1  // metres, micrometres
    let spacing = SIMD3(pixdim[1], pixdim[2], pixdim[3]) * scale
    if sformCode > 0 {
      let fromSform = fromSform(size: size, scale: scale)
      if fromSform.axesArePerpendicular || qformCode <= 0 { return fromSform }
    }
    guard qformCode > 0 else { return Geometry(size: size, spacingMM: spacing) }
    var direction = rotation
    if pixdim[0] < 0 { for row in 0..<3 { direction[3 * row + 2].negate() } }
    return Geometry(
      size: size, spacingMM: spacing, originMM: SIMD3(-offset[0], -offset[1], offset[2]) * scale,
      direction: lps(direction))
  }

  private func fromSform(size: SIMD3<Int>, scale: Double) -> Geometry {
    var spacing = SIMD3<Double>.zero
    var direction = [Double](repeating: 0, count: 9)
    for axis in 0..<3 {
      let column = (0..<3).map { sform[4 * $0 + axis] }
      spacing[axis] = column.reduce(0) { $0 + $1 * $1 }.squareRoot()
      for row in 0..<3 { direction[3 * row + axis] = column[row] / spacing[axis] }
    }
    return Geometry(
      size: size, spacingMM: spacing * scale, originMM: SIMD3(-sform[3], -sform[7], sform[11]) * scale,
      direction: lps(direction))
  }

  /// The unit quaternion's rotation, row by row (NIfTI-1 standard, method 2).
  private var rotation: [Double] {
    var (b, c, d) = (quaternion[0], quaternion[1], quaternion[2])
    let imaginary = b * b + c * c + d * d
    var a = 0.0
    if imaginary > 1 {
      let norm = imaginary.squareRoot()
      (b, c, d) = (b / norm, c / norm, d / norm)
    } else {
      a = (1 - imaginary).squareRoot()
    }
    return [
      a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c),
      2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b),
      2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c,
    ]
  }

  /// From right-anterior-superior to left-posterior-superior; 0 stays without a sign.
  private func lps(_ direction: [Double]) -> [Double] {
    direction.enumerated().map { $0 < 6 ? 0 - $1 : $1 }
  }
}
