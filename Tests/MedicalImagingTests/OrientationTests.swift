import MedicalImaging
import Testing

@Suite struct OrientationTests {
  private func grid(_ direction: [Double]) -> Geometry {
    Geometry(size: [3, 4, 5], spacingMM: [0.5, 2, 3], originMM: [-10, 20, 30], direction: direction)
  }

  /// Directions are columns in left-posterior-superior. Codes name the end of each axis, as in nibabel's `aff2axcodes`.
  @Test(arguments: [
    ("LPS", [1.0, 0, 0, 0, 1, 0, 0, 0, 1]), ("RAS", [-1, 0, 0, 0, -1, 0, 0, 0, 1]),
    ("RPS", [-1, 0, 0, 0, 1, 0, 0, 0, 1]), ("PSL", [0, 0, 1, 1, 0, 0, 0, 1, 0]),
    ("LPI", [0.8, -0.6, 0, 0.6, 0.8, 0, 0, 0, -1]),
  ])
  func codes(code: String, direction: [Double]) {
    #expect(grid(direction).orientation.code == code)
  }

  /// Every voxel keeps its position in the patient, and the reverse gives the same volume.
  @Test(arguments: [
    [1.0, 0, 0, 0, 1, 0, 0, 0, 1], [-1, 0, 0, 0, -1, 0, 0, 0, 1], [0, 0, 1, 1, 0, 0, 0, 1, 0],
    [0, 0.8, -0.6, 0, -0.6, -0.8, -1, 0, 0],
  ])
  func turningKeepsPlaces(direction: [Double]) {
    let source = Volume(voxels: Array(0..<60), geometry: grid(direction))
    let target = grid([0, 0, -1, -1, 0, 0, 0, 1, 0]).orientation
    let turned = source.reoriented(to: target)
    #expect(turned.geometry.orientation == target)
    #expect(Set(turned.voxels).count == 60)
    for x in 0..<turned.geometry.size.x {
      for y in 0..<turned.geometry.size.y {
        for z in 0..<turned.geometry.size.z {
          let old = turned[x, y, z]
          let there = source.geometry.positionMM(
            ofIndex: [Double(old % 3), Double(old / 3 % 4), Double(old / 12)])
          let here = turned.geometry.positionMM(ofIndex: [Double(x), Double(y), Double(z)])
          #expect((there - here).max() < 1e-12 && (here - there).max() < 1e-12)
        }
      }
    }
    let back = turned.reoriented(to: source.geometry.orientation)
    #expect(back.voxels == source.voxels && back.geometry.mismatch(with: source.geometry) == nil)
    #expect(back.geometry.direction == source.geometry.direction)
  }

  @Test func valuesByPatientAxis() {
    let orientation = grid([0, 0, 1, 1, 0, 0, 0, 1, 0]).orientation
    #expect(orientation.byPatientAxis([1, 2, 3]) == [3, 1, 2])
  }

  @Test func movesAreInVoxels() {
    let one = grid(Geometry.identityDirection)
    var other = one
    other.originMM.y += 0.5
    #expect(one.largestMove(to: other) == 0.25)
    other.spacingMM.x = 0.75
    #expect(one.largestMove(to: other) == 1)
    other.size.x = 4
    #expect(one.largestMove(to: other) == nil)
    #expect(one.largestAngle(to: grid([-1, 0, 0, 0, 1, 0, 0, 0, 1])) == 180)
  }
}
