import MedicalImaging
import Testing

@Suite struct FiltersTests {
  @Test func resamplesAsScipy() {
    let reference = Fixtures.reference.resampling
    let image = Image(voxels: reference.values, geometry: reference.source.geometry)
    let target = reference.target.geometry
    let linear = image.resampled(onto: target, interpolation: .linear)
    #expect(linear.geometry == target)
    #expect(largestDifference(linear.voxels, reference.linear) < 1e-6)
    #expect(image.resampled(onto: target, interpolation: .nearest).voxels == reference.nearest)
  }

  @Test func resamplesAlignedEdges() {
    let geometry = Geometry(size: [4, 1, 1], spacingMM: [2, 2, 2])
    let image = Image(voxels: [0, 1, 2, 4], geometry: geometry)
    let doubled = geometry.inPlane(size: [8, 1])
    #expect(
      image.resampled(onto: doubled, interpolation: .linear).voxels == [0, 0.25, 0.75, 1.25, 1.75, 2.5, 3.5, 4])
    #expect(image.resampled(onto: geometry.inPlane(size: [2, 1]), interpolation: .linear).voxels == [0.5, 3])
    let labels = LabelMap(voxels: [7, 1, 2, 9], geometry: geometry)
    #expect(labels.resampled(onto: doubled).voxels == [7, 7, 1, 1, 2, 2, 9, 9])
    #expect(labels.resampled(onto: doubled).resampled(onto: geometry).voxels == labels.voxels)
  }

  @Test func goesOnWithEdgeValuesOutside() {
    let geometry = Geometry(size: [3, 1, 1])
    let target = Geometry(size: [9, 2, 2], originMM: [-3, -5, 4])
    let expected: [Float] = [1, 1, 1, 1, 2, 5, 5, 5, 5]
    let image = Image(voxels: [1, 2, 5], geometry: geometry)
    for interpolation in [Interpolation.linear, .nearest] {
      let voxels = image.resampled(onto: target, interpolation: interpolation).voxels
      #expect(voxels == expected + expected + expected + expected)
    }
    let labels = LabelMap(voxels: [1, 2, 5], geometry: geometry).resampled(onto: target)
    #expect(Array(labels.voxels[..<9]) == [1, 1, 1, 1, 2, 5, 5, 5, 5])
  }

  @Test func smoothsAsScipy() {
    let reference = Fixtures.reference.smoothing
    let image = Image(
      voxels: reference.values, geometry: Geometry(size: [12, 9, 2], spacingMM: [1, 1.5, 3]))
    #expect(largestDifference(image.smoothed(sigmaMM: 2.5).voxels, reference.smooth) < 2e-3)
    #expect(image.smoothed(sigmaMM: 0) == image)
  }

  @Test func keepsTheLargestComponentOfEachLabel() {
    // Label 1: two voxels, then three that touch only across an edge or a corner. Label 2: two single voxels.
    let rows: [[UInt8]] = [
      [1, 0, 0, 1, 0, 2],
      [1, 0, 0, 0, 1, 0],
      [0, 0, 0, 1, 0, 0],
      [2, 0, 0, 0, 0, 9],
    ]
    let kept: [[UInt8]] = [
      [0, 0, 0, 1, 0, 2],
      [0, 0, 0, 0, 1, 0],
      [0, 0, 0, 1, 0, 0],
      [0, 0, 0, 0, 0, 9],
    ]
    let geometry = Geometry(size: [6, 4, 1])
    let labels = LabelMap(voxels: rows.flatMap { $0 }, geometry: geometry)
    #expect(labels.keepingLargestComponents().voxels == kept.flatMap { $0 })
  }

  @Test func cornersConnectAcrossSlices() {
    var labels = LabelMap(repeating: 0, geometry: Geometry(size: [5, 3, 2]))
    labels[0, 0, 0] = 3
    labels[1, 1, 1] = 3
    labels[4, 2, 1] = 3
    let kept = labels.keepingLargestComponents()
    #expect(kept[0, 0, 0] == 3 && kept[1, 1, 1] == 3 && kept[4, 2, 1] == 0)
  }

  @Test func whereLabelsLieMakesNoDifferenceToTheirComponents() {
    func labels(size: SIMD3<Int>, from corner: Int) -> LabelMap {
      var labels = LabelMap(repeating: 0, geometry: Geometry(size: size))
      func set(_ x: Int, _ y: Int, _ z: Int, _ label: UInt8) { labels[corner + x, corner + y, corner + z] = label }
      for place in [(0, 0, 0), (1, 0, 0), (3, 1, 2), (3, 2, 2), (3, 2, 1)] { set(place.0, place.1, place.2, 4) }
      for place in [(1, 0, 1), (0, 3, 2), (0, 3, 1)] { set(place.0, place.1, place.2, 7) }
      return labels
    }
    let tight = labels(size: [4, 4, 3], from: 0).keepingLargestComponents()
    let loose = labels(size: [9, 10, 8], from: 3).keepingLargestComponents()
    for z in 0..<8 {
      for y in 0..<10 {
        for x in 0..<9 {
          let isInside = (3..<7).contains(x) && (3..<7).contains(y) && (3..<6).contains(z)
          #expect(loose[x, y, z] == (isInside ? tight[x - 3, y - 3, z - 3] : 0))
        }
      }
    }
    #expect(tight.voxels.count { $0 == 4 } == 3 && tight.voxels.count { $0 == 7 } == 2)
  }

  @Test func emptyStaysEmpty() {
    let empty = LabelMap(repeating: 0, geometry: Geometry(size: [3, 3, 3]))
    #expect(empty.keepingLargestComponents() == empty)
  }
}
