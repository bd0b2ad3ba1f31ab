import Foundation
import MedicalImaging
import Testing

@testable import Basics
@testable import DualNormCLI

/// Several volumes in one call: unusable ones, existing results, and names.
@Suite struct PredictBatchTests {
  let folder: TemporaryFolder
  private var scans: URL { folder.file("scans") }
  private var out: URL { folder.file("out") }

  init() throws { folder = try TemporaryFolder() }

  private func predict(_ options: String..., input: URL? = nil) throws -> (
    status: Int32, output: String, errors: String
  ) {
    try dualnorm(
      ["predict", "-m", Tiny.run.path, "-i", (input ?? scans).path, "-o", out.path, "--threads", "1"] + options)
  }

  private func copyScan(_ name: String, to folder: URL? = nil) throws {
    let folder = folder ?? scans
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try FileManager.default.copyItem(
      at: Tiny.data.appendingPathComponent("Site-A/Case01.nii.gz"), to: folder.appendingPathComponent(name))
  }

  @Test func oneBadFileDoesNotEndTheBatch() throws {
    for name in ["a", "b", "c"] { try copyScan("\(name).nii.gz") }
    let bad = scans.appendingPathComponent("b.nii.gz")
    try change(image: bad) { for index in 0..<72 { $0[index] = .nan } }
    let result = try predict()
    let reason =
      "\(bad.path): 72 voxels NaN or infinite, expected numbers only; repair the image, for example by setting them to the "
      + "background's intensity."
    #expect(result.status == 1 && result.errors.hasSuffix("Error: 1 of 3 inputs failed:\n  \(reason)\n"))
    #expect(contents(of: out) == ["a.nii.gz", "c.nii.gz"])
    #expect(result.output.split(separator: "\n").map { $0.prefix { $0 != " " } } == ["case", "a", "c"])
    let again = try predict("--skip-existing", "--log-format", "json")
    #expect(again.status == 1)
    #expect(again.errors.hasPrefix(#"{"message":"Skipping 2 of 3 inputs, whose results are there."}"#))
    try change(image: bad) { for index in 0..<72 { $0[index] = 1 } }
    #expect(try predict("--skip-existing", "--quiet").status == 0)
    #expect(contents(of: out) == ["a.nii.gz", "b.nii.gz", "c.nii.gz"])
  }

  /// The next prediction removes masks that killed processes left incomplete, even if it has nothing left to write.
  @Test(arguments: [[], ["--skip-existing"]]) func remainsOfKilledOnes(options: [String]) throws {
    try copyScan("a.nii.gz")
    let predict = ["predict", "-m", try Tiny.run.path, "-i", scans.path, "-o", out.path, "--threads", "1", "--quiet"]
    let killed = try RunningCommand(predict)
    while killed.isRunning, !contents(of: out).contains(where: isPartialFile) { usleep(100) }
    killed.kill()
    _ = try killed.finish()
    #expect(try dualnorm(predict).status == 0)
    for ending in [".nii", ".gz", ".png"] {
      try Data("part".utf8).write(to: out.appendingPathComponent(PartialName(process: 1).text + ending))
    }
    let living = try PartialPath(file: out.appendingPathComponent("b.nii.gz"))
    #expect(try dualnorm(predict + options).status == 0)
    #expect(contents(of: out) == [living.url.lastPathComponent, "a.nii.gz"])
    withExtendedLifetime(living) {}
  }

  @Test func oneBadSeriesDoesNotEndTheBatch() throws {
    let study = folder.file("study")
    try FileManager.default.createDirectory(at: study, withIntermediateDirectories: true)
    for (name, source) in [("1", "two"), ("2", "oblique")] {
      try FileManager.default.copyItem(
        at: fixtures.appendingPathComponent("dicom/\(source)"), to: study.appendingPathComponent(name))
    }
    let result = try predict(input: study)
    #expect(result.status == 1)
    #expect(result.errors.contains("\nError: 1 of 2 inputs failed:\n  \(study.path)/1: holds 2 series: "))
    #expect(contents(of: out) == ["2.nii.gz"])
  }

  @Test func batchStatisticsOfASiteLeaveBadFilesOut() throws {
    for name in ["a", "b"] { try copyScan("\(name).nii.gz") }
    try Data("damaged".utf8).write(to: scans.appendingPathComponent("c.nii.gz"))
    #expect(try predict("--adapt", "site", "--quiet").status == 1)
    #expect(contents(of: out) == ["a.nii.gz", "b.nii.gz"])
  }

