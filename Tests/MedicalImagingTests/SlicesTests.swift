import Foundation
import MedicalImaging
import Testing

@Suite struct SlicesTests {
  private static let geometry = Geometry(
    size: [2, 3, 5], spacingMM: [0.5, 2, 3], originMM: [-7, 11, 13], direction: [0.6, -0.8, 0, 0.8, 0.6, 0, 0, 0, 1])
  private let image = Image(voxels: (0..<30).map(Float.init), geometry: geometry)

  private func positionMM(_ image: Image, _ x: Int, _ y: Int, _ z: Int) -> SIMD3<Double> {
    image.geometry.positionMM(ofIndex: [Double(x), Double(y), Double(z)])
  }

  @Test func reversedRowsStayWhereTheyAre() {
    let reversed = image.withRowsReversed()
    #expect(Array(reversed.voxels[..<6]) == [4, 5, 2, 3, 0, 1])
    for (x, y, z) in [(0, 0, 0), (1, 2, 4), (0, 1, 3)] {
      #expect(reversed[x, 2 - y, z] == image[x, y, z])
      let difference = positionMM(reversed, x, 2 - y, z) - positionMM(image, x, y, z)
      #expect((difference * difference).sum() < 1e-20)
    }
    #expect(reversed.geometry.direction == [0.6, 0.8, 0, 0.8, -0.6, 0, 0, 0, 1])
    #expect(reversed.withRowsReversed().voxels == image.voxels)
    #expect(reversed.withRowsReversed().geometry.mismatch(with: image.geometry) == nil)
  }

  @Test func keptSlicesStayWhereTheyAre() {
    let kept = image.slices(1..<5, step: 3)
    #expect(kept.geometry.size == [2, 3, 2] && kept.geometry.spacingMM == [0.5, 2, 9])
    #expect(kept.voxels == Array(image.voxels[6..<12] + image.voxels[24..<30]))
    #expect(positionMM(kept, 1, 2, 1) == positionMM(image, 1, 2, 4))
    #expect(image.slices(0..<5) == image)
    #expect(image.slices(0..<5, step: 2).geometry.size.z == 3)
    #expect(image.slices(4..<5, step: 7).voxels == Array(image.voxels[24...]))
  }

  @Test func wholeNumbersAreWrittenIn16Bits() throws {
    try withFolder { folder in
      let file = folder.appendingPathComponent("image.nii")
      for (value, bytes) in [(Float(-32768), 2), (32767, 2), (32768, 4), (0.5, 4)] {
        var image = image
        image.voxels[7] = value
        try image.writeCompactly(to: file)
        #expect(try Data(contentsOf: file).count == 352 + 30 * bytes)
        let again = try Image(contentsOf: file)
        #expect(again.voxels == image.voxels && again.geometry.mismatch(with: image.geometry) == nil)
      }
    }
  }
}
