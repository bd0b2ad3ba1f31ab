/// A NIfTI header's fields on the position of the voxels (RAS+), and their meaning in ITK's frame (LPS+, mm).
struct NIfTIGeometry: Equatable {
  let units: UInt8
  let qformCode: Int
  let sformCode: Int
  /// All eight values: the quaternion's handedness, then the spacings.
  var pixdim: [Double]
  let quaternion: [Double]
  let offset: [Double]
  /// The 3×4 affine, row by row.
  let sform: [Double]

  /// The fields without the steps of time or channels, for volumes on the grid of a 4-D file.
  var ofSpace: NIfTIGeometry {
    var result = self
    for axis in 4..<8 { result.pixdim[axis] = 1 }
    return result
  }

  /// The sform's geometry if there is one (code above 0, axes perpendicular), else the qform's, else the spacing at 0.
  ///
  /// nibabel and FSL use this order. ITK's own reader prefers the qform if the two differ and the sform's code is not
  /// 1. It also refuses some roundings, and scales the spacing but not the origin of files in metres.
  func geometry(size: SIMD3<Int>) -> Geometry {
    let sform = fromSform(size)
    let qform = fromQform(size)
    let readsSform = sform.map { $0.axesArePerpendicular || qform == nil } ?? false
    var result = readsSform ? sform! : qform ?? withoutForms(size)
    result.nifti = self
    return result
  }

  /// All possible meanings of the fields: by either form or, without one, by ITK (as here) and by nibabel.
  func readings(size: SIMD3<Int>) -> [Geometry] {
    let forms = [fromSform(size), fromQform(size)].compactMap { $0 }.filter(\.isUsable)
    guard forms.isEmpty else { return forms }
    let plain = withoutForms(size)
    var centred = plain
    centred.direction = [1, 0, 0, 0, -1, 0, 0, 0, 1]
    centred.originMM = plain.spacingMM * SIMD3<Double>(size &- 1) * SIMD3(-0.5, 0.5, -0.5)
    return [plain, centred]
  }

  /// A doubt about the position, as the end of a sentence; nil if the forms agree up to rounding or one is missing.
  func doubt(size: SIMD3<Int>) -> String? {
    guard let sform = fromSform(size), let qform = fromQform(size) else { return nil }
    guard sform.axesArePerpendicular else {
      return "its sform has no perpendicular axes, so its qform was used"
        + (sform.isFinite ? ", which lies up to \(short(sform.farthestMM(to: qform))) mm from it" : "")
        + "; what is written keeps both: check where it lies."
    }
    guard qform.isUsable else { return "its qform cannot be used, so its sform was: correct the header." }
    guard sform.difference(from: qform) != nil else { return nil }
    let apart = short(sform.farthestMM(to: qform))
    return "its sform and qform lie up to \(apart) mm apart; its sform was used, and what is written keeps both: make "
      + "them agree, or check where it lies."
  }

  private var scale: Double { units & 7 == 1 ? 1000 : units & 7 == 3 ? 0.001 : 1 }  // metres, micrometres

  private func spacing(_ size: SIMD3<Int>) -> SIMD3<Double> {
    let flat = size.z == 1 && pixdim[3] == 0  // some programs write 2-D images this way
    return SIMD3(pixdim[1], pixdim[2], flat ? 1 : pixdim[3]) * scale
  }

  private func withoutForms(_ size: SIMD3<Int>) -> Geometry { Geometry(size: size, spacingMM: spacing(size)) }

  private func fromQform(_ size: SIMD3<Int>) -> Geometry? {
    guard qformCode > 0 else { return nil }
    var direction = rotation
    if pixdim[0] < 0 { for row in 0..<3 { direction[3 * row + 2].negate() } }
    return Geometry(
      size: size, spacingMM: spacing(size), originMM: SIMD3(-offset[0], -offset[1], offset[2]) * scale,
      direction: lps(direction))
  }

  private func fromSform(_ size: SIMD3<Int>) -> Geometry? {
    guard sformCode > 0 else { return nil }
    var columns = (0..<3).map { axis in SIMD3(sform[axis], sform[4 + axis], sform[8 + axis]) }
    if size.z == 1, columns[2] == .zero { columns[2] = unitNormal(columns[0], columns[1]) }
    var spacing = SIMD3<Double>.zero
    var direction = [Double](repeating: 0, count: 9)
    for axis in 0..<3 {
      spacing[axis] = (0..<3).reduce(0) { $0 + columns[axis][$1] * columns[axis][$1] }.squareRoot()
      for row in 0..<3 { direction[3 * row + axis] = columns[axis][row] / spacing[axis] }
    }
    return Geometry(
      size: size, spacingMM: spacing * scale, originMM: SIMD3(-sform[3], -sform[7], sform[11]) * scale,
      direction: lps(direction))
  }

  /// The unit quaternion's rotation, row by row (NIfTI-1 standard, method 2).
  ///
  /// The limit is that of its reference code, which keeps a half turn a half turn in 32 bits.
  private var rotation: [Double] {
    var (b, c, d) = (quaternion[0], quaternion[1], quaternion[2])
    let imaginary = b * b + c * c + d * d
    var a = 0.0
    if 1 - imaginary < 1e-7 {
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

  /// Converts right-anterior-superior to left-posterior-superior; 0 stays without a sign.
  private func lps(_ direction: [Double]) -> [Double] {
    direction.enumerated().map { $0 < 6 ? 0 - $1 : $1 }
  }
}

/// The unit vector at right angles to two others.
private func unitNormal(_ a: SIMD3<Double>, _ b: SIMD3<Double>) -> SIMD3<Double> {
  let normal = SIMD3(a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x)
  return normal / (normal * normal).sum().squareRoot()
}

extension Geometry {
  /// The NIfTI fields that this grid was read from, if they still mean this grid.
  var storedForms: NIfTIGeometry? { nifti.flatMap { $0.geometry(size: size) == self ? $0 : nil } }

  /// This grid, and the other possible meanings of its file's fields.
  var readings: [Geometry] { [self] + (storedForms?.readings(size: size).filter { $0 != self } ?? []) }

  fileprivate var isFinite: Bool { frame.allSatisfy(\.isFinite) }

  fileprivate var isUsable: Bool {
    isFinite && axesArePerpendicular && (0..<3).allSatisfy { spacingMM[$0] > 0 }
  }
}