  @Test func whatIsThereIsSkippedOrSaidToBeOverwritten() throws {
    for name in ["a", "b"] { try copyScan("\(name).nii.gz") }
    #expect(try predict("--quiet").status == 0)
    try Data("mine".utf8).write(to: out.appendingPathComponent("a.nii.gz"))
    let skipped = try predict("--skip-existing")
    #expect(skipped.status == 0 && skipped.output == "")
    #expect(skipped.errors == "Skipping 2 of 2 inputs, whose results are there.\n")
    #expect(try Data(contentsOf: out.appendingPathComponent("a.nii.gz")) == Data("mine".utf8))
    // The mask exists, but not the probabilities.
    #expect(try predict("--skip-existing", "--probabilities", "--quiet").status == 0)
    #expect(contents(of: out).count == 4)
    let overwritten = try predict()
    #expect(
      overwritten.errors.hasPrefix(
        "Overwriting 2 masks of an earlier prediction in \(out.path); --skip-existing keeps them.\n"))
    #expect(try LabelMap(contentsOf: out.appendingPathComponent("a.nii.gz")).voxels.contains(1))
  }

  /// Maps and pictures of an earlier mask would pass for those of the new one.
  @Test func filesOfAnEarlierPredictionAreWarnedOf() throws {
    // The mask of the second has the name of the first one's first pass.
    for name in ["a", "a_first"] { try copyScan("\(name).nii.gz") }
    #expect(try predict("--uncertainty", "--preview", "--quiet").status == 0)
    let equal = try predict("--uncertainty", "--preview", "--quiet")
    #expect(equal.status == 0 && !equal.errors.contains("earlier prediction"), "\(equal.errors)")
    let fewer = try predict("--uncertainty", "--quiet")
    #expect(
      fewer.errors.contains(
        "Warning: \(out.path)/a_preview.png and 1 more file: are of an earlier prediction and stay beside the new "
          + "masks; remove them, or give the options that write them anew.\n"), "\(fewer.errors)")
    try FileManager.default.removeItem(at: out.appendingPathComponent("a_first_preview.png"))
    let one = try predict("--uncertainty", "--quiet")
    #expect(
      one.errors.contains(
        "Warning: \(out.path)/a_preview.png: is of an earlier prediction and stays beside the new mask; remove it, "
          + "or give the option that writes it anew.\n"), "\(one.errors)")
    // Masks that are kept are those of the files.
    let skipped = try predict("--skip-existing", "--quiet")
    #expect(skipped.status == 0 && skipped.errors == "")
    let apart = try predict("--one-file-per-class", "--uncertainty", "--preview", "--quiet")
    #expect(apart.errors.contains("Warning: \(out.path)/a.nii.gz and 1 more file: are of"), "\(apart.errors)")
  }

  @Test func theTableTellsVolumes() throws {
    try copyScan("a.nii.gz")
    let result = try predict("--verbose")
    let mask = try LabelMap(contentsOf: out.appendingPathComponent("a.nii.gz"))
    let spacing = mask.geometry.spacingMM
    let volumes = [1, 2].map { label in
      Double(mask.voxels.count { $0 == label }) * spacing.x * spacing.y * spacing.z / 1000
    }
    let lines = result.output.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
    #expect(lines[0] == ["case", "label", "1,", "mL", "label", "2,", "mL", "seconds"])
    #expect(volumes[0] > 0.1 && lines[1].prefix(3) == ["a"] + volumes.map { String(format: "%.2f", $0) })
    #expect(lines.count == 2 && Double(lines[1][3]) != nil)
    #expect(try predict("--quiet").output == "")
  }

  @Test func aPreviewLiesBesideEachMask() throws {
    try copyScan("a.nii.gz")
    #expect(try predict("--preview", "--first-pass", "--quiet").status == 0)
    #expect(contents(of: out) == ["a.nii.gz", "a_first.nii.gz", "a_preview.png"])
    let picture = try Image.channels(contentsOf: out.appendingPathComponent("a_preview.png"))
    // Image, first and final pass side by side, and outlines in the colours of both classes.
    #expect(picture.count == 3 && picture[0].geometry.size.x > 3 * 256)
    func holds(_ color: [Float]) -> Bool {
      picture[0].voxels.indices.contains { index in (0..<3).allSatisfy { picture[$0].voxels[index] == color[$0] } }
    }
    #expect(holds([230, 159, 0]) && holds([86, 180, 233]))
  }

  @Test func namesLoseTheSuffixOfTheirChannel() throws {
    try copyScan("abd_001_0000.nii.gz")
    try copyScan("abd_002_0000.nii.gz")
    #expect(try predict("--quiet").status == 0)
    #expect(contents(of: out) == ["abd_001.nii.gz", "abd_002.nii.gz"])
    try FileManager.default.removeItem(at: out)
    #expect(try predict("--quiet", input: scans.appendingPathComponent("abd_002_0000.nii.gz")).status == 0)
    #expect(contents(of: out) == ["abd_002.nii.gz"])
  }

  @Test func namesThatWouldCollideKeepIt() throws {
    for name in ["a", "a_0000", "frame_0000", "frame_0001"] { try copyScan("\(name).nii.gz") }
    let result = try predict()
    #expect(
      result.errors.contains(
        "scans/a_0000 keeps its _0000 in the result's name, since scans/a is another input.\n"))
    #expect(contents(of: out) == ["a", "a_0000", "frame_0000", "frame_0001"].map { $0 + ".nii.gz" })
  }
}
