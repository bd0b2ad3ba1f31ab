import Basics
import Foundation
import TestSupport
import Testing

@testable import MedicalImaging

/// Segmentations by highdicom, read on the series that they were made from.
@Suite struct DICOMSegmentationReadingTests {
  private static let folder = Fixtures.url("segmentations")

  private struct Reference: Decodable {
    let size: [Int]
    /// Names by file and number.
    let segments: [String: [String: String]]
    /// The first voxel of two segments.
    let overlap: [Int]
    let two, full, one, renamed, part, labelmap: [LabelValue]
  }

  private static let reference = Result {
    try JSONDecoder().decode(Reference.self, from: Data(contentsOf: folder.appendingPathComponent("reference.json")))
  }

  private func file(_ name: String) -> URL { Self.folder.appendingPathComponent("\(name).dcm") }

  private func series() throws -> DICOMSeries {
    try DICOMSeries(contentsOf: Self.folder.appendingPathComponent("series"))
  }

  private func refusal(_ name: String) throws -> String {
    let error = try #require(
      throws: Refusal.self, "\(name)",
      performing: { try DICOMSegmentation(contentsOf: file(name)).labels(on: series()) })
    #expect(error.description.hasPrefix(file(name).path))
    return String(error.description.dropFirst(file(name).path.count + 2))
  }

  @Test(arguments: ["two", "full", "one", "renamed", "part", "labelmap"]) func everyVoxelIsHighdicoms(name: String)
    throws
  {
    let reference = try Self.reference.get()
    let expected = [
      "two": reference.two, "full": reference.full, "one": reference.one, "renamed": reference.renamed,
      "part": reference.part, "labelmap": reference.labelmap,
    ]
    let segmentation = try DICOMSegmentation(contentsOf: file(name))
    let series = try series()
    let labels = try segmentation.labels(on: series)
    #expect(labels.voxels == expected[name] && labels.geometry == series.geometry)
    let names = Dictionary(uniqueKeysWithValues: segmentation.names.map { (String($0.key), $0.value) })
    #expect(names == reference.segments[name])
  }

  /// Segmentations that `predict` writes come back.
  @Test func ourOwnComesBack() throws {
    try withFolder { folder in
      let series = try series()
      let count = series.geometry.voxelCount
      let mask = LabelMap(voxels: (0..<count).map { LabelValue([0, 5, 1035][$0 * 7 % 3]) }, geometry: series.geometry)
      let url = folder.appendingPathComponent("own.dcm")
      let segments = [DICOMSegment(value: 5, name: "liver"), DICOMSegment(value: 1035, name: "insula")]
      try mask.writeSegmentation(to: url, of: series, segments: segments, softwareVersion: "1")
      let segmentation = try DICOMSegmentation(contentsOf: url)
      #expect(segmentation.names == [1: "liver", 2: "insula"])
      #expect(try segmentation.labels(on: series).voxels == mask.voxels.map { $0 == 5 ? 1 : $0 == 1035 ? 2 : 0 })
    }
  }

  @Test func overlapsAreRefused() throws {
    let place = try Self.reference.get().overlap
    #expect(
      try refusal("overlap")
        == "segments 1 (liver) and 2 (spleen) overlap at voxel (\(place[0]), \(place[1]), \(place[2])); a voxel has one label: "
        + "separate them, or save each structure's mask alone.")
  }

  @Test func otherPlacesAreRefused() throws {
    #expect(
      try refusal("elsewhere")
        == "frame 1 lies on no slice of \(Self.folder.path)/series; give the series that it was made from.")
  }

  @Test func fractionsAreRefused() throws {
    #expect(
      try refusal("fractional")
        == "its Segmentation Type is FRACTIONAL, of 8 bits a pixel, and BINARY and LABELMAP are read; save it as BINARY, or "
        + "as NIfTI.")
  }

  @Test func imagesAreNoSegmentations() throws {
    #expect(
      try refusal("series/0")
        == "is a DICOM file and no segmentation; give a segmentation (modality SEG), or a mask as NIfTI.")
    #expect(DICOMSegmentation.isOne(file("two")) && !DICOMSegmentation.isOne(file("series/0")))
  }

  /// Slices of another size, and slices in another frame of reference.
  @Test(arguments: [
    (5, 3, "its frames have 11×9 pixels, and the slices of FOLDER 5×3"),
    (11, 9, "its frame of reference is another than that of FOLDER"),
  ])
  func anotherSeriesIsRefused(columns: Int, rows: Int, fault: String) throws {
    try withFolder { folder in
      for place in 0..<3 {
        try DICOMSliceFile(
          (0..<columns * rows).map { Int16($0) }, columns: columns, rows: rows, position: [0, 0, Double(place)],
          instance: place
        ).write(to: folder.appendingPathComponent("\(place).dcm"))
      }
      let other = try DICOMSeries(contentsOf: folder)
      let sentence =
        "\(file("two").path): \(fault.replacingOccurrences(of: "FOLDER", with: folder.path)); give the series that it was "
        + "made from."
      #expect(throws: Refusal(.image, sentence: sentence)) {
        try DICOMSegmentation(contentsOf: file("two")).labels(on: other)
      }
    }
  }

  /// Two segments of one number, and a pixel with the number of no segment.
  @Test func numbersThatContradictAreRefused() throws {
    try withFolder { folder in
      func expect(_ name: String, _ fault: String, _ change: (inout Data) throws -> Void) throws {
        var data = try Data(contentsOf: file(name))
        try change(&data)
        let url = folder.appendingPathComponent("a.dcm")
        try data.write(to: url)
        #expect(throws: Refusal(.image, sentence: "\(url.path): \(fault)")) {
          try DICOMSegmentation(contentsOf: url).labels(on: series())
        }
      }
      try expect("two", "two of its segments have the number 1, or one has none; number its segments from 1.") { data in
        let second = Data([0x62, 0, 4, 0] + Array("US".utf8) + [2, 0, 2, 0])  // Segment Number 2
        let place = try #require(data.range(of: second))
        data[place.upperBound - 2] = 1
      }
      // The last of 495 pixels, before a byte of padding: the slice at the bottom comes last.
      try expect("labelmap", "voxel (10, 8, 0) is 9, which is no segment's number; copy it again from its source.") {
        $0[$0.count - 2] = 9
      }
    }
  }

  /// Damaged files are refused or give a mask of the series, and never end the process.
  @Test func damagedFiles() throws {
    let series = try series()
    let folder = try ScratchFolder()
    var counts = (read: 0, refused: 0)
    for (index, name) in ["two", "labelmap", "one", "full"].enumerated() {
      var mutator = Mutator(seed: UInt64(70 + index), tokens: [])
      let data = try Data(contentsOf: file(name))
      for number in 0..<400 {
        let url = try folder.file(mutator.mutated(data, in: nil), "a.dcm")
        let taken = hang {
          do {
            let labels = try DICOMSegmentation(contentsOf: url).labels(on: series)
            #expect(labels.geometry == series.geometry)
            counts.read += 1
          } catch let error as Refusal {
            #expect(error.description.hasSuffix("."), "\(name) \(number)")
            counts.refused += 1
          } catch {
            Issue.record("\(name) \(number): \(error)")
          }
        }
        #expect(taken == nil, "\(name) \(number)")
      }
    }
    #expect(counts.read > 100 && counts.refused > 300, "\(counts)")
  }
}
