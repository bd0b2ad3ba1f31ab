import Foundation
import MedicalImaging
import TestSupport
import Testing

/// Results of Tools/fixtures_dicom.py.
struct DICOMReference: Decodable {
  /// The source values of each one-slice file of 7 × 5 pixels.
  let pixels: [String: [Float]]
  let grids: [Grid]

  /// A series of 6 slices of 4 × 5 pixels, and SimpleITK's geometry for it.
  struct Grid: Decodable, CustomTestStringConvertible {
    let name: String
    let row: [Double]
    let column: [Double]
    let positions: [[Double]]
    let spacing: [Double]
    let origin: [Double]
    let direction: [Double]
    /// The source index of the first slice.
    let first: Int

    var testDescription: String { name }
  }

  static let folder = Fixtures.root.appendingPathComponent("Tests/Fixtures/dicom")
  static let shared = try! JSONDecoder().decode(
    DICOMReference.self, from: Data(contentsOf: folder.appendingPathComponent("reference.json")))
}

@Suite struct DICOMReadingTests {
  /// Signed and unsigned pixels, 8 to 16 bits, with slope, MONOCHROME1, implicit, big-endian, RLE, JPEG and JPEG-LS.
  @Test(arguments: DICOMReference.shared.pixels.keys.sorted()) func storedValues(name: String) throws {
    try withFolder { folder in
      try FileManager.default.copyItem(
        at: DICOMReference.folder.appendingPathComponent("\(name).dcm"), to: folder.appendingPathComponent("IM0"))
      let image = try Image(contentsOf: folder)
      #expect(
        image.geometry
          == Geometry(size: [7, 5, 1], spacingMM: [1.5, 2, 3], originMM: [1, 2, 3]))
      #expect(image.voxels == DICOMReference.shared.pixels[name])
    }
  }

  /// Axial, coronal, sagittal and oblique series, each with all eight signs of its axes.
  ///
  /// The grid equals SimpleITK's, and every voxel has the position that it has in a NIfTI file of the same slices.
  @Test(arguments: DICOMReference.shared.grids) func gridEqualsNIfTI(grid: DICOMReference.Grid) throws {
    try withFolder { folder in
      let (row, column) = (SIMD3(grid.row), SIMD3(grid.column))
      let positions = grid.positions.map { SIMD3($0) }
      let values = (0..<120).map { Int16($0) }
      for (place, position) in positions.enumerated() {
        let slice = DICOMSliceFile(
          Array(values[place * 20..<place * 20 + 20]), columns: 4, rows: 5, position: position, row: row, column: column
        )
        try slice.write(to: folder.appendingPathComponent(["d", "a", "f", "b", "e", "c"][place]))
      }
      let series = try DICOMSeries(contentsOf: folder)
      let image = try series.image()
      let found = image.geometry
      #expect(found.size == [4, 5, 6])
      #expect((0..<3).allSatisfy { abs(found.spacingMM[$0] - grid.spacing[$0]) < 1e-8 })
      #expect((0..<3).allSatisfy { abs(found.originMM[$0] - grid.origin[$0]) < 1e-8 })
      #expect(zip(found.direction, grid.direction).allSatisfy { abs($0 - $1) < 1e-8 })
      #expect(image.voxels[0] == Float(grid.first * 20))

      let step = (positions[1] - positions[0]) / 3.5
      let truth = Image(
        voxels: values.map(Float.init),
        geometry: Geometry(
          size: [4, 5, 6], spacingMM: [0.75, 1.5, 3.5], originMM: positions[0],
          direction: (0..<3).flatMap { [row[$0], column[$0], step[$0]] }))
      let file = folder.appendingPathComponent("truth.nii.gz")
      try truth.write(to: file)
      let nifti = try Image(contentsOf: file)
      let reordered = try #require(image.reordered(onto: nifti.geometry))
      #expect(reordered.voxels == nifti.voxels)
      #expect(grid.first == 0 ? image.voxels == nifti.voxels : image.voxels != nifti.voxels)
    }
  }

  @Test func seriesEqualsTheNIfTIThatSimpleITKMakes() throws {
    let image = try Image(contentsOf: DICOMReference.folder.appendingPathComponent("oblique"))
    let nifti = try Image(contentsOf: DICOMReference.folder.appendingPathComponent("oblique.nii.gz"))
    #expect(image.voxels == nifti.voxels)
    #expect(image.geometry.mismatch(with: nifti.geometry) == nil)
    #expect(zip(image.geometry.affine, nifti.geometry.affine).allSatisfy { abs($0 - $1) < 1e-5 })
  }

  @Test func aSeriesIsChosenByNumberOrUID() throws {
    let two = DICOMReference.folder.appendingPathComponent("two")
    let root = "1.2.826.0.1.3680043.10.1234"
    for (choice, uid, count) in [
      ("5", "\(root).5", 5), ("6", "\(root).6", 3), ("\(root).6", "\(root).6", 3), ("\(root).5", "\(root).5", 5),
    ] {
      let series = try DICOMSeries(contentsOf: two, series: choice)
      #expect(series.uid == uid && series.files.count == count)
    }
    #expect(try Image(contentsOf: two, series: "6").geometry.size.z == 3)
  }

  /// Files that are not images are ignored: other formats, folders, a DICOMDIR, and objects without pixels.
  @Test func whatElseLiesInTheFolder() throws {
    try withFolder { folder in
      try makeSeries(in: folder)
      try Data("notes".utf8).write(to: folder.appendingPathComponent("README"))
      try Data(count: 132).write(to: folder.appendingPathComponent("zeros"))
      try Data().write(to: folder.appendingPathComponent("empty"))
      try DICOMSliceFile([1], columns: 1, rows: 1, position: .zero).write(to: folder.appendingPathComponent("DICOMDIR"))
      try FileManager.default.createDirectory(
        at: folder.appendingPathComponent("inner.dcm"), withIntermediateDirectories: false)
      var report = DICOMSliceFile([], columns: 1, rows: 1, position: .zero)
      report.pixels = nil
      report.texts[0x0020_000e] = ("UI", "1.2.3.4")
      try report.write(to: folder.appendingPathComponent("report"))
      var segmentation = DICOMSliceFile([1], columns: 1, rows: 1, position: .zero)
      segmentation.texts[0x0020_000e] = ("UI", "1.2.3.5")
      segmentation.texts[0x0008_0060] = ("CS", "SEG")
      try segmentation.write(to: folder.appendingPathComponent("mask.dcm"))
      #expect(try Image(contentsOf: folder).geometry.size == [3, 2, 3])
      #expect(holdsDICOM(folder) && !holdsDICOM(folder.appendingPathComponent("inner.dcm")))
    }
  }

  @Test func pixelsMayBePadded() throws {
    try withFolder { folder in
      try makeSeries(in: folder) { $1.pixels?.append(99) }
      let image = try Image(contentsOf: folder)
      #expect(image.voxels == [0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15, 20, 21, 22, 23, 24, 25])
      var shifted = image.geometry
      shifted.originMM.x += 1
      #expect(image.reordered(onto: shifted) == nil && image.reordered(onto: image.geometry) == image)
    }
  }

  /// Deviations from rounding are accepted: up to 5 % of a pixel or of the slice distance.
  @Test func roundedPositionsAreTaken() throws {
    try withFolder { folder in
      for place in 0..<5 {
        let rounding = [0, 0.03, -0.02, 0.03, 0][place]
        let position = SIMD3(rounding, 0, 3 * Double(place) + rounding)
        try DICOMSliceFile([1, 2], columns: 2, rows: 1, position: position, instance: place)
          .write(to: folder.appendingPathComponent("\(place).dcm"))
      }
      #expect(try DICOMSeries(contentsOf: folder).geometry.spacingMM == [0.75, 1.5, 3])
    }
  }
}

