import Basics
import Foundation
import MedicalImaging
import Testing

/// The exact sentence of each refusal.
@Suite struct RefusalTests {
  @Test func refusesWhatIsNoFile() throws {
    try withFolder { folder in
      try expect(folder.appendingPathComponent("none.nii.gz"), "there is no such file; check the path.")
      let inner = folder.appendingPathComponent("folder.nii")
      try FileManager.default.createDirectory(at: inner, withIntermediateDirectories: false)
      try expect(inner, "this is a folder; expected a volume's file.")
      for name in ["empty.nii", "empty.nii.gz", "empty.mha", "empty.nrrd"] {
        try expect(write(Data(), folder, name), "the file is empty; copy it again from its source.")
      }
      try expect(
        write(Data([1]), folder, "a.txt"),
        "not an image format by its name; expected .nii.gz, .nii, .hdr, .nrrd, .nhdr, .mha or .mhd for a volume, "
          + ".png, .jpg or .tif for a picture.")
    }
  }

  @Test func refusesCompressionOtherThanNamed() throws {
    try withFolder { folder in
      let plain = try Data(contentsOf: Fixtures.url("big-endian.nii"))
      try expect(
        write(plain, folder, "a.nii.gz"),
        "its name ends in .gz but it is not gzip data; rename it to .nii or compress it.")
      let gzip = try Data(contentsOf: Fixtures.url("type-u1.nii.gz"))
      try expect(write(gzip, folder, "a.nii"), "its name ends in .nii but it is gzip data; rename it to .nii.gz.")
    }
  }

  @Test func refusesForeignContents() throws {
    try withFolder { folder in
      let text = Data(String(repeating: "no volume ", count: 100).utf8)
      let reason = "it does not begin with a NIfTI-1 or NIfTI-2 header; export it again as NIfTI."
      try expect(write(text, folder, "a.nii"), reason)
      try expect(write(gzipStored(text), folder, "a.nii.gz"), reason)
      for name in ["a.mha", "a.nrrd"] {
        try expect(
          write(text, folder, name),
          "its header cannot be read (its header is not that of its format); export it again as NIfTI.")
      }
    }
  }

  @Test(arguments: [
    ("big-endian.nii", 5, 2, 115), ("nifti2-big-endian.nii", 6, 4, 234), ("type-i2.mha", 3, 2, 117),
    ("type-f8.nrrd", 8, 8, 472),
  ]) func refusesPlainFilesCutShort(name: String, cut: Int, voxelBytes: Int, left: Int) throws {
    try withFolder { folder in
      let data = try Data(contentsOf: Fixtures.url(name)).dropLast(cut)
      try expect(write(data, folder, name), cutShort("5×4×3", voxelBytes, left))
    }
  }

  @Test(arguments: ["type-i2.nii.gz", "nifti2.nii.gz", "type-f4.mha", "type-f4.nrrd"])
  func refusesCompressedFilesCutShort(name: String) throws {
    try withFolder { folder in
      let whole = try Data(contentsOf: Fixtures.url(name))
      for cut in [9, 12, 30, 60] {
        let url = try write(whole.dropLast(cut), folder, name)
        let error = #expect(throws: Refusal.self) { try Image(contentsOf: url) }
        let sentence = error?.description ?? ""
        #expect(sentence.hasPrefix("\(url.path): its "))
        #expect(sentence.hasSuffix("copy it again from its source."))
      }
    }
  }

  @Test func refusesWrongChecksums() throws {
    try withFolder { folder in
      var data = try Data(contentsOf: Fixtures.url("type-i2.nii.gz"))
      data[data.count - 6] ^= 1
      try expect(
        write(data, folder, "a.nii.gz"),
        "its compressed data are damaged (incorrect data check); copy it again from its source.")
    }
  }

  @Test func refusesAbsurdSizesWithoutTakingMemory() throws {
    try withFolder { folder in
      var one = try Data(contentsOf: Fixtures.url("big-endian.nii"))
      for axis in 0..<3 { one.replaceSubrange(42 + 2 * axis..<44 + 2 * axis, with: [0x7d, 0]) }
      try expect(write(one, folder, "a.nii"), cutShort("32000×32000×32000", 2, 120))
      let gzip = gzipStored(one)
      try expect(write(gzip, folder, "a.nii.gz"), cutShort("32000×32000×32000", 2, gzip.count * 1032 - 352))
      var two = try Data(contentsOf: Fixtures.url("nifti2-big-endian.nii"))
      for axis in 0..<3 { two[26 + 8 * axis] = 1 }
      let huge = 1 << 40
      try expect(write(two, folder, "b.nii"), cutShort("\(huge + 5)×\(huge + 4)×\(huge + 3)", 4, 784 - 544))
      for (name, from, to) in [
        ("type-i2.mha", "DimSize = 5 4 3", "DimSize = 50000 40000 30000"),
        ("type-i2.nrrd", "sizes: 5 4 3", "sizes: 50000 40000 30000"),
      ] {
        try expect(edited(name, from, to, folder), cutShort("50000×40000×30000", 2, 120))
      }
    }
  }

