import Foundation

/// The directions of a grid's axes x, y and z in the patient, to the nearest of left, posterior and superior.
public struct Orientation: Hashable, Sendable {
  /// For each grid axis, the patient axis along which it runs.
  ///
  /// 0 is right to left, 1 anterior to posterior, 2 inferior to superior; all three occur.
  public let patientAxes: SIMD3<Int>
  /// For each grid axis, whether it runs towards left, posterior or superior rather than against it.
  public let runsForward: [Bool]

  /// Assigns grid axes to patient axes in the order of the best fit, as ITK and nibabel do.
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

  /// Parses letters in the form of `code`; nil for others.
  public init?(code: String) {
    let letters = code.map { letter in
      [("L", "R"), ("P", "A"), ("S", "I")].firstIndex { $0.0 == String(letter) || $0.1 == String(letter) }
    }
    guard letters.count == 3, Set(letters) == [0, 1, 2] else { return nil }
    patientAxes = SIMD3(letters[0]!, letters[1]!, letters[2]!)
    runsForward = code.map { "LPS".contains($0) }
  }

  /// The same directions with the axes in another order.
  ///
  /// - Parameter axes: for each new axis, the old one.
  public func permuted(_ axes: SIMD3<Int>) -> Orientation {
    Orientation(
      patientAxes: SIMD3(patientAxes[axes.x], patientAxes[axes.y], patientAxes[axes.z]),
      runsForward: [runsForward[axes.x], runsForward[axes.y], runsForward[axes.z]])
  }

  private init(patientAxes: SIMD3<Int>, runsForward: [Bool]) {
    (self.patientAxes, self.runsForward) = (patientAxes, runsForward)
  }

  /// Three letters for the directions that x, y and z run *to*, as in nibabel: `RAS`, `LPS`.
  public var code: String {
    (0..<3).map { grid in
      let letters = [("L", "R"), ("P", "A"), ("S", "I")][patientAxes[grid]]
      return runsForward[grid] ? letters.0 : letters.1
    }.joined()
  }

  /// Reorders one value a grid axis to one a patient axis.
  public func byPatientAxis(_ values: SIMD3<Double>) -> SIMD3<Double> {
    var result = SIMD3<Double>.zero
    for grid in 0..<3 { result[patientAxes[grid]] = values[grid] }
    return result
  }
}

extension Geometry {
  public var orientation: Orientation { Orientation(of: self) }

  /// The grid of a reoriented volume; see `Volume.reoriented`.
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

  /// The largest angle between an axis of this grid and the corresponding one of another, from 0° to 180°.
  public func largestAngle(to other: Geometry) -> Double {
    let cosines = (0..<3).map { (axis($0) * other.axis($0)).sum() }
    return acos(max(-1, min(1, cosines.min()!))) * 180 / .pi
  }
}

extension Volume {
  /// Reorients to a grid's orientation if that makes the grids equal; nil if they differ by more.
  ///
  /// Some converters of DICOM reverse rows or slices: dcm2niix does, ITK does not.
  public func reordered(onto grid: Geometry) -> Volume? {
    let turned = reoriented(to: grid.orientation)
    return turned.geometry.mismatch(with: grid) == nil ? turned : nil
  }

  /// Permutes and flips the axes, geometry included: every voxel keeps its place in the patient.
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
