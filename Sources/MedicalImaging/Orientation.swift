import Foundation

/// Where in the patient the axes x, y and z of a grid point, to the nearest of left, posterior and superior.
public struct Orientation: Hashable, Sendable {
  /// Of each grid axis: the patient axis along which it runs (0 right to left, 1 anterior to posterior, 2 inferior to
  /// superior); all three occur.
  public let patientAxes: SIMD3<Int>
  /// Of each grid axis: whether it runs towards left, posterior or superior rather than against it.
  public let runsForward: [Bool]

  /// Grid axes are assigned to patient axes in the order of how well they fit, as ITK and nibabel do it.
  public init(of geometry: Geometry) {
    var axes = SIMD3(-1, -1, -1)
    var forward = [true, true, true]
    for _ in 0..<3 {
      var best = (size: -1.0, grid: 0, patient: 0)
      for grid in 0..<3 where axes[grid] < 0 {
        for patient in 0..<3 where (0..<3).allSatisfy({ axes[$0] != patient }) {
          let size = abs(geometry.axis(grid)[patient])
          if size > best.size { best = (size, grid, patient) }
        }
      }
      axes[best.grid] = best.patient
      forward[best.grid] = geometry.axis(best.grid)[best.patient] >= 0
    }
    patientAxes = axes
    runsForward = forward
  }

  /// From such letters as `code` gives; nil for others.
  public init?(code: String) {
    let letters = code.map { letter in
      [("L", "R"), ("P", "A"), ("S", "I")].firstIndex { $0.0 == String(letter) || $0.1 == String(letter) }
    }
    guard letters.count == 3, Set(letters) == [0, 1, 2] else { return nil }
    patientAxes = SIMD3(letters[0]!, letters[1]!, letters[2]!)
    runsForward = code.map { "LPS".contains($0) }
  }

  /// Three letters that say where x, y and z run *to*, as nibabel has it: `RAS`, `LPS`.
  public var code: String {
    (0..<3).map { grid in
      let letters = [("L", "R"), ("P", "A"), ("S", "I")][patientAxes[grid]]
      return runsForward[grid] ? letters.0 : letters.1
    }.joined()
  }

  /// A value of each grid axis, by patient axis.
  public func byPatientAxis(_ values: SIMD3<Double>) -> SIMD3<Double> {
    var result = SIMD3<Double>.zero
    for grid in 0..<3 { result[patientAxes[grid]] = values[grid] }
    return result
  }
}

extension Geometry {
  public var orientation: Orientation { Orientation(of: self) }

  /// The grid of a volume that was turned; see `Volume.reoriented`.
  public func reoriented(to target: Orientation) -> Geometry { turn(to: target).grid }

  /// The turned grid, the old index of its first voxel, and the old axis and direction of each of its axes.
  fileprivate func turn(
    to target: Orientation
  ) -> (grid: Geometry, first: SIMD3<Int>, axes: [(old: Int, turns: Bool)]) {
    let own = orientation
    var grid = self
    var first = SIMD3<Int>.zero
    let axes = (0..<3).map { new in
      let old = (0..<3).first { own.patientAxes[$0] == target.patientAxes[new] }!
      return (old: old, turns: own.runsForward[old] != target.runsForward[new])
    }
    for (new, (old, turns)) in axes.enumerated() {
      grid.size[new] = size[old]
      grid.spacingMM[new] = spacingMM[old]
      for row in 0..<3 {
        let value = direction[3 * row + old]
        grid.direction[3 * row + new] = turns ? 0 - value : value
      }
      if turns { first[old] = size[old] - 1 }
    }
    grid.originMM = positionMM(ofIndex: SIMD3<Double>(first))
    return (grid, first, axes)
  }

  /// The largest angle between an axis of this grid and the same one of another, from 0° to 180°.
  public func largestAngle(to other: Geometry) -> Double {
    let cosines = (0..<3).map { (axis($0) * other.axis($0)).sum() }
    return acos(max(-1, min(1, cosines.min()!))) * 180 / .pi
  }
}

extension Volume {
  /// `reoriented` to a grid's orientation where that makes the grids equal, nil where they differ by more.
  ///
  /// Converters of DICOM reverse rows or slices: dcm2niix does, ITK does not.
  public func reordered(onto grid: Geometry) -> Volume? {
    let turned = reoriented(to: grid.orientation)
    return turned.geometry.mismatch(with: grid) == nil ? turned : nil
  }

  /// The same voxels with the axes in another order and direction, geometry included: every voxel keeps its place in
  /// the patient.
  public func reoriented(to target: Orientation) -> Volume {
    guard geometry.orientation != target else { return self }
    let size = geometry.size
    let strides = SIMD3(1, size.x, size.x * size.y)
    let (grid, first, axes) = geometry.turn(to: target)
    let steps = axes.map { $0.turns ? -strides[$0.old] : strides[$0.old] }  // in memory, along x, y and z
    let start = (first &* strides).wrappedSum()
    func moved<Value>(_ values: [Value]) -> [Value] {
      var result: [Value] = []
      result.reserveCapacity(values.count)
      for z in 0..<grid.size.z {
        for y in 0..<grid.size.y {
          let row = start + z * steps[2] + y * steps[1]
          for x in 0..<grid.size.x { result.append(values[row + x * steps[0]]) }
        }
      }
      return result
    }
    return Volume(voxels: moved(voxels), geometry: grid, noData: noData.map(moved))
  }
}
