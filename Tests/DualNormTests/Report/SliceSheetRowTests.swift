import MedicalImaging
import Testing

@testable import Pictures

@Suite struct SliceSheetRowTests {
  @Test func pixelsWithoutDataAreNoNumbers() {
    let geometry = Geometry(size: [2, 2, 1])
    let image = Image(voxels: [1, 2, 3, 4], geometry: geometry, noData: [true, false, false, false])
    let row = SheetRow(title: "", channels: [image], z: 0)
    #expect(row.channels[0].filter(\.isNaN).count == 1 && row.channels[0].filter(\.isFinite).sorted() == [2, 3, 4])
    let measured = SheetRow(title: "", width: 3, height: 1, channels: [[2, 3, 4]])
    #expect(SliceWindow(of: [row]) == SliceWindow(of: [measured]))
  }

  /// Directions (row by row), and the drawn order of the slice 1 2 3 / 4 5 6.
  @Test(arguments: [
    ("axial, LPS", [1.0, 0, 0, 0, 1, 0, 0, 0, 1], 3, [1, 2, 3, 4, 5, 6]),
    ("axial, RAS", [-1, 0, 0, 0, -1, 0, 0, 0, 1], 3, [6, 5, 4, 3, 2, 1]),
    ("axial, x to the right", [-1, 0, 0, 0, 1, 0, 0, 0, 1], 3, [3, 2, 1, 6, 5, 4]),
    ("axial, tilted", [1, 0, 0, 0, 0.9, -0.436, 0, 0.436, 0.9], 3, [1, 2, 3, 4, 5, 6]),
    ("axial, x to the back", [0, 1, 0, 1, 0, 0, 0, 0, 1], 2, [1, 4, 2, 5, 3, 6]),
    ("coronal, y to the head", [1, 0, 0, 0, 0, 1, 0, 1, 0], 3, [4, 5, 6, 1, 2, 3]),
    ("coronal, y to the feet", [1, 0, 0, 0, 0, 1, 0, -1, 0], 3, [1, 2, 3, 4, 5, 6]),
    ("sagittal, x to the head, y to the front", [0, 0, 1, 0, -1, 0, 1, 0, 0], 2, [6, 3, 5, 2, 4, 1]),
  ])
  func slicesAreTurnedAsRadiologistsLookAtThem(name: String, direction: [Double], width: Int, expected: [Int]) {
    let geometry = Geometry(size: [3, 2, 2], spacingMM: [1, 4, 1], direction: direction)
    let image = Image(voxels: [0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6], geometry: geometry)
    let labels = ClassMap(voxels: image.voxels.map(UInt8.init), geometry: geometry)
    let row = SheetRow(title: name, channels: [image], z: 1, reference: labels)
    #expect(row.channels == [expected.map(Float.init)])
    #expect(row.reference == expected.map(UInt8.init))
    #expect(row.width == width && row.height == 5 - width)
    #expect(row.pixelAspect == (width == 3 ? 4 : 0.25))
  }

  @Test func aColourPictureKeepsItsChannels() {
    let geometry = Geometry(size: [2, 1, 1])
    let colours = [[1, 2], [3, 4], [5, 6]].map { Image(voxels: $0, geometry: geometry) }
    #expect(SheetRow(title: "", channels: colours, z: 0).channels == [[1, 2], [3, 4], [5, 6]])
  }

  @Test func theFullestSliceHasTheMostClassesThenVoxels() {
    func fullest(_ voxels: [LabelValue]) -> Int {
      SheetRow.fullestSlice(of: LabelMap(voxels: voxels, geometry: Geometry(size: [2, 1, 3])))
    }
    #expect(fullest([1, 1, 0, 0, 1, 2]) == 2)
    #expect(fullest([1, 0, 2, 2, 1, 0]) == 1)
    #expect(fullest([0, 0, 0, 0, 0, 0]) == 1)
  }
}
