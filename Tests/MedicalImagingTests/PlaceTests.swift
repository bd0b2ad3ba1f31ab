import Basics
import Foundation
import MedicalImaging
import Testing

/// The position of a NIfTI file is carried over, not recomputed.
@Suite struct PlaceTests {
  static let names = [
    "two-forms.nii.gz", "sform-differs.nii.gz", "sheared-with-qform.nii.gz", "qform-only.nii.gz", "half-turn.nii.gz",
    "sform-only.nii.gz", "rounded-sform.nii.gz", "no-form.nii.gz", "metres.nii.gz", "one-slice.nii.gz",
    "two-files.hdr", "two-d.nii.gz",
  ]

  /// The header bytes of spacings, units, codes and forms.
  private static let fields = [76..<108, 123..<124, 252..<328]

  @Test(arguments: names) func formsCodesSpacingsAndUnitsStayToTheBit(name: String) throws {
    try withFolder { folder in
      let (source, mask) = (Fixtures.url(name), folder.appendingPathComponent("mask.nii"))
      let image = try Image(contentsOf: source)
      try LabelMap(repeating: 1, geometry: image.geometry).write(to: mask)
      let (expected, written) = (try plain(source), try Data(contentsOf: mask))
      for field in Self.fields { #expect(written[field] == expected[field], "\(field)") }
      #expect(try LabelMap(contentsOf: mask).geometry == image.geometry)
      let maps = folder.appendingPathComponent("maps.nii")
      try writeChannels([image, image], to: maps)
      let channels = try Data(contentsOf: maps)
      #expect(channels[76..<92] == expected[76..<92] && channels[252..<328] == expected[252..<328])
      #expect(Array(channels[92..<96]) == [0, 0, 0x80, 0x3f])  // 1, the size of the channel axis
    }
  }

  @Test func forNIfTI2TheFieldsAreRoundedTo32Bits() throws {
    try withFolder { folder in
      let image = try Image(contentsOf: Fixtures.url("nifti2.nii.gz"))
      let url = folder.appendingPathComponent("a.nii")
      try image.write(to: url)
      let bytes = try Data(contentsOf: url)
      #expect(Array(bytes[252..<256]) == [1, 0, 1, 0] && bytes[123] == 2)
      let copy = try Image(contentsOf: url)
      #expect(copy.geometry.affine.map(Float.init) == image.geometry.affine.map(Float.init))
    }
  }

  @Test func anotherGridGetsFormsOfItsOwn() throws {
    try withFolder { folder in
      let image = try Image(contentsOf: Fixtures.url("two-forms.nii.gz"))
      let part = image.slices(1..<3)
      let turned = image.reoriented(to: try #require(Orientation(code: "LPS")))
      for (number, changed) in [part, turned].enumerated() {
        let url = folder.appendingPathComponent("\(number).nii")
        try changed.write(to: url)
        let bytes = try Data(contentsOf: url)
        #expect(Array(bytes[252..<256]) == [1, 0, 1, 0])
        let (copy, warnings) = try Warnings.collecting { try Image(contentsOf: url) }
        #expect(warnings.isEmpty && copy.geometry.mismatch(with: changed.geometry) == nil)
      }
      // Turned back, it has its original position again.
      let back = LabelMap(
        voxels: turned.reoriented(to: image.geometry.orientation).voxels.map(LabelValue.init), geometry: image.geometry)
      let url = folder.appendingPathComponent("back.nii")
      try back.write(to: url)
      #expect(try Data(contentsOf: url)[252..<328] == plain(Fixtures.url("two-forms.nii.gz"))[252..<328])
    }
  }

  /// ITK uses the qform of this image, and gives it to the masks that it writes.
  @Test func eitherFormOfAnImageIsRightForItsMask() throws {
    let image = try Image(contentsOf: Fixtures.url("two-forms.nii.gz")).geometry
    let mask = try LabelMap(contentsOf: Fixtures.url("two-forms-mask.nii.gz")).geometry
    #expect(image != mask)
    #expect(image.mismatch(with: mask) == nil && mask.mismatch(with: image) == nil)
    #expect(try #require(image.largestMove(to: mask)) < 1e-4)
    var moved = mask
    moved.originMM.x += 0.7
    #expect(moved.mismatch(with: image) != nil && image.mismatch(with: moved) != nil)
    let other = try Image(contentsOf: Fixtures.url("sform-only.nii.gz")).geometry
    #expect(other.mismatch(with: mask) != nil && other.mismatch(with: image) == nil)
  }

  /// Without forms, nibabel centres a grid; relative to ITK it also reverses y and z.
  @Test func withoutFormsEveryReadingIsRight() throws {
    let image = try Image(contentsOf: Fixtures.url("no-form.nii.gz")).geometry
    var mask = Geometry(size: image.size, spacingMM: image.spacingMM, direction: [1, 0, 0, 0, -1, 0, 0, 0, 1])
    mask.originMM = image.spacingMM * SIMD3(-2, 1.5, -1)
    #expect(image.mismatch(with: mask) == nil)
    mask.originMM.y *= -1
    #expect(image.mismatch(with: mask) != nil)
  }

  static let doubts = [
    (
      "two-forms.nii.gz",
      "its sform and qform lie up to 42.86 mm apart; its sform was used, and what is written keeps both: make them agree, "
        + "or check where it lies."
    ),
    (
      "sheared-with-qform.nii.gz",
      "its sform has no perpendicular axes, so its qform was used, which lies up to 0.27 mm from it; what is written keeps "
        + "both: check where it lies."
    ),
    (
      "analyze.hdr",
      "Analyze 7.5 does not say where the patient's left is; x was taken to run to the left, y to the back and z up: check "
        + "where it lies, or convert it to NIfTI."
    ),
    (
      "space-scanner-xyz.nrrd",
      "its space scanner-xyz does not say where the patient's left is; it was taken for left-posterior-superior: check where "
        + "it lies."
    ),
  ]

  @Test(arguments: doubts) func doubtsAboutThePlaceAreReported(name: String, sentence: String) throws {
    let url = Fixtures.url(name)
    let found = try Warnings.collecting {
      _ = try Image(contentsOf: url)
      _ = try LabelMap(contentsOf: url)
    }.warnings
    #expect(found == ["\(url.path): \(sentence)"])
  }

  @Test(arguments: ["qform-only.nii.gz", "rounded-sform.nii.gz", "metres.nii.gz", "type-u1.nii.gz", "no-form.nii.gz"])
  func clearPlacesAreNot(name: String) throws {
    #expect(try Warnings.collecting { try Image(contentsOf: Fixtures.url(name)) }.warnings.isEmpty)
  }

  @Test func anEmptySformIsNotFollowed() throws {
    try withFolder { folder in
      var bytes = try plain(Fixtures.url("qform-only.nii.gz"))
      bytes.replaceSubrange(280..<328, with: Data(count: 48))
      bytes[254] = 1
      let url = folder.appendingPathComponent("a.nii")
      try bytes.write(to: url)
      let (image, warnings) = try Warnings.collecting { try Image(contentsOf: url) }
      #expect(image.geometry == (try Image(contentsOf: Fixtures.url("qform-only.nii.gz")).geometry))
      #expect(
        warnings == [
          "\(url.path): its sform has no perpendicular axes, so its qform was used; what is written keeps both: check where "
            + "it lies."
        ])
    }
  }

  /// Reads a file's bytes, decompressed.
  private func plain(_ url: URL) throws -> Data {
    guard url.pathExtension == "gz" else { return try Data(contentsOf: url) }
    let (process, pipe) = (Process(), Pipe())
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["gzip", "-dc", url.path]
    process.standardOutput = pipe
    try process.run()
    let bytes = try pipe.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return bytes
  }
}
