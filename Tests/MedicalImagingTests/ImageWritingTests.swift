import Basics
import Foundation
import MedicalImaging
import Testing

@Suite struct ImageWritingTests {
  static let positions = [
    "big-endian.nii", "nifti2.nii.gz", "sform-only.nii.gz", "qform-only.nii.gz", "sform-differs.nii.gz",
    "rounded-sform.nii.gz", "flipped.nii.gz", "permuted.nii.gz", "one-slice.nii.gz", "pair.nhdr", "pair.mhd",
  ]

  @Test(arguments: positions, [".nii", ".nii.gz"]) func keepsPositionAndVoxels(name: String, suffix: String) throws {
    try withFolder { folder in
      let image = try Image(contentsOf: Fixtures.url(name))
      let url = folder.appendingPathComponent("out" + suffix)
      try image.write(to: url)
      let copy = try Image(contentsOf: url)
      #expect(copy.voxels == image.voxels)
      // One 32-bit rounding: 2^-24 of 34 mm.
      #expect(largestDifference(copy.geometry.affine, image.geometry.affine) < 2.1e-6)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["out" + suffix])
    }
  }

  @Test func sformAndQformOfAnotherFormatAgree() throws {
    try withFolder { folder in
      let image = try Image(contentsOf: Fixtures.url("type-u1.nrrd"))
      let url = folder.appendingPathComponent("out.nii")
      try image.write(to: url)
      var bytes = try Data(contentsOf: url)
      #expect(bytes[252] == 1 && bytes[254] == 1)
      #expect(bytes[123] & 7 == 2)  // mm
      bytes[254] = 0
      try bytes.write(to: url)
      let qform = try Image(contentsOf: url).geometry
      #expect(largestDifference(qform.affine, image.geometry.affine) < 1e-5)
    }
  }

  /// Labels take one byte a voxel, or two where one is above 255.
  @Test(arguments: [(255, 0, 1), (256, 0, 2), (2, 255, 1), (2, 1035, 2)] as [(LabelValue, LabelValue, Int)])
  func labelsTakeTheSmallestType(label: LabelValue, room: LabelValue, bytes: Int) throws {
    try withFolder { folder in
      let labels = LabelMap(voxels: [0, 1, 2, label, 4, 5], geometry: Geometry(size: [3, 2, 1]))
      let url = folder.appendingPathComponent("labels.nii")
      try labels.write(to: url, withRoomFor: room)
      #expect(try LabelMap(contentsOf: url) == labels)
      let data = try Data(contentsOf: url)
      #expect(data.count == 352 + 6 * bytes && data[70] == (bytes == 1 ? 2 : 0) && data[71] == (bytes == 1 ? 0 : 2))
    }
  }

  @Test func channelsAreTheFourthAxis() throws {
    try withFolder { folder in
      let geometry = Geometry(size: [2, 2, 1], spacingMM: [1, 2, 3], originMM: [4, 5, 6])
      let channels = [[1, 2, 3, 4], [5, 6, 7, 8]].map { Image(voxels: $0, geometry: geometry) }
      let url = folder.appendingPathComponent("probabilities.nii")
      try writeChannels(channels, to: url)
      let bytes = try Data(contentsOf: url)
      let dimensions = (0..<5).map { Int(bytes[40 + 2 * $0]) }
      #expect(dimensions == [4, 2, 2, 1, 2])
      let floats = bytes[352...].withUnsafeBytes { raw in
        (0..<8).map { raw.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
      }
      #expect(floats == [1, 2, 3, 4, 5, 6, 7, 8])
    }
  }

  @Test func keepsNaN() throws {
    try withFolder { folder in
      let image = Image(voxels: [.nan, 1, -.infinity], geometry: Geometry(size: [3, 1, 1]))
      let url = folder.appendingPathComponent("nan.nii.gz")
      try image.write(to: url)
      let copy = try Image(contentsOf: url)
      #expect(copy.voxels[0].isNaN && copy.voxels[1...] == [1, -.infinity])
    }
  }

  @Test func namesWithTwoExtensions() throws {
    try withFolder { folder in
      let labels = LabelMap(voxels: [3, 1], geometry: Geometry(size: [2, 1, 1]))
      let url = folder.appendingPathComponent("case.nii.nii.gz")
      try labels.write(to: url)
      #expect(try LabelMap(contentsOf: url) == labels)
    }
  }

  @Test func refusesOtherFormats() {
    let labels = LabelMap(repeating: 0, geometry: Geometry(size: [1, 1, 1]))
    #expect(
      throws: Refusal(.image, sentence: "/tmp/a.mha: volumes are written as NIfTI; name the output .nii.gz or .nii.")
    ) {
      try labels.write(to: URL(fileURLWithPath: "/tmp/a.mha"))
    }
    let picture = RGBImage(width: 1, height: 1)
    #expect(throws: Refusal(.image, sentence: "/tmp/a.jpg: pictures are written as PNG; name the output .png.")) {
      try picture.write(to: URL(fileURLWithPath: "/tmp/a.jpg"))
    }
  }

  @Test func refusesAFolderThatIsAFile() throws {
    try withFolder { folder in
      let file = folder.appendingPathComponent("file")
      try Data([1]).write(to: file)
      let labels = LabelMap(repeating: 0, geometry: Geometry(size: [1, 1, 1]))
      #expect(throws: Refusal.self) { try labels.write(to: file.appendingPathComponent("a.nii.gz")) }
    }
  }

  @Test func writesPictures() throws {
    try withFolder { folder in
      var picture = RGBImage(width: 3, height: 2, fill: [9, 9, 9])
      picture[2, 1] = [255, 128, 0]
      #expect(picture[2, 1] == [255, 128, 0] && picture[0, 0] == [9, 9, 9])
      #expect(Array(picture.pixels.suffix(3)) == [255, 128, 0])
      let url = folder.appendingPathComponent("a.png")
      try picture.write(to: url)
      let bytes = try Data(contentsOf: url)
      #expect(Array(bytes[1..<4]) == Array("PNG".utf8))
      #expect(bytes[19] == 3 && bytes[23] == 2 && bytes[25] == 2)  // width, height, RGB
    }
  }

  /// Pictures made in memory are read back unchanged.
  @Test(arguments: [1, 3]) func makesPicturesInMemory(components: Int) throws {
    try withFolder { folder in
      let pixels = (0..<5 * 4 * components).map { UInt8($0 * 37 % 256) }
      let url = folder.appendingPathComponent("a.png")
      try pngData(pixels, width: 5, height: 4, components: components).write(to: url)
      let channels = try Image.channels(contentsOf: url)
      #expect(channels.count == components && channels[0].geometry.size == [5, 4, 1])
      for (index, channel) in channels.enumerated() {
        let expected = stride(from: index, to: pixels.count, by: components).map { Float(pixels[$0]) }
        #expect(channel.voxels == expected)
      }
    }
  }
}
