import Foundation
import Testing

@testable import Datasets
@testable import DualNorm
@testable import Scores

/// Evaluation on a run's training data, and on other data.
@Suite struct EvaluateSidesTests {
  let folder: TemporaryFolder
  private var output: URL { folder.file("evaluation") }

  init() throws { folder = try TemporaryFolder() }

  /// A run on two sites of three cases, one held out at each.
  private func heldOutRun() throws -> RunFolder {
    let run = RunFolder(folder.file("run"))
    let result = try dualnorm(
      ["train", "--data", Tiny.data.path, "--output", run.url.path, "--hold-out", "0.3"]
        + Tiny.quick.filter { $0 != "--quiet" })
    let next =
      "Trained \(run.url.path). Next, on the held-out cases (2): dualnorm evaluate --model \(run.url.path) --data "
      + "\(try Tiny.data.path) --output \(run.url.path)-evaluation --split test\n"
    #expect(result.status == 0 && result.errors.hasSuffix(next))
    return run
  }

  private func evaluate(
    _ run: RunFolder, _ data: URL, _ options: String...
  ) throws -> (result: (status: Int32, output: String, errors: String), table: ScoreTable, record: EvaluationRecord) {
    try? FileManager.default.removeItem(at: output)
    let result = try dualnorm(
      ["evaluate", "-m", run.url.path, "--data", data.path, "-o", output.path, "--threads", "1"] + options)
    #expect(result.status == 0, "\(result.errors)")
    let table = try JSONDecoder().decode(
      ScoreTable.self, from: Data(contentsOf: output.appendingPathComponent("scores.json")))
    return (result, table, try #require(try EvaluationRecord(contentsOf: output)))
  }

  private func cases(_ table: ScoreTable) -> Set<String> { Set(table.scores.map { "\($0.site)/\($0.caseName)" }) }

  @Test func heldOutCasesAreTheDefaultWhereverTheDataLie() throws {
    let run = try heldOutRun()
    let split = try JSONDecoder().decode(Split.self, from: Data(contentsOf: run.splits))
    for data in [try Tiny.data, try Tiny.copyOfData(to: folder.file("moved"))] {
      let (result, table, record) = try evaluate(run, data)
      #expect(
        result.errors.contains(
          "The training took 4 of these cases, and the other 2 are evaluated; --split all takes all.\n"))
      #expect(cases(table) == Set(split.test) && table.sides == [] && record.split == "test")
    }
    // All cases, each with its side.
    let (result, table, record) = try evaluate(run, Tiny.data, "--split", "all", "--quiet")
    #expect(messagesBesideWarnings(result.errors) == "" && cases(table).count == 6)
    for score in table.scores {
      let name = "\(score.site)/\(score.caseName)"
      let expected: TrainingSide =
        split.test.contains(name) ? .test : split.training.contains(name) ? .training : .validation
      #expect(score.side == expected && record.sides?[name] == expected)
    }
    let csv = try String(contentsOf: output.appendingPathComponent("scores.csv"), encoding: .utf8)
    #expect(
      csv.hasPrefix("site,case,split,pass,") && csv.contains("\n\(split.test[0].replacing("/", with: ",")),test,"))
    #expect(table.summaries.contains { $0.side == .test && $0.scope == .meanOfSites })
    let page = folder.file("page.html")
    #expect(try dualnorm("report", output.path, "--output", page.path, "--quiet").status == 0)
    let html = try String(contentsOf: page, encoding: .utf8)
    #expect(html.contains("Dice of the final pass, test cases") && html.contains("Site-A, training"))
  }

  @Test func otherDataOfTheSameNamesAreAllNew() throws {
    let run = try heldOutRun()
    let data = try Tiny.copyOfData(to: folder.file("others"))
    for site in ["A", "B"] {
      for number in 0..<3 {
        try change(image: data.appendingPathComponent("Site-\(site)/Case0\(number).nii.gz")) { $0[0] += 1 }
      }
    }
    let (result, table, record) = try evaluate(run, data, "--quiet")
    #expect(
      messagesBesideWarnings(result.errors) == "" && cases(table).count == 6 && table.sides == [] && record.sides == nil
    )
    #expect(record.split == "all" && !result.output.contains("split"))
    // The data now hold a case that the run knows.
    let known = "Site-A/Case00.nii.gz"
    try FileManager.default.removeItem(at: data.appendingPathComponent(known))
    try FileManager.default.copyItem(
      at: Tiny.data.appendingPathComponent(known), to: data.appendingPathComponent(known))
    let sides = try EvaluatedCases(of: Dataset(contentsOf: data), runs: [run], choice: .all).sides
    #expect(sides.values.count { $0 == .new } == 5 && sides["Site-A/Case00"] != .new)
  }

  /// Patients of a new site are evaluated together with the held-out ones.
  @Test func newCasesAreEvaluatedWithTheHeldOutOnes() throws {
    let run = try heldOutRun()
    let data = try Tiny.copyOfData(to: folder.file("grown"))
    try FileManager.default.copyItem(
      at: data.appendingPathComponent("Site-A"), to: data.appendingPathComponent("Site-New"))
    for number in 0..<3 {
      try change(image: data.appendingPathComponent("Site-New/Case0\(number).nii.gz")) { $0[0] += 1 }
    }
    let (_, table, record) = try evaluate(run, data, "--quiet")
    #expect(cases(table).count == 5 && table.sides == [.test, .new] && record.split == "all")
    // The command that the page shows repeats the evaluation on the same cases.
    let page = folder.file("page.html")
    #expect(try dualnorm("report", output.path, "--output", page.path, "--quiet").status == 0)
    let html = try String(contentsOf: page, encoding: .utf8)
    #expect(html.contains("dualnorm evaluate") && !html.contains("--split"))
  }

  @Test func withoutHeldOutCasesEverythingWarns() throws {
    let run = RunFolder(try Tiny.run)
    let warning =
      "\(try Tiny.data.path): 6 of 6 cases trained the model of \(run.url.path) or chose its checkpoint, and none was held "
      + "out, so the scores are better than on new patients; evaluate on other data, or train with --hold-out 0.2."
    let (result, table, record) = try evaluate(run, Tiny.data, "--quiet")
    #expect(result.errors == "Warning: \(warning)\n")
    #expect(table.warnings == [warning] && record.warnings == [warning])
    #expect(table.sides == [.training, .validation])
    let page = folder.file("page.html")
    #expect(try dualnorm("report", output.path, "--output", page.path, "--quiet").status == 0)
    #expect(try String(contentsOf: page, encoding: .utf8).contains("and none was held out, so the scores"))
  }

  /// Older runs and those of experiments record names only.
  @Test func namesAloneAreNotTrustedInAnotherFolder() throws {
    let run = RunFolder(folder.file("run"))
    try FileManager.default.copyItem(at: Tiny.run, to: run.url)
    try FileManager.default.removeItem(at: run.facts)
    let moved = try Tiny.copyOfData(to: folder.file("moved"))
    let (result, table, _) = try evaluate(run, moved, "--quiet")
    #expect(
      result.errors
        == "Warning: \(moved.path): its cases have the names of those of the run \(run.url.path), which does not say whether "
        + "they are the same; if they are, choose a side with --split.\n")
    #expect(table.sides == [] && cases(table).count == 6)
    #expect(try evaluate(run, moved, "--split", "validation", "--quiet").table.sides == [.validation])
  }
}
