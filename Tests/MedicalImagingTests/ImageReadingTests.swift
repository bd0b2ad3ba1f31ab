import Basics
import Foundation
import MedicalImaging
import Testing

@Suite struct ImageReadingTests {
  static let types = ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8"]
  static let typed = types.flatMap { type in ["nii.gz", "mha", "nrrd"].map { "type-\(type).\($0)" } }
  static let signed =
    typed.filter { !$0.hasPrefix("type-u") } + ["big-endian.nii", "nifti2-big-endian.nii", "nifti2.nii.gz", "pair.mhd"]
    + ["pair.nhdr"]
  static let unsigned =
    typed.filter { $0.hasPrefix("type-u") } + [
      "sform-only.nii.gz", "qform-only.nii.gz", "sform-differs.nii.gz", "rounded-sform.nii.gz",
      "sheared-with-qform.nii.gz", "flipped.nii.gz", "permuted.nii.gz", "extra-axes.nii.gz", "metres.nii.gz",
      "two-forms.nii.gz", "half-turn.nii.gz", "no-form.nii.gz", "two-files.hdr",
      "packed.hdr.gz", "analyze.hdr",
    ]
  /// Each space of NRRD (three with time), and MetaImage's names for a position, as SimpleITK reads them.
  static let texts =
    [
      "right-anterior-superior", "left-anterior-superior", "left-posterior-superior", "RAS", "LAS", "LPS",
      "scanner-xyz", "3D-right-handed", "3D-left-handed", "right-anterior-superior-time", "LAST",
    ].map { "space-\($0).nrrd" } + ["anatomical", "rotation", "size", "centre"].map { "meta-\($0).mha" }

  @Test(arguments: signed) func readsSignedTypes(name: String) throws {
    try expect(name, Fixtures.values.map { $0 - 30 })
  }

  @Test(arguments: unsigned) func readsPositions(name: String) throws {
    try expect(name, Fixtures.values)
  }

  @Test(arguments: texts) func readsPlacesOfTextHeaders(name: String) throws {
    try expect(name, Fixtures.values)
  }

  @Test func readsASliceOfTwoDimensions() throws {
    let url = Fixtures.url("two-d.nii.gz")
    let image = try Image(contentsOf: url)
    #expect(image.geometry.size == [5, 4, 1] && image.voxels == Array(Fixtures.values[..<20]))
    #expect(largestDifference(image.geometry.affine, Fixtures.reference.affines["two-d.nii.gz"]!) < 1e-5)
    #expect(try LabelMap(contentsOf: url).voxels == Array(0..<20))
  }

  @Test func roundsLabelsThatAreNearlyWhole() throws {
    let url = Fixtures.url("nearly-labels.nii.gz")
    let (labels, warnings) = try Warnings.collecting { try LabelMap(contentsOf: url) }
    #expect(labels.voxels == Array(0..<60))
    #expect(
      warnings == [
        "\(url.path): 2 of its voxels are not whole numbers, such as 1.9990999698638916, and were rounded; save the labels "
          + "as integers."
      ])
    #expect(try Warnings.collecting { try LabelMap(contentsOf: Fixtures.url("type-u1.nii.gz")) }.warnings.isEmpty)
  }

  private func expect(_ name: String, _ values: [Float]) throws {
    let image = try Image(contentsOf: Fixtures.url(name))
    #expect(image.geometry.size == [5, 4, 3])
    #expect(image.voxels == values)
    let affine = try #require(Fixtures.reference.affines[name])
    let scale = affine.map(abs).max()!
    #expect(largestDifference(image.geometry.affine, affine) < 2e-6 * scale)
  }

  @Test(arguments: ["nifti2-big-endian.nii", "type-f8.nrrd", "type-i2.mha"]) func followsLinks(name: String) throws {
    try withFolder { folder in
      let link = folder.appendingPathComponent(name)
      try FileManager.default.createSymbolicLink(at: link, withDestinationURL: Fixtures.url(name))
      #expect(try Image(contentsOf: link) == Image(contentsOf: Fixtures.url(name)))
    }
  }

  @Test func appliesSlopeAndIntercept() throws {
    #expect(try Image(contentsOf: Fixtures.url("scaled.nii.gz")).voxels == Fixtures.values.map { 2.5 * $0 - 3 })
  }

  @Test func keepsOneSliceWithItsPosition() throws {
    let image = try Image(contentsOf: Fixtures.url("one-slice.nii.gz"))
    #expect(image.voxels == Array(Fixtures.values[..<20]))
    #expect(largestDifference(image.geometry.affine, Fixtures.reference.affines["one-slice.nii.gz"]!) < 1e-5)
  }

  @Test func keepsNaN() throws {
    let image = try Image(contentsOf: Fixtures.url("nan.nii.gz"))
    #expect(image[1, 2, 1].isNaN)
    #expect(image.voxels.count(where: \.isNaN) == 1)
  }

  @Test func readsLabelsOfAnyType() throws {
    for type in ["u1", "u2", "u4", "u8"] {
      let labels = try LabelMap(contentsOf: Fixtures.url("type-\(type).nii.gz"))
      #expect(labels.voxels == Array(0..<60))
    }
  }

  @Test func readsUppercaseNames() throws {
    try withFolder { folder in
      let copy = folder.appendingPathComponent("A.NII.GZ")
      try FileManager.default.copyItem(at: Fixtures.url("type-u1.nii.gz"), to: copy)
      #expect(try Image(contentsOf: copy).voxels == Fixtures.values)
    }
  }

  @Test func readsSeveralGzipMembers() throws {
    try withFolder { folder in
      let plain = try Data(contentsOf: Fixtures.url("big-endian.nii"))
      let joined = folder.appendingPathComponent("joined.nii.gz")
      var members = Data()
      for part in [plain.prefix(400), plain.dropFirst(400)] { members.append(gzipStored(Data(part))) }
      try members.write(to: joined)
      #expect(try Image(contentsOf: joined).voxels == Fixtures.values.map { $0 - 30 })
    }
  }
}

/// A gzip member that stores at most 65535 bytes uncompressed.
func gzipStored(_ bytes: Data) -> Data {
  var crc = UInt32.max
  for byte in bytes {
    crc ^= UInt32(byte)
    for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
  }
  let count = UInt16(bytes.count)
  var member = Data([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 1])
  for word in [count, ~count] { withUnsafeBytes(of: word.littleEndian) { member.append(contentsOf: $0) } }
  member.append(bytes)
  for word in [~crc, UInt32(bytes.count)] { withUnsafeBytes(of: word.littleEndian) { member.append(contentsOf: $0) } }
  return member
}