/// Writes three slices of 3 × 2 pixels, 3.5 mm apart; `change` may change each first.
func makeSeries(in folder: URL, _ change: (Int, inout DICOMSliceFile) -> Void = { _, _ in }) throws {
  for place in 0..<3 {
    var slice = DICOMSliceFile(
      (0..<6).map { Int16($0 + 10 * place) }, columns: 3, rows: 2, position: [0, 0, 3.5 * Double(place)],
      instance: place)
    change(place, &slice)
    try slice.write(to: folder.appendingPathComponent("\(place).dcm"))
  }
}

private let realData = Fixtures.root.deletingLastPathComponent().appendingPathComponent("shared/data/dicom")

@Suite(.enabled(if: FileManager.default.fileExists(atPath: realData.path), "needs ../shared/data"))
struct DICOMRealDataTests {
  /// Values of SimpleITK 2.5.7: grid, sum, and a sum that depends on the order.
  @Test func equalSimpleITK() throws {
    let head = try Image(contentsOf: realData.appendingPathComponent("11-T1post-18670"))
    let expected = Geometry(
      size: [280, 320, 22], spacingMM: [0.6875, 0.6875, 6.499999747533314],
      originMM: [-97.178176103646, -83.173485645312, -11.422342713395],
      direction: [
        0.9999999669305905, 2.0461869999484177e-10, 0.00025717468421468826, -4.818745063630692e-05, 0.9822890907953234,
        0.1873716621649785, -0.0002526198483930746, -0.18737166836130065, 0.9822890583116128,
      ])
    #expect(head.geometry.mismatch(with: expected) == nil)
    #expect(zip(head.geometry.affine, expected.affine).allSatisfy { abs($0 - $1) < 1e-5 })
    #expect(sums(head) == [601_532_147, 303_129_584_768])
    let crop = try Image(contentsOf: realData.appendingPathComponent("13_HCropVolume"))
    #expect(crop.geometry == Geometry(size: [35, 51, 32], originMM: [0, 0, 1]))
    #expect(sums(crop) == [3_346_681, 1_681_981_951])
  }

  private func sums(_ image: Image) -> [Double] {
    image.voxels.enumerated().reduce(into: [0, 0]) { sums, voxel in
      sums[0] += Double(voxel.element)
      sums[1] += Double(voxel.element) * Double(voxel.offset % 1009)
    }
  }
}