  @Test func refusesOtherShapes() throws {
    try expect(
      Fixtures.url("four-d.nii.gz"), "a 4-D file (5×4×3×2); expected a 3-D volume: split it into one file a channel.")
    try expect(
      Fixtures.url("complex.nii.gz"), "its voxels are of NIfTI data type 32; expected one integer or float a voxel.")
    try expect(
      Fixtures.url("rgb.nii.gz"),
      "its voxels are colours (NIfTI data type 128); expected one number a voxel: of a mask, give each colour a number from "
        + "0 to 255; of an image, save each channel as a file of its own.")
    try withFolder { folder in
      var data = try Data(contentsOf: Fixtures.url("big-endian.nii"))
      data[41] = 1
      try expect(
        write(data, folder, "row.nii"),
        "a row of 5 voxels; expected a volume or a slice: export it again as NIfTI.")
      data[41] = 3
      data[45] = 0
      try expect(
        write(data, folder, "a.nii"), "its header gives the size 5×0×3; each axis must be at least 1 voxel long.")
    }
  }

  @Test func refusesBadGeometry() throws {
    try expect(
      Fixtures.url("sheared.nii.gz"), "its axes are not perpendicular unit vectors; resample it to a rectangular grid.")
    try withFolder { folder in
      let old = "ElementSpacing = 0.69999999999999996"
      for (value, printed) in [("0", "0.0"), ("-2", "-2.0")] {
        try expect(
          edited("type-i2.mha", old, "ElementSpacing = \(value)", folder),
          "its voxel spacing is \(printed)×0.9×3.1 mm; each must be a positive number: correct the header.")
      }
      var plain = try Data(contentsOf: Fixtures.url("big-endian.nii"))
      plain.replaceSubrange(292..<296, with: [0x7f, 0xc0, 0, 0])  // srow_x[3] = NaN
      try expect(
        write(plain, folder, "a.nii"),
        "its origin or direction contains a value that is not a finite number; correct the header.")
    }
  }

