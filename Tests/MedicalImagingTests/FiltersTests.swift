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
}
