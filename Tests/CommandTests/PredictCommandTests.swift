import Foundation
import MedicalImaging
import Testing

@testable import DualNorm

@Suite struct PredictCommandTests {
  let folder: TemporaryFolder
  private let scan: URL

  init() throws {
    folder = try TemporaryFolder()
    scan = try Tiny.data.appendingPathComponent("Site-A/Case01.nii.gz")
  }

  private func predict(_ arguments: String..., model: URL? = nil) throws {
    let result = try dualnorm(
      ["predict", "--model", model?.path ?? Tiny.run.path, "--threads", "1", "--quiet"] + arguments)
    #expect(result.status == 0 && result.output == "" && messagesBesideWarnings(result.errors) == "")
  }

  @Test func fileToFileOnItsOwnGrid() throws {
    try predict("--input", scan.path, "--output", folder.file("masks/mask.nii.gz").path)
    #expect(contents(of: folder.url) == ["masks", "masks/mask.nii.gz"])
    let mask = try LabelMap(contentsOf: folder.file("masks/mask.nii.gz"))
    #expect(mask.geometry == (try Image(contentsOf: scan)).geometry)
    #expect(Set(mask.voxels) == [0, 1, 2])
  }

  @Test func fileToFolderWithAllThereIs() throws {
    try predict("--input", scan.path, "--output", folder.file("out").path, "--probabilities", "--first-pass")
    #expect(
      contents(of: folder.file("out")) == [
        "Case01.nii.gz", "Case01_first.nii.gz", "Case01_first_probabilities.nii.gz", "Case01_probabilities.nii.gz",
      ])
    let final = try LabelMap(contentsOf: folder.file("out/Case01.nii.gz"))
    let first = try LabelMap(contentsOf: folder.file("out/Case01_first.nii.gz"))
    #expect(final.voxels != first.voxels)
  }

  @Test func folderOfSitesKeepsTheSites() throws {
    try predict("--input", Tiny.data.path, "--output", folder.file("out").path)
    let cases = ["Case00.nii.gz", "Case01.nii.gz", "Case02.nii.gz"]
    #expect(
      contents(of: folder.file("out")) == ["Site-A"] + cases.map { "Site-A/\($0)" } + ["Site-B"]
        + cases.map { "Site-B/\($0)" })
  }

  @Test func flatFolderWithoutMasksEqualsSingleFiles() throws {
    let scans = folder.file("scans")
    try FileManager.default.createDirectory(at: scans, withIntermediateDirectories: true)
    for site in ["A", "B"] {
      try FileManager.default.copyItem(
        at: Tiny.data.appendingPathComponent("Site-\(site)/Case01.nii.gz"),
        to: scans.appendingPathComponent("\(site).nii.gz"))
    }
    try predict("--input", scans.path, "--output", folder.file("out").path)
    #expect(contents(of: folder.file("out")) == ["A.nii.gz", "B.nii.gz"])
    try predict("--input", scan.path, "--output", folder.file("single.nii.gz").path)
    #expect(
      try Data(contentsOf: folder.file("out/A.nii.gz")) == Data(contentsOf: folder.file("single.nii.gz")))
  }

  /// A volume beside its mirror image has every organ twice.
  @Test func largestComponentIsKept() throws {
    let run = try importedRun()
    let volume = try Image(contentsOf: fixtures.appendingPathComponent("commands/even.nii"))
    var geometry = volume.geometry
    geometry.size.x *= 2
    let rows = stride(from: 0, to: volume.voxels.count, by: 32).map { volume.voxels[$0..<$0 + 32] }
    let pair = folder.file("pair.nii.gz").path
    try Image(voxels: rows.flatMap { $0 + $0.reversed() }, geometry: geometry).write(to: folder.file("pair.nii.gz"))
    try predict("--input", pair, "--output", folder.file("kept.nii.gz").path, model: run)
    try predict("--input", pair, "--output", folder.file("all.nii.gz").path, "--no-largest-component", model: run)
    let kept = try LabelMap(contentsOf: folder.file("kept.nii.gz"))
    let all = try LabelMap(contentsOf: folder.file("all.nii.gz"))
    let classes = ClassMap(voxels: all.voxels.map(UInt8.init), geometry: all.geometry)
    #expect(kept.voxels == classes.keepingLargestComponents().voxels.map(LabelValue.init))
    let counts = [kept, all].map { $0.voxels.count { $0 == 1 } }
    #expect(counts[0] > 1000 && counts[1] > counts[0] + 1000)
  }

  /// A run folder of the reference network.
  private func importedRun(_ options: String...) throws -> URL {
    let run = folder.file("run")
    let reference = fixtures.appendingPathComponent("commands/reference.pth").path
    #expect(try dualnorm(["import", reference, "--output", run.path, "--quiet"] + options).status == 0)
    return run
  }

  @Test func labelsAreThoseOfTheFiles() throws {
    let run = try importedRun("--labels", "7")
    let input = fixtures.appendingPathComponent("commands/even.nii").path
    try predict("--input", input, "--output", folder.file("mask.nii.gz").path, model: run)
    #expect(Set(try LabelMap(contentsOf: folder.file("mask.nii.gz")).voxels) == [0, 7])
  }

  @Test func modalitiesAreOneInputEachOrAFolderOfChannels() throws {
    let run = try importedRun("--modalities", "3")
    let even = fixtures.appendingPathComponent("commands/even.nii")
    let channels = (0..<3).map { folder.file("scans/Case_000\($0).nii.gz") }
    for (index, channel) in channels.enumerated() {
      var image = try Image(contentsOf: even)
      image.voxels = image.voxels.map { $0 * $0 / Float(index + 1) + Float(index) * $0 }
      try image.write(to: channel)
    }
    let inputs = channels.flatMap { ["--input", $0.path] }
    let one = try dualnorm(
      ["predict", "--model", run.path, "--output", folder.file("one.nii.gz").path, "--threads", "1", "--quiet"] + inputs
    )
    #expect(one.status == 0 && messagesBesideWarnings(one.errors) == "")
    try predict("--input", folder.file("scans").path, "--output", folder.file("out").path, model: run)
    #expect(contents(of: folder.file("out")) == ["Case.nii.gz"])
    #expect(try Data(contentsOf: folder.file("out/Case.nii.gz")) == Data(contentsOf: folder.file("one.nii.gz")))
    try expectRefusal(
      "--input names 1 files, and the model takes 3; give one a modality, in order.",
      of: ["predict", "--model", run.path, "--input", channels[0].path, "--output", folder.file("two").path])
  }

  /// Four copies of the volume, in one twice as wide and high as the network's size.
  @Test func aVolumeLargerThanTheNetworkIsSegmentedToItsBorder() throws {
    let volume = try Image(contentsOf: scan)
    let size = volume.geometry.size
    var geometry = volume.geometry
    (geometry.size.x, geometry.size.y) = (2 * size.x, 2 * size.y)
    let voxels = (0..<geometry.voxelCount).map { index -> Float in
      let (x, y, z) = (index % (2 * size.x), index / (2 * size.x) % (2 * size.y), index / (4 * size.x * size.y))
      return volume[x % size.x, y % size.y, z]
    }
    try Image(voxels: voxels, geometry: geometry).write(to: folder.file("tiled.nii.gz"))
    try predict(
      "--input", folder.file("tiled.nii.gz").path, "--output", folder.file("mask.nii").path, "--no-largest-component")
    let mask = try LabelMap(contentsOf: folder.file("mask.nii"))
    #expect(mask.geometry.size == geometry.size)
    // Each of the four copies has its organs, also in the corners.
    for corner in [SIMD2(0, 0), [1, 0], [0, 1], [1, 1]] {
      var count = 0
      for z in 0..<size.z {
        for y in 0..<size.y {
          for x in 0..<size.x where mask[corner.x * size.x + x, corner.y * size.y + y, z] > 0 { count += 1 }
        }
      }
      #expect(count > 100, "\(corner)")
    }
  }

  @Test func aVolumeUnlikeThoseOfTheTrainingIsWarnedOf() throws {
    let input = fixtures.appendingPathComponent("commands/even.nii").path
    let result = try dualnorm(
      "predict", "--model", Tiny.run.path, "--input", input, "--output", folder.file("mask.nii").path, "--quiet")
    #expect(result.status == 0)
    #expect(result.errors.hasPrefix("Warning: \(input): far from what the model learnt from, spacing of pixels 0."))
    #expect(result.errors.hasSuffix("; look whether the mask can be right.\n"))
  }

  @Test func saysOfWhichClassesTheLargestComponentIsKept() throws {
    let rule = try RunFolder(Tiny.run).readDescription().largestComponentSummary()
    #expect(rule.hasSuffix(" validation cases"))
    for (option, said) in [([], rule), (["--largest-component"], "kept of all classes, as asked")] {
      let output = folder.file("mask\(said.count).nii").path
      let result = try dualnorm(
        ["predict", "--model", Tiny.run.path, "--input", scan.path, "--output", output] + option)
      #expect(result.status == 0 && result.errors.contains("Largest component: \(said).\n"))
    }
  }

  /// Compares the bytes of the two headers, field by field.
  @Test func headerPlacesTheMaskExactlyOnTheInput() throws {
    let input = fixtures.appendingPathComponent("commands/even.nii")
    try predict("--input", input.path, "--output", folder.file("mask.nii").path)
    let expected = [UInt8](try Data(contentsOf: input).prefix(352))
    let found = [UInt8](try Data(contentsOf: folder.file("mask.nii")).prefix(352))
    #expect(found[40..<48] == expected[40..<48], "dim")
    #expect(found[76..<92] == expected[76..<92], "pixdim")
    #expect(found[252..<256] == expected[252..<256], "qform_code and sform_code")
    #expect(found[268..<280] == expected[268..<280], "qoffset")
    #expect(found[280..<328] == expected[280..<328], "srow")
    for offset in stride(from: 256, to: 268, by: 4) {
      #expect(abs(float(found, offset) - float(expected, offset)) < 1e-6, "quaternion")
    }
  }

  private func float(_ bytes: [UInt8], _ offset: Int) -> Float {
    Float(bitPattern: (0..<4).reduce(0) { $0 | UInt32(bytes[offset + $1]) << (8 * $1) })
  }
}