  @Test func refusesContradictions() throws {
    try withFolder { folder in
      let text = try #require(
        String(data: Data(contentsOf: Fixtures.url("type-u1.mha")), encoding: .isoLatin1))
      let size = try #require(text.firstMatch(of: /CompressedDataSize = (\d+)/)?.output.1)
      try expect(
        edited("type-u1.mha", "CompressedDataSize = \(size)", "CompressedDataSize = 11", folder),
        "its header promises 11 compressed bytes, but the file holds \(size); it is damaged: copy it again from its "
          + "source.")
      let without = try edited("type-u1.mha", "CompressedDataSize = \(size)", "Comment = none", folder)
      #expect(try Image(contentsOf: without).voxels == Image(contentsOf: Fixtures.url("type-u1.mha")).voxels)
      try expect(
        edited("type-i2.mha", "BinaryData = True", "BinaryData = False", folder),
        "its voxels are stored as text; expected bytes: export it again as NIfTI.")
    }
  }

  @Test func refusesMissingPartners() throws {
    try withFolder { folder in
      let copy = folder.appendingPathComponent("pair.mhd")
      try FileManager.default.copyItem(at: Fixtures.url("pair.mhd"), to: copy)
      let data = folder.appendingPathComponent("pair.raw")
      try expect(copy, "its voxels' file \(data.path) is missing; copy both files together.")
      try expect(
        edited("pair.mhd", "pair.raw", "slice%03d.raw", folder),
        "its voxels are in several files; expected one: export it again as NIfTI.")
    }
  }

  @Test func refusesHalvesOfPairs() throws {
    try withFolder { folder in
      let (header, data) = (folder.appendingPathComponent("a.hdr"), folder.appendingPathComponent("a.img"))
      try FileManager.default.copyItem(at: Fixtures.url("two-files.hdr"), to: header)
      try expect(header, "its voxels' file \(data.path) is missing; copy both files together.")
      try Data(contentsOf: Fixtures.url("two-files.img")).dropLast().write(to: data)
      #expect(throws: Refusal(.image, sentence: "\(data.path): \(cutShort("5×4×3", 2, 119))")) {
        try Image(contentsOf: header)
      }
      try FileManager.default.removeItem(at: data)
      let packed = folder.appendingPathComponent("a.img.gz")
      try Data([0x1f, 0x8b]).write(to: packed)
      #expect(throws: Refusal(.image, sentence: "\(packed.path): \(cutShort("5×4×3", 2, 0))")) {
        try Image(contentsOf: header)
      }
      try expect(data, "these are voxels without their header; give the header beside them.")
      try Data(count: 400).write(to: header)
      try expect(header, "it does not begin with a NIfTI-1, NIfTI-2 or Analyze header; export it again as NIfTI.")
    }
  }

  @Test func readsLabelsOf16Bits() throws {
    #expect(try LabelMap(contentsOf: Fixtures.url("many-labels.nii.gz"))[1, 1, 1] == 260)
  }

  @Test func refusesLabelsOfMoreThan16Bits() throws {
    try withFolder { folder in
      let url = folder.appendingPathComponent("a.nii")
      try Image(voxels: [0, 65535, 65536, 1], geometry: Geometry(size: [2, 2, 1])).write(to: url)
      let expected =
        "\(url.path): voxel (0, 1, 0) is 65536, and labels above 65535 are not read; give each class a number from 0 to "
        + "65535, or is this an image?"
      #expect(throws: Refusal(.image, sentence: expected)) { try LabelMap(contentsOf: url) }
    }
  }

  /// Whole intensities, such as those of magnetic resonance, are numbers that labels can be.
  @Test func refusesIntensities() throws {
    try withFolder { folder in
      let url = folder.appendingPathComponent("a.nii")
      let geometry = Geometry(size: [257, 2, 1])
      try Image(voxels: (0..<514).map { Float($0 % 256) }, geometry: geometry).write(to: url)
      #expect(try LabelMap(contentsOf: url).voxels.max() == 255)
      try Image(voxels: (0..<514).map { Float(4 * ($0 % 257)) }, geometry: geometry).write(to: url)
      let expected =
        "\(url.path): holds 257 different values, and most voxels differ from their neighbours, which those of structures "
        + "do not; is this an image?"
      #expect(throws: Refusal(.image, sentence: expected)) { try LabelMap(contentsOf: url) }
    }
  }

  /// Structures may be more than a network has classes, which count after merging.
  @Test func readsMoreLabelsThanANetworkHas() throws {
    try withFolder { folder in
      let url = folder.appendingPathComponent("a.nii")
      // Labels 0 to 299, three voxels each, then background.
      let labels = LabelMap(
        voxels: (0..<1200).map { $0 < 900 ? LabelValue($0 / 3) : 0 }, geometry: Geometry(size: [30, 20, 2]))
      try labels.write(to: url)
      #expect(try LabelMap(contentsOf: url).voxels == labels.voxels)
    }
  }

  @Test func refusesOtherLabels() throws {
    for (name, found) in [("type-i2.nii.gz", "(0, 0, 0) is -30.0"), ("labels-scaled.nii.gz", "(1, 0, 0) is 0.5")] {
      let url = Fixtures.url(name)
      let expected = "\(url.path): voxel \(found); labels must be whole numbers from 0 to 65535: is this an image?"
      #expect(throws: Refusal(.image, sentence: expected)) { try LabelMap(contentsOf: url) }
    }
  }

  private func expect(_ url: URL, _ reason: String) throws {
    #expect(throws: Refusal(.image, sentence: "\(url.path): \(reason)")) { try Image(contentsOf: url) }
  }

  private func cutShort(_ shape: String, _ voxelBytes: Int, _ held: Int) -> String {
    "its header promises \(shape) voxels of \(voxelBytes) bytes, but the file holds at most \(held) bytes of voxels; "
      + "it is cut short or damaged: copy it again from its source."
  }

  private func write(_ data: Data, _ folder: URL, _ name: String) throws -> URL {
    let url = folder.appendingPathComponent(name)
    try data.write(to: url)
    return url
  }

  /// A fixture with part of its text header replaced.
  private func edited(_ name: String, _ old: String, _ new: String, _ folder: URL) throws -> URL {
    var data = try Data(contentsOf: Fixtures.url(name))
    data.replaceSubrange(try #require(data.range(of: Data(old.utf8))), with: Data(new.utf8))
    return try write(data, folder, name)
  }
}
