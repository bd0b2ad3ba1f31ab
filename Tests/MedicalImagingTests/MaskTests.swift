import MedicalImaging
import Testing

@Suite struct MaskTests {
  @Test func distancesAreScipys() {
    for reference in Fixtures.reference.distances {
      let spacing = SIMD3(reference.spacing[0], reference.spacing[1], reference.spacing[2])
      let size = SIMD3(reference.size[0], reference.size[1], reference.size[2])
      let mask = Mask(voxels: reference.mask.map { $0 == 1 }, geometry: Geometry(size: size, spacingMM: spacing))
      let distance = mask.distanceMap()
      #expect(distance.geometry == mask.geometry)
      #expect(largestDifference(distance.voxels, reference.distance) < 1e-10)
    }
  }

  @Test func distancesIgnoreOriginAndDirection() {
    var mask = Mask(
      repeating: false,
      geometry: Geometry(
        size: [4, 3, 2], spacingMM: [1, 2, 3], originMM: [7, 8, 9], direction: [0, 1, 0, -1, 0, 0, 0, 0, 1]))
    mask[0, 0, 0] = true
    #expect(mask.distanceMap()[3, 0, 0] == 3 && mask.distanceMap()[0, 2, 0] == 4 && mask.distanceMap()[0, 0, 1] == 3)
  }

  @Test func aFullMaskIsNowhereFar() {
    let full = Mask(repeating: true, geometry: Geometry(size: [4, 3, 2]))
    #expect(full.distanceMap().voxels.allSatisfy { $0 == 0 })
  }

  @Test func surfacesLackANeighbour() {
    var mask = Mask(repeating: false, geometry: Geometry(size: [6, 6, 6]))
    for z in 1...5 { for y in 1...4 { for x in 1...4 { mask[x, y, z] = true } } }
    let surface = mask.surface()
    // 4×4×5 voxels, the last slice at the image's border; the inner 2×2×3 have all six neighbours.
    #expect(surface.voxels.count(where: \.self) == 80 - 12)
    #expect(!surface[2, 2, 2] && surface[2, 2, 5] && surface[1, 2, 2] && !surface[0, 0, 0])
  }

  @Test func thePixelsOfAPictureHaveNeighboursInItAlone() {
    var mask = Mask(repeating: false, geometry: Geometry(size: [8, 8, 1]))
    for y in 1...5 { for x in 2...7 { mask[x, y, 0] = true } }
    #expect(mask.surface() == mask)
    // 6×5 pixels, the last column at the picture's border; the inner 4×3 have all four neighbours.
    let contour = mask.surface(inPlane: true)
    #expect(contour.voxels.count(where: \.self) == 30 - 12)
    #expect(!contour[3, 2, 0] && contour[2, 2, 0] && contour[7, 3, 0] && !contour[0, 0, 0])
  }

  @Test func diagonalNeighboursDoNotCount() {
    var mask = Mask(repeating: true, geometry: Geometry(size: [5, 5, 5]))
    mask[3, 3, 3] = false
    #expect(!mask.surface()[2, 2, 2] && mask.surface()[2, 3, 3])
  }
}
