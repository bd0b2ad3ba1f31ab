import Foundation
import Testing

@testable import Basics
@testable import Experiments
@testable import Scores

@Suite struct ArmComparisonTests {
  static func summary(_ rows: [ResultRow], baseline: String? = nil, pass: String? = nil) throws -> ExperimentSummary {
    try ExperimentSummary(ResultTable(rows), baseline: baseline, baselinePass: pass, resamples: 200)
  }

  static func compared(_ summary: ExperimentSummary) -> [String] {
    summary.comparisons.map { "\($0.arm.method) \($0.arm.pass) - \($0.baseline.method) \($0.baseline.pass)" }
  }

  @Test func pairsByCaseAveragedOverSeeds() throws {
    let comparisons = try ExperimentSummaryTests.summary().comparisons
    #expect(comparisons.count == 2)
    // dual first: + 0.0625 everywhere. dual final: A 0.125 and 0.125, B 0.
    #expect(comparisons.map(\.meanDifference) == [0.0625, 0.25 / 3])
    #expect(comparisons.map(\.pairCount) == [3, 3] && comparisons.map(\.unpairedCount) == [0, 0])
    #expect(comparisons.map(\.wilcoxon?.count) == [3, 2])
    #expect(comparisons.map(\.wilcoxon?.pValue) == [0.25, 0.5])
    #expect(comparisons.map(\.adjustedP) == [0.5, 0.5])
    let interval = try #require(comparisons[0].interval)
    #expect(interval.lower == 0.0625 && interval.upper == 0.0625 && interval.resamples == 200)
  }

  /// Only cases with a value in both count; two sites may use the same case name.
  @Test func casesWithoutAValueInOneAreDroppedAndCounted() throws {
    let rows = [
      resultRow("bn", "A", "1", 0.5), resultRow("bn", "A", "2", 0.5), resultRow("bn", "B", "1", 0.25),
      resultRow("bn", "A", "3", nil, outcome: .bothEmpty), resultRow("dual", "A", "3", 0.75),
      resultRow("dual", "A", "1", 0.75), resultRow("dual", "B", "1", 0.25), resultRow("dual", "A", "4", 1),
    ]
    let comparison = try Self.summary(rows).comparisons[0]
    #expect(comparison.pairCount == 2 && comparison.unpairedCount == 3)
    #expect(comparison.meanDifference == 0.125)
    #expect(comparison.interval == nil)
    #expect(comparison.wilcoxon?.pValue == 1 && comparison.wilcoxon?.count == 1)
  }

  @Test func nothingInCommonIsNotCompared() throws {
    let rows = [
      resultRow("bn", "A", "1", 0.5), resultRow("dual", "A", "2", 0.5), resultRow("gn", "A", "1", 0.5),
    ]
    let comparisons = try Self.summary(rows).comparisons
    #expect(comparisons.map(\.pairCount) == [0, 1])
    #expect(comparisons[0].meanDifference == nil && comparisons[0].wilcoxon == nil && comparisons[0].adjustedP == nil)
    #expect(comparisons[1].adjustedP == 1)
  }

  /// 0.1 + 0.2 is not 0.3 in binary. Equal means of seeds in another order must differ by zero, and equal differences
  /// must tie.
  @Test func roundingMakesNoDifference() throws {
    let values = [("bn", [0.1, 0.2, 0.3]), ("dual", [0.3, 0.2, 0.1])] as [(String, [Double])]
    let rows = values.flatMap { method, values in
      zip([1, 2, 3] as [UInt64], values).map { resultRow(method, "A", "1", $1, seed: $0) }
    }
    #expect(try Self.summary(rows).comparisons[0].wilcoxon?.count == 0)
    // 0.8 - 0.7, 0.4 - 0.3 and 0.6 - 0.7 differ in the last bits.
    let pairs = [(0.7, 0.8), (0.3, 0.4), (0.7, 0.6)].enumerated().flatMap { index, pair in
      [resultRow("bn", "A", "\(index)", pair.0), resultRow("dual", "A", "\(index)", pair.1)]
    }
    #expect(try Self.summary(pairs).comparisons[0].wilcoxon?.statistic == 2)
  }

  @Test func lastPassMeetsLastPass() throws {
    let rows = [("bn", "first"), ("dual", "first"), ("dual", "final"), ("other", "first"), ("other", "final")]
      .map { resultRow($0, "A", "1", 0.5, pass: $1) }
    #expect(
      Self.compared(try Self.summary(rows))
        == ["dual first - bn first", "dual final - bn first", "other first - bn first", "other final - bn first"])
    #expect(
      Self.compared(try Self.summary(rows, baseline: "dual"))
        == ["bn first - dual final", "other first - dual first", "other final - dual final"])
    #expect(
      Self.compared(try Self.summary(rows, baseline: "dual", pass: "first"))
        == [
          "bn first - dual first", "dual final - dual first", "other first - dual first", "other final - dual first",
        ])
    // The only pass is found by its name in files and by its title.
    for pass in ["first", "only"] {
      #expect(
        Self.compared(try Self.summary(rows, baseline: "bn", pass: pass))
          == ["dual first - bn first", "dual final - bn first", "other first - bn first", "other final - bn first"])
    }
    #expect(throws: Refusal.self) { try Self.summary(rows, baseline: "dual", pass: "only") }
  }

  @Test func comparisonDoesNotDependOnTheOthers() throws {
    let rows = (1...9).flatMap { index in
      ["bn", "gn", "dual"].enumerated().map { place, method in
        resultRow(method, "A", "\(index)", Double(index * (place + 2) % 7) / 8)
      }
    }
    let all = try Self.summary(rows).comparisons
    let alone = try Self.summary(rows.filter { $0.method != "gn" }).comparisons
    #expect(all.count == 2 && all[1].interval == alone[0].interval && all[1].wilcoxon == alone[0].wilcoxon)
  }

  @Test func refusals() throws {
    func refusal(_ make: @autoclosure () throws -> ExperimentSummary) -> String? {
      #expect(throws: Refusal.self) { try make() }?.description
    }
    let table = try ResultTable(ExperimentSummaryTests.rows)
    #expect(
      refusal(try ExperimentSummary(table, baseline: "daul"))
        == "There is no method daul in the results to compare with; did you mean dual?")
    #expect(
      refusal(try ExperimentSummary(table, baseline: "dual", baselinePass: "last"))
        == "dual has no pass last; it has the passes first and final.")
    #expect(
      refusal(try ExperimentSummary(table, baseline: "bn", baselinePass: "final"))
        == "bn has no pass final; it has the pass only.")
    #expect(
      refusal(try ExperimentSummary(table, metric: .assd)) == "assd_mm is not in the results; did you mean dice?")
    #expect(
      refusal(try ExperimentSummary(table, metric: .referenceVolume))
        == "reference_mm3 is neither better nor worse when it is larger; summarize dice or another score.")
    #expect(
      refusal(try ExperimentSummary(ResultTable([])))
        == "There are no results to summarize; run at least one cell of the experiment.")
  }
}
