import Foundation
import Testing

@testable import Basics
@testable import Datasets

@Suite struct CheckCommandTests {
  let folder: TemporaryFolder
  private let data: URL
  private let image: URL
  private let mask: URL

  init() throws {
    folder = try TemporaryFolder()
    data = try Tiny.copyOfData(to: folder.file("data"))
    image = data.appendingPathComponent("Site-B/Case02.nii.gz")
    mask = data.appendingPathComponent("Site-B/Case02_segmentation.nii.gz")
  }

  private func check(_ options: String...) throws -> (status: Int32, output: String, errors: String) {
    try dualnorm(["check", data.path] + options)
  }

  private let sitesDiffer =
    "note: The sites store volumes in different orientations (LPS: Site-A; RPS: Site-B), and the network sees slices as "
    + "they are stored; dualnorm check --fix turns all alike."

  @Test func soundDataEndWithZero() throws {
    let result = try check()
    #expect(result.status == 0 && result.errors == "")
    let lines = result.output.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    #expect(lines[0] == "\(data.path): 6 cases of 2 sites")
    #expect(
      lines[2...7].map { $0.trimmingCharacters(in: .whitespaces) } == [
        "Site-A: 3 cases of 3 patients", "size         32 × 32 × 4 voxels", "spacing      5 × 5 × 16 mm",
        "extent       160 × 160 × 64 mm", "orientation  LPS 3", "masks        3, 0 empty",
      ])
    #expect(lines.suffix(4) == [sitesDiffer, "", "Sound: 0 errors, 0 warnings, 1 note.", ""])
  }

  @Test func errorsEndWithOne() throws {
    try move(mask: mask, byMM: [2, 0, 0])
    let result = try check()
    #expect(result.status == 1)
    #expect(
      result.errors
        == "Error: \(data.path): 1 error was found (see the report); correct what it names before training.\n")
    #expect(
      result.output.contains(
        "\nerror: \(mask.path): does not lie on the voxels of its image \(image.path): origin differs by 2 mm along x; "
          + "resample the mask onto the image or correct the wrong header.\n"))
    #expect(result.output.hasSuffix("\nNot sound: 1 error, 0 warnings, 1 note.\n"))
    let json = try check("--format", "json", "--quiet")
    #expect(json.status == 1)
    let report = try JSONDecoder().decode(DataReport.self, from: Data(json.output.utf8))
    #expect(!report.isSound && report.findings.map(\.rule) == [.grid, .orientation])
    #expect(report.findings[0].cases == ["Site-B/Case02"] && report.findings[0].files == [mask.path])
  }

  /// Files that no reader accepts are one finding of the report.
  @Test func filesThatArePassedOverAreNamed() throws {
    try Data().write(to: data.appendingPathComponent("Site-A/Case09.nii.bz2"))
    let sentence =
      "\(data.path): 1 file looks like an image and is not read (Site-A/Case09.nii.bz2); convert it to NIfTI (.nii.gz), or move it away."
    let result = try check("--quiet")
    #expect(result.status == 0 && result.errors == "")
    #expect(result.output.contains("\nwarning: \(sentence)\n") && !result.output.contains("Nothing is odd"))
    let json = try check("--format", "json", "--quiet")
    let report = try JSONDecoder().decode(DataReport.self, from: Data(json.output.utf8))
    #expect(report.findings.first?.rule == .unread && report.findings.first?.message == sentence)
  }

  @Test func filesThatCannotBeReadAreNamed() throws {
    try Data("nonsense".utf8).write(to: image)
    let result = try check("--quiet")
    #expect(result.status == 1 && result.output.contains("\nerror: \(image.path): "))
    #expect(result.output.contains("\n1 case could not be read and is not in the numbers above.\n"))
  }

  @Test func repairedCopiesAreClean() throws {
    let fixed = folder.file("fixed")
    let result = try check("--fix", fixed.path, "--quiet")
    #expect(result.status == 0 && result.errors == "")
    #expect(
      result.output.contains(
        "\n\(fixed.path): a repaired copy.\n  Site-B/Case00: turned from RPS to LPS\n  Site-B/Case01: turned from RPS to LPS\n"
          + "  Site-B/Case02: turned from RPS to LPS\n"))
    let again = try dualnorm("check", fixed.path, "--quiet")
    #expect(again.status == 0 && again.output.hasSuffix("\nNothing is odd.\n\nSound: 0 errors, 0 warnings, 0 notes.\n"))
    #expect(contents(of: folder.url).filter { $0.hasPrefix(".") }.isEmpty)
    let trained = try dualnorm(
      ["train", "--data", fixed.path, "--output", folder.file("run").path] + Tiny.quick)
    #expect(trained.status == 0)
  }

  @Test func duplicatesAreDroppedWhereAsked() throws {
    for name in ["Case02.nii.gz", "Case02_segmentation.nii.gz"] {
      let copy = data.appendingPathComponent("Site-B/\(name)")
      try FileManager.default.removeItem(at: copy)
      try FileManager.default.copyItem(
        at: data.appendingPathComponent("Site-B/\(name.replacingOccurrences(of: "2", with: "0"))"), to: copy)
    }
    let duplicate =
      "warning: Site-B/Case00 and Site-B/Case02 have the same image; keep one, or training and test may share a patient."
    let result = try check("--fix", folder.file("fixed").path, "--drop-duplicates", "--quiet")
    #expect(result.status == 0 && result.output.contains("\n\(duplicate)\n"))
    #expect(result.output.contains("\n  Site-B/Case02: left out, a copy of Site-B/Case00\n"))
    #expect(try Dataset(contentsOf: folder.file("fixed")).cases.count == 5)
  }

  @Test func splitsThatLeakAreErrors() throws {
    let splits = folder.file("splits_final.json")
    let train = ["Site-A/Case00", "Site-B/Case00"]
    try JSONEncoder().encode([["train": train, "val": ["Site-A/Case01"]]]).write(to: splits)
    #expect(try check("--splits", splits.path, "--quiet").status == 0)
    try JSONEncoder().encode([["train": train, "val": ["Site-A/Case00"]]]).write(to: splits)
    let result = try check("--splits", splits.path, "--quiet")
    #expect(result.status == 1)
    #expect(
      result.output.contains(
        "\nerror: \(splits.path), fold 0: patient Case00 of Site-A is in train (Site-A/Case00) and in val (Site-A/Case00); "
          + "keep all scans of a patient on one side.\n"))
  }

  @Test func labelsAreTakenAsTrainingWould() throws {
    for index in 0..<3 {
      try change(mask: data.appendingPathComponent("Site-B/Case0\(index)_segmentation.nii.gz")) {
        $0 = $0.map { min($0, 1) }
      }
    }
    #expect(try check("--quiet").output.contains("\nwarning: The sites' labels differ (Site-A: 1 and 2; Site-B: 1); "))
    #expect(!(try check("--quiet", "--merge-labels", "1,2").output.contains("\nwarning: ")))
    #expect(!(try check("--quiet", "--exclude-labels", "2").output.contains("\nwarning: ")))
  }

  @Test func refusals() throws {
    func refuse(_ sentence: String, status: Int32 = 1, _ arguments: String...) throws {
      try expectRefusal(sentence, status: status, of: ["check"] + arguments)
    }
    try refuse("Missing expected argument '<dir>'", status: 64)
    try refuse(
      "--drop-duplicates says what --fix leaves out; give --fix as well.", status: 64, data.path, "--drop-duplicates")
    try refuse(
      "The value 'xml' is invalid for '--format <text|json>'. Please provide one of 'text' and 'json'.", status: 64,
      data.path, "--format", "xml")
    try refuse("/no/such: there is no such folder; check the path of the data set.", "/no/such")
    try refuse(
      "\(data.path): is not empty; give a new folder for --fix, or delete this one first.",
      Tiny.data.path, "--fix", data.path)
    try refuse(
      "--fix \(data.path)/new: lies in the data set \(data.path), which is never changed; give a folder outside of it.",
      data.path, "--fix", "\(data.path)/new")
    try refuse(
      "\(folder.path)/none.json: cannot be read; check the path of the folds.", data.path, "--splits",
      folder.file("none.json").path)
  }

  /// The repair turns the volumes of the second site, which takes a while.
  @Test func interruptionLeavesNoCopy() throws {
    let large = folder.file("large")
    let phantom = ["phantom", "--output", large.path, "--size", "64x64x8", "--cases", "8", "--sites", "2", "--quiet"]
    #expect(try dualnorm(phantom).status == 0)
    let command = try RunningCommand(["check", large.path, "--fix", folder.file("fixed").path, "--quiet"])
    while command.isRunning, !contents(of: folder.url).contains(where: isPartialFile) { usleep(2000) }
    command.interrupt()
    let result = try command.finish()
    #expect(result.status == 130 && result.output == "")
    #expect(result.errors == "Stopped; \(folder.path)/fixed was not made.\n")
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == ["data", "large"])
  }
}
