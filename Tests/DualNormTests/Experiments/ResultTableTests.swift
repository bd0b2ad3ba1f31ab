import Foundation
import Testing

@testable import Basics
@testable import Experiments
@testable import Scores

@Suite struct ResultTableTests {
  static let rows = [
    resultRow("dual", "B", "Case10", 0.1, seed: 2, trainSites: ["A", "C"], pass: "final"),
    resultRow("dual", "B", "Case10", nil, seed: 2, trainSites: ["A", "C"], metric: .assd, outcome: .miss),
    resultRow("dual", "B", "Case10", 1.0 / 3, seed: 2, trainSites: ["A", "C"]),
    resultRow("dual", "B", "Case2", 1, seed: 2, trainSites: ["A", "C"]),
    resultRow("bn", "B", "Case2", 1e-7, seed: 10, trainSites: ["A+B", "C\\"], className: "left, \"old\"\nlobe"),
    resultRow("bn", "B", "Case2", 0.5, seed: 2, fold: "", trainSites: [], metric: .nsd(toleranceMM: 1.5)),
  ]

  static let csv = #"""
    method,fold,seed,train_sites,test_site,case,class,pass,metric,value,outcome
    dual,0,2,A+C,B,Case2,organ,first,dice,1,found
    dual,0,2,A+C,B,Case10,organ,first,dice,0.3333333333333333,found
    dual,0,2,A+C,B,Case10,organ,first,assd_mm,,miss
    dual,0,2,A+C,B,Case10,organ,final,dice,0.1,found
    bn,,2,,B,Case2,organ,first,nsd_1.5mm,0.5,found
    bn,0,10,A\+B+C\\,B,Case2,"left, ""old""
    lobe",first,dice,1e-07,found

    """#

  @Test func csvToTheLetter() throws { #expect(try ResultTable(Self.rows).csv == Self.csv) }

  @Test func readsWhatItWrites() throws {
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appendingPathComponent("results.csv")
    let table = try ResultTable(Self.rows)
    try table.write(to: file)
    let read = try ResultTable(contentsOf: file)
    #expect(read == table && read.csv == Self.csv)
    // Carriage returns, a byte order mark, unnecessary quotes, blank lines, and no line end at the end.
    let variant =
      "\u{FEFF}"
      + Self.csv.replacingOccurrences(of: "dual,0", with: "\"dual\",\"0\"").replacingOccurrences(
        of: ",found\n", with: ",found\r\n\r\n")
    try Data(variant.utf8.dropLast(4)).write(to: file)
    #expect(try ResultTable(contentsOf: file) == table)
  }

  /// The order of input rows decides the order of methods only.
  @Test func readingAShuffledTableGivesOneOrder() throws {
    let table = try ResultTable(contentsOf: StatisticsFixture.folder.appendingPathComponent("results.csv"))
    #expect(table.rows.count == 600 && table.methods == ["dual", "in", "bn"])
    var generator = SeededGenerator(seed: 3)
    let first = table.methods.map { method in table.rows.first { $0.method == method }! }
    #expect(try ResultTable(first + generator.shuffled(table.rows)) == table)
    #expect(try ResultTable(table.rows) == table)
  }

  @Test func scoresBecomeRows() throws {
    let scores = ScoreTable(
      [
        CaseScore(
          site: "B", caseName: "1", pass: "final", classIndex: 1, className: "organ", outcome: .miss,
          metrics: [.dice: 0, .assd: nil])
      ], tolerancesMM: [2])
    let table = try ResultTable(scores, method: "bn", fold: "f", seed: 7, trainSites: ["A", "C"])
    #expect(
      table.metrics == [
        .dice, .assd, .hd95, .hausdorff, .nsd(toleranceMM: 2), .predictionVolume, .referenceVolume,
      ])
    #expect(
      table.rows[0]
        == resultRow("bn", "B", "1", 0, seed: 7, fold: "f", trainSites: ["A", "C"], pass: "final", outcome: .miss))
    #expect(table.rows[1].value == nil && table.rows[1].outcome == .miss)
  }

  @Test func mergingKeepsOneOfEqualRowsAndRefusesContradictions() throws {
    let one = try ResultTable([resultRow("bn", "A", "1", 0.5), resultRow("bn", "A", "2", 0.25)])
    let other = try ResultTable([resultRow("gn", "A", "1", 0.75), resultRow("bn", "A", "1", 0.5)])
    let merged = try ResultTable(merging: [one, other])
    #expect(merged.rows.map { "\($0.method) \($0.caseName)" } == ["bn 1", "bn 2", "gn 1"])
    #expect(merged.methods == ["bn", "gn"])
    let error = #expect(throws: Refusal.self) {
      try ResultTable(merging: [one, ResultTable([resultRow("bn", "A", "1", nil, outcome: .bothEmpty)])])
    }
    #expect(
      error?.description
        == "dice of A/1 organ (method bn, fold 0, seed 0, pass first) is given twice, as 0.5 (found) and as undefined "
        + "(bothEmpty); keep the results of one run.")
  }

  @Test func valuesAreFinite() {
    let error = #expect(throws: Refusal.self) { try ResultTable([resultRow("bn", "A", "1", .nan)]) }
    #expect(
      error?.description
        == "dice of A/1 organ (method bn, fold 0, seed 0, pass first) is nan, which is no number; score the case again."
    )
  }
}

func temporaryFolder() throws -> URL {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("results-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  return folder
}
