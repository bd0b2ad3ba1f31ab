import Basics
import Foundation
import MedicalImaging
import Testing

/// PNG, JPEG and TIFF, compared with Pillow and tifffile.
@Suite struct PictureReadingTests {
  /// Pictures of 13×9 pixels, channel by channel; `NAME indices` has a palette's indices.
  static let reference: [String: [[Float]]] = {
    let data = try! Data(contentsOf: picture("reference.json"))
    return try! JSONDecoder().decode([String: [[Float]]].self, from: data)
  }()

  @Test(arguments: reference.keys.filter { !$0.hasSuffix("indices") }.sorted())
  func channelsEqualPillows(name: String) throws {
    let expected = try #require(Self.reference[name])
    let channels = try Image.channels(contentsOf: picture(name))
    #expect(try Image.channelCount(contentsOf: picture(name)) == expected.count)
    #expect(channels.map(\.voxels) == expected)
    #expect(channels.allSatisfy { $0.geometry == Geometry(size: [13, 9, 1]) })
  }

  @Test func aPalettesIndicesAreLabels() throws {
    for name in ["palette.png", "palette-transparent.png", "palette.tif"] {
      let labels = try LabelMap(contentsOf: picture(name))
      #expect(labels.voxels.map(Float.init) == Self.reference["\(name) indices"]?[0])
      #expect(Set(labels.voxels) == [0, 1, 2])
    }
  }

  @Test func labelsAreGreyValues() throws {
    for name in ["mask255.png", "mask16.png", "mask-rgb.png", "mask.tif"] {
      #expect(try LabelMap(contentsOf: picture(name)).voxels.map(Float.init) == Self.reference[name]?[0])
    }
    #expect(Set(try LabelMap(contentsOf: picture("mask255.png")).voxels) == [0, 255])
    #expect(try LabelMap(contentsOf: picture("mask300.png"))[9, 5, 0] == 300)
  }

  @Test func greyPicturesAreImages() throws {
    #expect(try Image(contentsOf: picture("grey16.png")).voxels == Self.reference["grey16.png"]?[0])
  }

  @Test func volumesHaveOneChannel() throws {
    let url = Fixtures.url("type-i2.nii.gz")
    #expect(try Image.channels(contentsOf: url) == [Image(contentsOf: url)])
    #expect(try Image.channelCount(contentsOf: url) == 1)
  }

  /// Labels of 8 and of 16 bits.
  @Test(arguments: [7, 1800]) func pngComesBackAsWritten(factor: Int) throws {
    try withFolder { folder in
      let url = folder.appendingPathComponent("deep/mask.PNG")
      let labels = LabelMap(voxels: (0..<35).map { LabelValue($0 * factor) }, geometry: Geometry(size: [7, 5, 1]))
      try labels.write(to: url)
      #expect(try LabelMap(contentsOf: url) == labels)
      #expect(try FileManager.default.contentsOfDirectory(atPath: url.deletingLastPathComponent().path) == ["mask.PNG"])
      var colours = RGBImage(width: 3, height: 2)
      colours[2, 1] = [1, 2, 3]
      try colours.write(to: url)
      #expect(try Image.channels(contentsOf: url).map { $0[2, 1, 0] } == [1, 2, 3])
    }
  }

  @Test func aPNGHoldsOneSlice() {
    #expect(
      throws: Refusal(
        .image, sentence: "/tmp/a.png: a volume of 3 slices, and a PNG holds one; name the output .nii.gz or .nii.")
    ) { try LabelMap(repeating: 0, geometry: Geometry(size: [4, 4, 3])).write(to: URL(fileURLWithPath: "/tmp/a.png")) }
  }
}

/// A file of `Tests/Fixtures/images`.
func picture(_ name: String) -> URL { Fixtures.root.appendingPathComponent("Tests/Fixtures/images/\(name)") }
