import MedicalImaging
import Testing

@testable import DualNorm

/// The way back of volumes that are resampled along z.
@Suite struct SliceRestoringTests {
  private func grid(_ slices: Int, from network: Int) -> PreparedGrid {
    let geometry = Geometry(size: [5, 4, slices], spacingMM: [1, 1, 2])
    return PreparedGrid(
      geometry: geometry, storedGeometry: geometry, resampledGeometry: geometry.sized([5, 4, network]))
  }

  /// Slabs of any size give what one slab gives, and each slice of the volume once.
  @Test(arguments: [(12, 24), (12, 5), (7, 7), (1, 4), (9, 1), (40, 13), (12, 30), (25, 64), (40, 200)])
  func slabsOfAnySizeGiveTheSame(
    slices: Int, network: Int
  ) {
    let map = (0..<network * 20).map { Float($0 % 97) }
    var whole = SliceRestoring(grid(slices, from: network))
    let expected = whole.restored([map, map], slices: 0..<network)
    #expect(expected.count == 2 && expected.allSatisfy { $0.count == slices * 20 })
    for slab in [1, 2, 3, 7] {
      var parts = SliceRestoring(grid(slices, from: network))
      var found: [[Float]] = [[], []]
      for start in stride(from: 0, to: network, by: slab) {
        let range = start..<min(start + slab, network)
        let values = Array(map[range.lowerBound * 20..<range.upperBound * 20])
        for (index, part) in parts.restored([values, values], slices: range).enumerated() { found[index] += part }
      }
      #expect(found == expected)
    }
  }

  /// A ramp along z in mm stays one, but for the half voxels beyond the outer slices.
  @Test func aRampStaysARamp() {
    let (slices, network) = (12, 30)
    let map = (0..<network).flatMap { z in [Float](repeating: (Float(z) + 0.5) / Float(network), count: 20) }
    var restoring = SliceRestoring(grid(slices, from: network))
    let found = restoring.restored([map], slices: 0..<network)[0]
    for z in 0..<slices { #expect(abs(found[z * 20] - (Float(z) + 0.5) / Float(slices)) < 1e-5) }
  }
}
