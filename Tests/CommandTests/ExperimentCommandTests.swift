import Foundation
import MedicalImaging
import Testing
import Torch

@testable import Datasets
@testable import DualNorm
@testable import Experiments

@Suite struct ExperimentCommandTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func text(_ url: URL) throws -> String { try String(contentsOf: url, encoding: .utf8) }

  @Test(.endsSomeTime) func everyCellIsARunThatTheOtherVerbsTake() throws {
    let experiment = try TinyExperiment.finished
    let cell = experiment.appendingPathComponent("cells/dual/Site-B/seed-1")
    #expect(
      contents(of: cell).filter { $0 != "warnings.json" } == [
        "cell.log", "checkpoints", "checkpoints/dual-best.safetensors", "checkpoints/last.safetensors",
        "checkpoints/plain-best.safetensors", "config.yaml", "evaluation", "evaluation/scores.csv",
        "evaluation/scores.json", "log.csv", "model.json", "model.safetensors", "results.csv",
        "splits.json", "tensorboard",
      ])
    let again = folder.file("again")
    let result = try dualnorm(
      "evaluate", "--model", cell.path, "--data", Tiny.data.path, "--split", "test", "--output", again.path,
      "--threads",
      "1", "--quiet")
    #expect(result.status == 0 && messagesBesideWarnings(result.errors) == "")
    let scores = try text(again.appendingPathComponent("scores.csv"))
    #expect(try scores == text(cell.appendingPathComponent("evaluation/scores.csv")))
    #expect(scores.contains("\nSite-B,Case02,final,2,") && !scores.contains("\nSite-A,"))
    #expect(endInThisProcess(["info", cell.path]).status == 0)
  }

  @Test(.endsSomeTime) func theTableIsTheSameAtAnyTime() throws {
    let experiment = try TinyExperiment.finished
    let table = try TinyExperiment.table
    #expect(table.hasPrefix("Dice by test site\n") && table.contains("\ndual ") && table.contains("\nbn "))
    #expect(table.contains("\nComparison with bn\n"))
    let copy = folder.file("copy")
    try FileManager.default.copyItem(at: experiment, to: copy)
    for name in ["results.csv", "summary.md"] {
      try FileManager.default.removeItem(at: copy.appendingPathComponent(name))
    }
    let result = try dualnorm("experiment", "table", copy.path)
    #expect(result.status == 0 && result.output == table && result.errors == "")
    for name in ["results.csv", "summary.md"] {
      #expect(try text(copy.appendingPathComponent(name)) == text(experiment.appendingPathComponent(name)))
    }
    let other = try dualnorm("experiment", "table", copy.path, "--baseline", "bn+dual")
    #expect(other.output.contains("\nComparison with dual\n"))
    try FileManager.default.removeItem(at: copy.appendingPathComponent("cells/bn/Site-A/seed-1/results.csv"))
    let partial = try dualnorm("experiment", "table", copy.path)
    #expect(partial.status == 0)
    #expect(partial.errors == "Incomplete: 1 of 4 cells are missing: bn/Site-A/seed-1.\n")
    try FileManager.default.removeItem(at: copy.appendingPathComponent("cells/bn/Site-B/seed-1/results.csv"))
    let without = try dualnorm("experiment", "table", copy.path, "--baseline", "bn")
    #expect(without.status == 0)
    #expect(
      without.errors == "bn has no results yet, so the others are compared with dual.\n"
        + "Incomplete: 2 of 4 cells are missing: bn/Site-A/seed-1, bn/Site-B/seed-1.\n")
    // Results do not change if messages cannot be written.
    guard let full = FileHandle(forWritingAtPath: "/dev/full") else { return }
    let unheard = try RunningCommand(["experiment", "table", copy.path], errors: full).finish()
    #expect(unheard.status == 0 && unheard.output == without.output)
  }

  @Test(.endsSomeTime) func tablesOfOtherMetrics() throws {
    let experiment = try TinyExperiment.finished
    let before = try text(experiment.appendingPathComponent("summary.md"))
    func table(_ file: String) throws -> String {
      let result = try dualnorm(
        "experiment", "table", experiment.path, "--metric", "hd95_mm", "--output", folder.file(file).path)
      #expect(result.status == 0 && result.errors == "")
      #expect(result.output.hasPrefix("HD95 mm by test site\n"))
      return result.output
    }
    #expect(try table("hd95.txt") == text(folder.file("hd95.txt")))
    _ = try table("hd95.json")
    #expect(try text(folder.file("hd95.json")).contains(#""metric" : "hd95_mm""#))
    #expect(try text(experiment.appendingPathComponent("summary.md")) == before)
  }

  /// Colour pictures are one file of three channels. Instance norm has nothing to adapt.
  @Test(.endsSomeTime) func colourPicturesAndAdaptation() throws {
    let data = folder.file("data")
    for (site, number) in [("A", 0), ("A", 1), ("B", 2), ("B", 3)] {
      var picture = RGBImage(width: 32, height: 32)
      var mask = LabelMap(repeating: 0, geometry: Geometry(size: [32, 32, 1]))
      for y in 0..<32 {
        for x in 0..<32 {
          let isInside = (8..<20).contains(x) && (8 + number..<24).contains(y)
          picture[x, y] = isInside ? [200, UInt8(40 + x), 30] : [60, UInt8(90 + y), UInt8(100 + x)]
          mask[x, y, 0] = isInside ? 1 : 0
        }
      }
      let folder = data.appendingPathComponent("Site-\(site)")
      try picture.write(to: folder.appendingPathComponent("Case\(number).png"))
      try mask.write(to: folder.appendingPathComponent("Case\(number)_mask.png"))
    }
    let output = folder.file("output")
    let result = try dualnorm(
      ["experiment", "leave-one-site-out", "--data", data.path, "--methods", "bn,in", "--seeds", "1"]
        + ["--output", output.path, "--adapt", "site", "--quiet"] + TinyExperiment.options)
    #expect(result.status == 0 && messagesBesideWarnings(result.errors) == "")
    let results = try ResultTable(contentsOf: output.appendingPathComponent("results.csv"))
    func passes(_ method: String) -> Set<String> {
      Set(results.rows.filter { $0.method == method }.map(\.pass))
    }
    #expect(passes("bn") == ["first", "first+adapt"] && passes("in") == ["first"])
  }

  /// The same command repeats nothing; another method trains alone.
  @Test(.endsSomeTime) func finishedCellsAreNotRepeated() throws {
    let output = folder.file("copy")
    try FileManager.default.copyItem(at: TinyExperiment.finished, to: output)
    let cells = output.appendingPathComponent("cells")
    let log = cells.appendingPathComponent("bn/Site-A/seed-1/log.csv")
    try Data("not again".utf8).write(to: log)
    let same = try dualnorm(TinyExperiment.arguments(output))
    #expect(same.status == 0)
    #expect(try same.output == TinyExperiment.table)
    #expect(same.errors == "4 cells of 2 methods, 4 of them finished; 1 at a time with 1 thread.\n")
    let more = try dualnorm(TinyExperiment.arguments(output, methods: "in", "--keep-masks", "--adapt", "none"))
    #expect(more.status == 0 && more.output.contains("\nin "))
    let messages = messagesBesideWarnings(more.errors).split(separator: "\n").filter { !$0.contains(" steps, ") }
    #expect(
      messages == [
        "6 cells of 3 methods, 4 of them finished; 1 at a time with 1 thread.",
        "Finished in/Site-A/seed-1 (5 of 6)", "Finished in/Site-B/seed-1 (6 of 6)",
      ])
    let kept = contents(of: cells.appendingPathComponent("in/Site-A/seed-1/evaluation"))
    #expect(kept.contains("sheet.png") && kept.contains("predictions/Site-A/Case00.nii.gz"))
    #expect(try text(log) == "not again")
    #expect(try text(cells.appendingPathComponent("in/Site-A/seed-1/config.yaml")).contains("norm: in\n"))
  }

  /// One cell reads a file damaged since the check. The others continue, and the missing result is reported.
  @Test(.endsSomeTime) func aFailingCellIsNamedAndTheOthersGoOn() throws {
    let data = try Tiny.copyOfData(to: folder.file("data"))
    let output = folder.file("output")
    var training = TrainingConfiguration()
    training.data = data.path
    (training.width, training.iterations, training.batchSize, training.validateEvery) = (2, [6, 4], 4, 3)
    (training.threads, training.holdOut, training.precision) = (1, 0.34, .float32)
    var options = ExperimentConfiguration(.matrix, methods: [try ExperimentMethod("bn")], training: training)
    options.seeds = 1
    // The experiment itself would keep its folder locked.
    let cells = try Experiment.begin(in: output, options, threads: 1, report: { _ in }).cells
    let trained = try #require(cells[0].setting.cases.train.first)
    let image = data.appendingPathComponent("\(trained).nii.gz")
    try Data(contentsOf: image).prefix(300).write(to: image)
    let result = try dualnorm(
      ["experiment", "matrix", "--data", data.path, "--methods", "bn", "--seeds", "1", "--output", output.path]
        + ["--hold-out", "0.34", "--jobs", "2", "--quiet"] + TinyExperiment.options)
    #expect(result.status == 1)
    let lines = messagesBesideWarnings(result.errors).split(separator: "\n")
    #expect(lines.count == 3)
    for name in ["bn/Site-A/seed-1", "bn/joint/seed-1"] {
      #expect(lines.contains { $0.hasPrefix("\(name) failed: \(image.path): ") })
    }
    #expect(lines.last == "Incomplete: 2 of 3 cells are missing: bn/Site-A/seed-1, bn/joint/seed-1.")
    #expect(result.output.hasPrefix("Dice by test site\n"))
    #expect(cells.filter(\.isFinished).map(\.name) == ["bn/Site-B/seed-1"])
    let log = try text(cells[0].run.cellLog)
    #expect(log.contains("Error: \(image.path): "))
  }
}
