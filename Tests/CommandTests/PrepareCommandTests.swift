import Foundation
import MedicalImaging
import Testing

@testable import Basics
@testable import Datasets
@testable import DualNorm
@testable import Scores

@Suite struct PrepareCommandTests {
  let folder: TemporaryFolder
  private var output: String { folder.file("data").path }

  init() throws { folder = try TemporaryFolder() }

  /// Arguments with a site of the tiny data set as the source: images and masks in one folder.
  private func arguments(_ recipe: String = "prostate", _ options: String...) throws -> [String] {
    let source = try Tiny.data.appendingPathComponent("Site-B").path
    return [
      "prepare", "--recipe", recipe, "--images", source, "--labels", source, "--site", "Ours", "--output", output,
    ]
      + options
  }

  @Test func aRecipeOfTheProgramMakesASite() throws {
    let result = try dualnorm(try arguments("prostate", "--quiet"))
    #expect(result.status == 0 && result.errors == "")
    let lines = result.output.split(separator: "\n")
    #expect(lines.count == 4 && lines[0].hasPrefix("case    size x×y×z") && lines[1].contains("32×32×4"))
    #expect(lines[1].contains("→ 384×384×4") && lines[1].contains("prostate "))
    let labels = try LabelMap(contentsOf: folder.file("data/Ours/Case01_segmentation.nii.gz"))
    #expect(Set(labels.voxels) == [0, 1] && labels.geometry.size == [384, 384, 4])
    #expect(
      contents(of: folder.file("data/Ours")) == [
        "Case00.nii.gz", "Case00_segmentation.nii.gz", "Case01.nii.gz", "Case01_segmentation.nii.gz", "Case02.nii.gz",
        "Case02_segmentation.nii.gz", "prepared.json",
      ])
    #expect(try PreparedSite(in: folder.file("data/Ours"))?.version == "0.1.0")
  }

  @Test func aFileIsARecipeToo() throws {
    let recipe = folder.file("mine.yaml")
    try Data("labels: [{name: organ, from: [1], to: 1}]\n".utf8).write(to: recipe)
    let result = try dualnorm(try arguments(recipe.path))
    #expect(result.status == 0 && result.output.contains("organ "))
    #expect(result.errors == "Wrote \(output)/Ours. Next: dualnorm train --data \(output) --output RUN\n")
  }

  @Test func refusals() throws {
    try expectRefusal(
      "--recipe prostrate: there is no such recipe or file; the nearest recipe is prostate (of btcv-8-organs, "
        + "btcv-tcia-6-organs, prostate and tcia-6-organs).", of: try arguments("prostrate"))
    try expectRefusal(
      "--training crops to the labelled slices, and the recipe prostate has no crop-margin; leave --training out.",
      of: try arguments("prostate", "--training"))
    let file = folder.file("mine.yaml")
    try Data("windw: [0, 1]\n".utf8).write(to: file)
    try expectRefusal(
      "\(file.path): the option \"windw\" is unknown; the nearest one is \"window\".", of: try arguments(file.path))
    #expect(!FileManager.default.fileExists(atPath: output))
    try expectRefusal(
      "Missing expected arguments '--recipe <name|file>', '--site <name>' and '--output <dir>'", status: 64,
      of: ["prepare", "--images", "A", "--labels", "B"])
  }

  @Test func interruptionLeavesNoSite() throws {
    let recipe = folder.file("large.yaml")
    try Data("resample-size: [512, 512]\n".utf8).write(to: recipe)
    let command = try RunningCommand(try arguments(recipe.path, "--quiet"))
    while command.isRunning, !contents(of: folder.file("data")).contains(where: isPartialFile) { usleep(2000) }
    command.interrupt()
    let result = try command.finish()
    #expect(result.status == 130)
    #expect(result.errors == "Stopped; \(output)/Ours was not made.\n")
    #expect(contents(of: folder.url) == ["data", "large.yaml"])
  }

  /// Label names on the way from a source to scores, with one class left out.
  @Test func namesReachTheScores() throws {
    let recipe = folder.file("named.yaml")
    let names = "{name: organ, from: [1], to: 1}, {name: neighbour, from: [2], to: 2}"
    try Data("labels: [\(names)]\n".utf8).write(to: recipe)
    #expect(try dualnorm(try arguments(recipe.path, "--quiet")).status == 0)
    let run = RunFolder(folder.file("run"))
    let trained = try dualnorm(
      ["train", "--data", output, "--output", run.url.path, "--exclude-labels", "2"] + Tiny.quick)
    #expect(trained.status == 0 && messagesBesideWarnings(trained.errors) == "")
    let labels = try run.readDescription().labels
    #expect(labels.groups == [[1]] && labels.names == ["organ"] && labels.excluded == [2])
    #expect(try dualnorm("info", run.url.path).output.contains("\nbackground:   also labels 2\n"))
    let evaluated = try dualnorm(
      "evaluate", "--model", run.url.path, "--data", output, "--output", folder.file("evaluation").path, "--quiet")
    #expect(evaluated.status == 0 && evaluated.output.contains("organ") && !evaluated.output.contains("label"))
    let scored = try dualnorm(
      "score", "--prediction", output, "--reference", output, "--exclude-labels", "1")
    #expect(scored.status == 0 && scored.output.contains("neighbour  3") && !scored.output.contains("organ"))
  }

  @Test func evaluationMergesAndLeavesOut() throws {
    func table(_ name: String, _ options: String...) throws -> String {
      let result = try dualnorm(
        [
          "evaluate", "--model", try Tiny.run.path, "--data", try Tiny.data.path, "--output", folder.file(name).path,
          "--quiet", "--split", "all",
        ]
          + options)
      #expect(result.status == 0 && result.errors == "")
      return result.output
    }
    let merged = try table("merged", "--merge-labels", "1,2")
    #expect(merged.contains("label 1+2") && !merged.contains("label 2"))
    let excluded = try table("excluded", "--exclude-labels", "1")
    #expect(excluded.contains("label 2") && !excluded.contains("label 1"))
    let all = try table("all")
    let row = { (table: String) in table.split(separator: "\n").first { $0.contains("label 2") && $0.contains("final") }
    }
    #expect(row(all) != nil)
    try expectRefusal(
      "--exclude-labels 1,2 leaves no label to learn; the data's labels are 1 and 2.",
      of: [
        "evaluate", "--model", try Tiny.run.path, "--data", try Tiny.data.path, "--output", folder.file("none").path,
        "--exclude-labels", "1,2",
      ])
  }

  @Test func scoresOnCroppedDataCarryAWarning() throws {
    let recipe = folder.file("cropped.yaml")
    try Data("crop-margin: 1\n".utf8).write(to: recipe)
    #expect(try dualnorm(try arguments(recipe.path, "--training", "--quiet")).status == 0)
    let result = try dualnorm(
      "evaluate", "--model", try Tiny.run.path, "--data", output, "--output", folder.file("evaluation").path)
    #expect(result.status == 0)
    #expect(
      result.errors.contains(
        "Warning: cropped to their labelled slices by prepare --training, so the scores are better than on whole volumes: "
          + "Ours.\n"))
  }
}
