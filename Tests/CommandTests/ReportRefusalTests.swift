import Foundation
import Testing

@testable import DualNorm

@Suite struct ReportRefusalTests {
  let folder: TemporaryFolder
  private var output: URL { folder.file("report.html") }

  init() throws { folder = try TemporaryFolder() }

  private func expect(_ sentence: String, of url: URL, _ options: String...) throws {
    // The command sets LibTorch's threads, so it runs in its own process.
    let result = try dualnorm(["report", url.path, "--output", output.path] + options)
    #expect(result.status == 1 && result.output == "" && result.errors == "Error: \(sentence)\n")
    #expect(!contents(of: folder.url).contains { $0.hasSuffix(".html") || $0.contains(".partial") })
  }

  private func copyOfRun() throws -> RunFolder {
    let run = RunFolder(folder.file("run"))
    try FileManager.default.copyItem(at: Tiny.run, to: run.url)
    return run
  }

  @Test func whatIsNoFolderOfOurs() throws {
    try expect(
      "\(folder.path): holds no model.json of a run, no scores.json of an evaluation and no experiment.yaml of an "
        + "experiment; give the folder that train, evaluate or experiment wrote.", of: folder.url)
    try expect("\(folder.path)/no: there is no such folder; check the path.", of: folder.file("no"))
    let file = folder.file("file")
    try Data().write(to: file)
    try expect("\(file.path): is a file; give the folder that train, evaluate or experiment wrote.", of: file)
  }

  @Test func optionsThatDoNotFit() throws {
    try expect(
      "--model says which run an evaluation is of, and \(try Tiny.run.path) is none; leave --model out.", of: Tiny.run,
      "--model", "RUN")
    try expect("/no/data: there is no such folder; check the path of the data set.", of: Tiny.run, "--data", "/no/data")
    try expectRefusal(
      "--output page.pdf: a report is an HTML page; give it the ending .html.", status: 64,
      of: ["report", "RUN", "--output", "page.pdf"])
    try expectRefusal("Missing expected argument '<run|evaluation|experiment>'", status: 64, of: ["report"])
  }

  @Test func damagedFilesOfARun() throws {
    let run = try copyOfRun()
    try Data("{".utf8).write(to: run.splits)
    try expect(
      "\(run.splits.path): is not a split; expected a JSON object with the lists training, validation and test of "
        + "site/case names.", of: run.url)
    try Data("stage\n".utf8).write(to: run.log)
    try expect(
      "\(run.log.path), line 1: expected the header stage,iteration,learning_rate,loss_first,loss_final,hard_dice_loss,"
        + "validation_dice; restore the log that train wrote.", of: run.url)
    try Data("width: wide".utf8).write(to: run.configuration)
    try expect(
      "\(run.configuration.path): the option \"width\" has a value of the wrong shape; a value looks like 32.",
      of: run.url)
    try Data("[]".utf8).write(to: run.description)
    try expect(
      "\(run.description.path): is not the description of a model (the whole has a value of the wrong kind); restore the "
        + "file.", of: run.url)
  }

  @Test func damagedFilesOfAnEvaluation() throws {
    let evaluation = folder.file("evaluation")
    let result = try dualnorm(
      "evaluate", "--model", Tiny.run.path, "--data", Tiny.data.path, "--output", evaluation.path, "--threads", "1",
      "--quiet")
    #expect(result.status == 0)
    let mask = evaluation.appendingPathComponent("predictions/Site-A/Case00.nii.gz")
    try move(mask: mask, byMM: [0, 0, -4])
    try expect(
      "\(mask.path): does not lie on the voxels of its image \(try Tiny.data.path)/Site-A/Case00.nii.gz: origin differs by "
        + "4 mm along z; give the data that were evaluated with --data.", of: evaluation)
    let scores = evaluation.appendingPathComponent("scores.json")
    try Data("{}".utf8).write(to: scores)
    try expect(
      "\(scores.path): is not a table of scores (scores is missing); restore the file, or evaluate again.",
      of: evaluation)
    let record = evaluation.appendingPathComponent("evaluation.json")
    try Data("nothing".utf8).write(to: record)
    try expect(
      "\(record.path): is not the record of an evaluation (it is not JSON); restore the file, or evaluate into a new "
        + "folder.", of: evaluation)
  }

  @Test func outputThatCannotBeWritten() throws {
    let file = folder.file("file")
    try Data().write(to: file)
    let inFile = file.appendingPathComponent("report.html")
    let result = try dualnorm("report", Tiny.run.path, "--output", inFile.path)
    #expect(result.status == 1)
    #expect(result.errors == "Error: --output \(inFile.path): \(file.path) is a file; give a place in a folder.\n")
  }
}
