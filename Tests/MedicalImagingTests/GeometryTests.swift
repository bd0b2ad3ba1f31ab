import Foundation
import MedicalImaging
import Testing

@Suite struct GeometryTests {
  let geometry = Geometry(size: [48, 48, 40], spacingMM: [0.5, 0.5, 3], originMM: [10, -20, 30])

  @Test func roundingPasses() {
    #expect(geometry.mismatch(with: geometry) == nil)
    var other = geometry
    other.spacingMM *= 1.0005
    other.originMM += [0.02, -0.02, 0.1]
    other.direction = turned(degrees: 0.1)
    #expect(geometry.mismatch(with: other) == nil)
  }

  @Test func differencesAreNamed() {
    var other = geometry
    other.size.z = 41
    #expect(geometry.mismatch(with: other) == "size 48×48×40 against 48×48×41")
    other = geometry
    other.spacingMM.z = 3.3
    #expect(geometry.mismatch(with: other) == "spacing 0.5×0.5×3 mm against 0.5×0.5×3.3 mm")
    other = geometry
    other.originMM += [-3.2, 1, 0]
    #expect(geometry.mismatch(with: other) == "origin differs by 3.2 mm along x")
    other = geometry
    other.originMM.y += 0.25  // half a voxel
    #expect(geometry.mismatch(with: other) == "origin differs by 0.25 mm along y")
    other = geometry
    other.direction = turned(degrees: 2)
    #expect(geometry.mismatch(with: other) == "axes differ by 2°")
    other.direction = [-1, 0, 0, 0, -1, 0, 0, 0, 1]
    #expect(geometry.mismatch(with: other) == "axes differ by 180°")
  }

  @Test func inPlaneGridsKeepTheirEdges() {
    var turned = geometry
    turned.direction = self.turned(degrees: 30)
    let half = turned.inPlane(size: [24, 96])
    #expect(half.size == [24, 96, 40] && half.spacingMM == [1, 0.25, 3])
    for corner in [SIMD3(-0.5, -0.5, 0), SIMD3(47.5, 47.5, 39)] {
      let scaled = SIMD3((corner.x + 0.5) / 2 - 0.5, (corner.y + 0.5) * 2 - 0.5, corner.z)
      let apart = turned.positionMM(ofIndex: corner) - half.positionMM(ofIndex: scaled)
      #expect((apart * apart).sum() < 1e-20)
    }
    let thin = geometry.sized([34, 1, 80])
    #expect(thin.size == [34, 1, 80] && thin.spacingMM == [24.0 / 34, 24, 1.5])
  }

  @Test func positionsFollowTheDirections() {
    let flipped = Geometry(
      size: [4, 4, 4], spacingMM: [1, 2, 3], originMM: [5, 6, 7], direction: [0, 0, 1, -1, 0, 0, 0, 1, 0])
    #expect(flipped.positionMM(ofIndex: [1, 2, 3]) == SIMD3<Double>(5 + 9, 6 - 1, 7 + 4))
  }

  private func turned(degrees: Double) -> [Double] {
    let (c, s) = (cos(degrees * .pi / 180), sin(degrees * .pi / 180))
    return [c, -s, 0, s, c, 0, 0, 0, 1]
  }
}
