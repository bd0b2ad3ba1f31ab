import Foundation
import MedicalImaging
import Testing

@testable import Datasets
@testable import DualNorm
@testable import Scores

@Suite struct EvaluateCommandTests {
  let folder: TemporaryFolder
  private var output: URL { folder.file("evaluation") }

  init() throws { folder = try TemporaryFolder() }

  private func arguments(_ options: [String] = [], run: URL? = nil, data: URL? = nil) throws -> [String] {
    let (run, data) = try (run ?? Tiny.run, data ?? Tiny.data)
    return ["evaluate", "--model", run.path, "--data", data.path, "--output", output.path, "--threads", "1"] + options
  }

  @Test func writesPredictionsScoresAndASheet() throws {
    let result = try dualnorm(arguments(["--split", "all"]))
    #expect(result.status == 0)
    let components = try RunFolder(Tiny.run).readDescription().largestComponentSummary()
    #expect(
      result.errors == "Largest component: \(components).\n"
        + "Wrote predictions, scores.csv, scores.json and sheet.png to \(output.path).\n")
    let cases = ["A", "B"].flatMap { site in
      ["Site-\(site)"] + (0..<3).map { "Site-\(site)/Case0\($0).nii.gz" }
    }
    let masks = ["first-pass", "predictions"].flatMap { pass in [pass] + cases.map { "\(pass)/\($0)" } }
    let files = ["evaluation.json", "scores.csv", "scores.json", "sheet.png"]
    #expect(contents(of: output) == (masks + files).sorted())
    #expect(try Data(contentsOf: output.appendingPathComponent("sheet.png")).starts(with: [0x89, 0x50, 0x4E, 0x47]))
    try scoresAreThoseOfTheWrittenMasks()
    let lines = result.output.split(separator: "\n")
    #expect(lines[0].hasPrefix("site             class    split       pass   n  found  missed  false  empty"))
    for row in [
      "Site-A           mean     training    first  4 ", "Site-B           label 2  validation  final  1 ",
      "mean of 2 sites  mean     validation  final  4 ",
    ] {
      #expect(lines.contains { $0.hasPrefix(row) }, "\(result.output)")
    }
  }

  /// `score` finds the same scores in the written masks of the final pass, and the passes differ.
  private func scoresAreThoseOfTheWrittenMasks() throws {
    let again = folder.file("again.csv")
    let result = try dualnorm(
      "score", "--prediction", output.appendingPathComponent("predictions").path, "--reference", Tiny.data.path,
      "--output", again.path, "--quiet")
    #expect(result.status == 0 && result.errors == "")
    func rows(_ url: URL, pass: String) throws -> [[Substring]] {
      try String(contentsOf: url, encoding: .utf8).split(separator: "\n")
        .map { $0.split(separator: ",", omittingEmptySubsequences: false) }
        .filter { $0.contains(Substring(pass)) }
        .map { row in row.filter { ![Substring(pass), "training", "validation"].contains($0) } }
    }
    let final = try rows(output.appendingPathComponent("scores.csv"), pass: "final")
    #expect(final.count == 12)
    #expect(try final == rows(again, pass: "prediction"))
    #expect(try final != rows(output.appendingPathComponent("scores.csv"), pass: "first"))
  }

  @Test func quietPrintsTheTableOnly() throws {
    let result = try dualnorm(arguments(["--quiet", "--tolerance", "3", "--split", "validation"]))
    #expect(result.status == 0 && result.errors == "")
    #expect(result.output.prefix { $0 != "\n" }.hasSuffix("NSD 3 mm"))
  }

  @Test func heldOutCasesAreASideOfTheirOwn() throws {
    let run = folder.file("run")
    #expect(
      try dualnorm(
        ["train", "--data", Tiny.data.path, "--output", run.path, "--hold-out", "0.3"] + Tiny.quick
      ).status == 0)
    let split = try JSONDecoder().decode(Split.self, from: Data(contentsOf: RunFolder(run).splits))
    #expect(split.test.count == 2 && split.training.count == 2 && split.validation.count == 2)
    let result = try dualnorm(arguments(["--split", "test", "--quiet"], run: run))
    #expect(result.status == 0)
    let predicted = contents(of: output.appendingPathComponent("predictions")).filter { $0.hasSuffix(".nii.gz") }
    #expect(predicted == split.test.map { "\($0).nii.gz" })
  }

  @Test func refusesASideWithoutCases() throws {
    try expectRefusal(
      "\(Tiny.run.path)/splits.json: has no test cases; train with --hold-out 0.2 on sites of at least two patients, or evaluate another side.",
      of: arguments(["--split", "test"]))
    let run = folder.file("run")
    #expect(
      try dualnorm(
        "import", fixtures.appendingPathComponent("commands/reference.pth").path, "--output", run.path, "--quiet"
      ).status == 0)
    try expectRefusal(
      "\(run.path)/splits.json: is missing, so the run names no test cases; leave --split out.",
      of: arguments(["--split", "test"], run: run))
    #expect(contents(of: folder.url).filter { $0.hasPrefix("evaluation") } == [])
  }

  @Test func labelsThatTheModelDoesNotKnow() throws {
    let data = try Tiny.copyOfData(to: folder.file("data"))
    let mask = data.appendingPathComponent("Site-A/Case00_segmentation.nii.gz")
    try change(mask: mask) { $0[0] = 9 }
    try expectFailure(
      "\(mask.path): holds label 9, expected 0, 1 and 2; correct the mask, leave the label out (--exclude-labels), or train with it as a class or merged "
        + "into one (--merge-labels).", data)
  }

  /// An excluded label is background even if the true mask is the dual blocks' input.
  @Test func excludedLabelsMayBeInTheMaskThatIsSeen() throws {
    let data = try Tiny.copyOfData(to: folder.file("data"))
    try change(mask: data.appendingPathComponent("Site-A/Case00_segmentation.nii.gz")) { $0[0] = 9 }
    let options = ["--mask-source", "reference", "--adapt", "site", "--split", "all", "--quiet"]
    let result = try dualnorm(arguments(options + ["--exclude-labels", "9"], data: data))
    #expect(result.status == 0 && result.errors == "")
    #expect(result.output.contains("final+adapt") && !result.output.contains("label 9"))
  }

  @Test func aMaskOnAnotherGrid() throws {
    let data = try Tiny.copyOfData(to: folder.file("data"))
    let mask = data.appendingPathComponent("Site-A/Case00_segmentation.nii.gz")
    try move(mask: mask, byMM: [0, 0, -4])
    try expectFailure(
      "\(mask.path): does not lie on the voxels of its image \(data.path)/Site-A/Case00.nii.gz: origin differs by 4 mm "
        + "along z; resample the mask onto the image or correct the wrong header.", data)
  }

  /// The other five cases are scored, and every output reports the failed one.
  private func expectFailure(_ reason: String, _ data: URL) throws {
    let result = try dualnorm(arguments(["--split", "all"], data: data))
    #expect(result.status == 1)
    #expect(result.errors.hasSuffix("Error: 1 of 6 cases failed:\n  \(reason)\n"))
    let note = "1 of 6 cases failed and are in no mean: Site-A/Case00."
    #expect(result.output.contains("\n\(note)\n"))
    let table = try JSONDecoder().decode(
      ScoreTable.self, from: Data(contentsOf: output.appendingPathComponent("scores.json")))
    #expect(Set(table.scores.map { "\($0.site)/\($0.caseName)" }).count == 5)
    #expect(table.failures.map(\.caseName) == ["Site-A/Case00"] && table.failures.map(\.reason) == [reason])
    #expect(try EvaluationRecord(contentsOf: output)?.failures == table.failures)
    let page = folder.file("page.html")
    #expect(try dualnorm("report", output.path, "--output", page.path, "--quiet").status == 0)
    #expect(try String(contentsOf: page, encoding: .utf8).contains(note))
  }

  @Test func outputMustBeNew() throws {
    try Data("mine".utf8).write(to: output)
    try expectRefusal("\(output.path): is a file; give a folder for --output.", of: arguments())
    #expect(try String(contentsOf: output, encoding: .utf8) == "mine")
  }

  @Test func casesWithoutMasks() throws {
    let scans = folder.file("scans")
    try Image(contentsOf: Tiny.data.appendingPathComponent("Site-A/Case00.nii.gz"))
      .write(to: scans.appendingPathComponent("a.nii.gz"))
    try expectRefusal(
      "\(scans.path)/a.nii.gz: an image without its mask; add the mask, named like the image with _segmentation (or in "
        + "labelsTr), move the image away, or leave such images out (--skip-unpaired).", of: arguments(data: scans))
  }
}
