import Foundation
import Testing

@testable import Basics
@testable import Experiments
@testable import Scores

@Suite struct ExperimentSummaryTests {
  /// Methods bn and dual on sites A (two cases) and B (one case), with two seeds; dual has both passes.
  static let rows: [ResultRow] = {
    let bn: [(String, String, [Double])] = [
      ("A", "1", [0.5, 0.75]), ("A", "2", [0.25, 0.5]), ("B", "1", [0.125, 0.375]),
    ]
    let dual =
      [("A", "1", [0.75, 0.75]), ("A", "2", [0.5, 0.5]), ("B", "1", [0, 0.5])] as [(String, String, [Double])]
    func rows(_ method: String, _ pass: String, _ table: [(String, String, [Double])], plus: Double = 0) -> [ResultRow]
    {
      table.flatMap { site, name, values in
        zip([1, 2] as [UInt64], values).map { seed, value in
          resultRow(method, site, name, value + plus, seed: seed, pass: pass, outcome: value == 0 ? .miss : .found)
        }
      }
    }
    return rows("bn", "first", bn) + rows("dual", "first", bn, plus: 0.0625) + rows("dual", "final", dual)
  }()

  static func summary(_ rows: [ResultRow] = rows, metric: Metric = .dice, baseline: String? = nil) throws
    -> ExperimentSummary
  { try ExperimentSummary(ResultTable(rows), metric: metric, baseline: baseline, resamples: 200) }

  @Test func meansAndSpreads() throws {
    let summary = try Self.summary()
    #expect(summary.arms.map { "\($0.arm.method) \($0.arm.pass)" } == ["bn first", "dual first", "dual final"])
    #expect(summary.testSites == ["A", "B"] && summary.seeds == [1, 2] && summary.baseline == "bn")
    #expect(summary.caseCounts == ["A": 2, "B": 1])
    let bn = summary.arms[0]
    // Cases averaged over seeds: A 0.625 and 0.375, B 0.25. Means of seeds 1 and 2: A 0.375 and 0.625, B 0.125 and 0.375.
    #expect(bn.sites.map(\.site) == ["A", "B"])
    #expect(bn.sites[0].spread.overCases == Statistic([0.625, 0.375]))
    #expect(bn.sites[0].spread.betweenSeeds == Statistic([0.375, 0.625]))
    #expect(bn.sites[1].spread.overCases == Statistic([0.25]))
    #expect(bn.meanOfSites.overCases == Statistic([0.5, 0.25]))
    #expect(bn.meanOfSites.betweenSeeds == Statistic([0.25, 0.5]))
    #expect(bn.allCases.overCases == Statistic([0.625, 0.375, 0.25]))
    #expect(bn.allCases.betweenSeeds == Statistic([0.875 / 3, 1.625 / 3]))
    #expect(bn.worstSite?.site == "B" && bn.caseCount == 3 && bn.structureCount == 6)
    let dual = summary.arms[2]
    #expect(dual.count(.miss) == 1 && dual.sites[1].count(.miss) == 1 && dual.sites[0].count(.miss) == 0)
    #expect(dual.count(.found) == 5 && dual.count(.falseAlarm) == 0)
  }

  /// Passes with adapted statistics follow the others, and are compared among themselves.
  @Test func adaptedPassesMeetAdaptedOnes() throws {
    let adapted = Self.rows.map { row in
      resultRow(row.method, row.testSite, row.caseName, row.value, seed: row.seed, pass: row.pass + "+adapt")
    }
    let summary = try Self.summary(adapted + Self.rows)
    #expect(
      summary.comparisons.map { "\($0.arm.pass) \($0.baseline.pass)" } == [
        "first first", "final first", "first+adapt first+adapt", "final+adapt first+adapt",
      ])
    let without = try Self.summary(Self.rows + adapted.filter { $0.method == "dual" })
    #expect(without.comparisons.last.map { "\($0.arm.pass) \($0.baseline.pass)" } == "final+adapt first")
  }

  /// If lower is better, the worst site has the largest mean.
  @Test func worstOfDistancesIsTheLargest() throws {
    let rows = [resultRow("bn", "A", "1", 1, metric: .assd), resultRow("bn", "B", "1", 3, metric: .assd)]
    #expect(try Self.summary(rows, metric: .assd).arms[0].worstSite?.site == "B")
    #expect(try Self.summary(rows.map { $0.replacing(metric: .dice) }).arms[0].worstSite?.site == "A")
  }

  @Test func classesAreAveragedWhereTheyAreDefined() throws {
    let rows = [
      resultRow("bn", "A", "1", 0.5, className: "a"), resultRow("bn", "A", "1", 1, className: "b"),
      resultRow("bn", "A", "2", 0.25, className: "a"),
      resultRow("bn", "A", "2", nil, className: "b", outcome: .bothEmpty),
      resultRow("bn", "A", "3", nil, className: "a", outcome: .bothEmpty),
    ]
    let arm = try Self.summary(rows).arms[0]
    #expect(arm.sites[0].spread.overCases == Statistic([0.75, 0.25]))
    #expect(arm.caseCount == 3 && arm.count(.bothEmpty) == 2 && arm.structureCount == 5)
  }

  /// Networks of several folds tested on one case count as one value per seed.
  @Test func foldsAreAveragedWithinASeed() throws {
    let rows = [("0", 0.25, 1), ("1", 0.75, 1), ("0", 1, 2)].map { fold, value, seed in
      resultRow("bn", "A", "1", value, seed: UInt64(seed), fold: fold)
    }
    let arm = try Self.summary(rows).arms[0]
    #expect(arm.sites[0].spread.overCases.mean == 0.75)
    #expect(arm.sites[0].spread.betweenSeeds == Statistic([0.5, 1]))
  }

  @Test func oneSeedHasNoSpreadBetweenSeeds() throws {
    let summary = try Self.summary(Self.rows.filter { $0.seed == 1 })
    #expect(summary.arms.allSatisfy { $0.meanOfSites.betweenSeeds.standardDeviation == nil })
    #expect(summary.arms.allSatisfy { $0.meanOfSites.betweenSeeds.count == 1 })
    #expect(summary.markdown.contains("| 0.250 ± 0.177 | 0.125 ± – (B) | – |\n"))
  }

  /// An unfinished seed's mean covers other cases, so it says nothing about seeds. Its cases still count.
  @Test func unfinishedSeedsAreNotBetweenSeeds() throws {
    let rows = [
      resultRow("bn", "A", "1", 0.5, seed: 1), resultRow("bn", "B", "1", 0.25, seed: 1),
      resultRow("bn", "A", "1", 0.75, seed: 2), resultRow("bn", "B", "1", 0.5, seed: 2),
      resultRow("bn", "A", "1", 1, seed: 3),
    ]
    let summary = try Self.summary(rows)
    let arm = summary.arms[0]
    #expect(arm.sites[0].spread.betweenSeeds == Statistic([0.5, 0.75, 1]))
    #expect(arm.meanOfSites.betweenSeeds == Statistic([0.375, 0.625]))
    #expect(arm.allCases.betweenSeeds == Statistic([0.375, 0.625]))
    #expect(arm.sites[0].spread.overCases.mean == 0.75 && arm.seeds == [1, 2, 3] && arm.incompleteSeeds == [3])
    #expect(
      summary.markdown.hasSuffix(
        "\n- bn (only): seed 3 was not tested on all cases, and is not in the sd between seeds where cases lack.\n"))
  }

  /// Sets of training sites become separate arms in a matrix, but not in leave-one-site-out.
  @Test func trainSitesAreSeparatedWhereACaseWasTestedByTwo() throws {
    let rows = ["bn", "dual"].flatMap { method in
      [["A"], ["B"], ["A", "B"]].map { resultRow(method, "A", "1", 0.5, trainSites: $0) }
    }
    let matrix = try Self.summary(rows)
    #expect(matrix.arms.map(\.arm.trainSites) == [["A"], ["A", "B"], ["B"], ["A"], ["A", "B"], ["B"]])
    #expect(matrix.comparisons.map(\.baseline.trainSites) == [["A"], ["A", "B"], ["B"]])
    #expect(matrix.markdown.contains("| method | trained on | A, n = 1 |"))
    let leaveOneOut = [
      resultRow("bn", "A", "1", 0.5, trainSites: ["B"]), resultRow("bn", "B", "1", 0.5, trainSites: ["A"]),
    ]
    #expect(try Self.summary(leaveOneOut).arms.map(\.arm) == [Arm(method: "bn", pass: "first")])
    let joined = try ExperimentSummary(ResultTable(rows), separatingTrainSites: false)
    #expect(joined.arms.count == 2)
  }

  @Test(arguments: ["dice", "assd_mm"])
  func equalsNumpyAndScipy(_ name: String) throws {
    let expected = try #require(try StatisticsFixture.read().table[name])
    let table = try ResultTable(contentsOf: StatisticsFixture.folder.appendingPathComponent("results.csv"))
    let summary = try ExperimentSummary(table, metric: #require(Metric(rawValue: name)), baseline: "bn", resamples: 50)
    #expect(summary.arms.count == expected.arms.count)
    for arm in summary.arms {
      let key = "\(arm.arm.method)/\(arm.arm.pass)"
      let reference = try #require(expected.arms[key])
      #expect(arm.sites.count == reference.sites.count)
      for site in arm.sites { expectEqual(site.spread, try #require(reference.sites[site.site]), key) }
      expectEqual(arm.meanOfSites, reference.meanOfSites, key)
      expectEqual(arm.allCases, reference.allCases, key)
      #expect(arm.count(.miss) == reference.misses)
    }
    #expect(summary.comparisons.count == expected.comparisons.count)
    for comparison in summary.comparisons {
      let reference = try #require(expected.comparisons["\(comparison.arm.method)/\(comparison.arm.pass)"])
      #expect(comparison.pairCount == reference.pairs && comparison.unpairedCount == reference.unpaired)
      expectClose(
        [comparison.meanDifference, comparison.wilcoxon?.pValue, comparison.adjustedP].map { $0 ?? .nan },
        [reference.meanDifference, reference.pValue, reference.adjustedP], within: 1e-12)
    }
  }

  private func expectEqual(_ found: Spread, _ expected: StatisticsFixture.Expected, _ name: String) {
    for (found, expected) in [(found.overCases, expected.overCases), (found.betweenSeeds, expected.betweenSeeds)] {
      #expect(found.count == expected.count, "\(name)")
      #expect((found.standardDeviation == nil) == (expected.sd == nil), "\(name)")
      expectClose([found.mean ?? -1], [expected.mean ?? -1], within: 1e-12)
      expectClose([found.standardDeviation ?? -1], [expected.sd ?? -1], within: 1e-12)
    }
  }
}

extension ResultRow {
  func replacing(metric: Metric) -> ResultRow {
    ResultRow(
      method: method, fold: fold, seed: seed, trainSites: trainSites, testSite: testSite, caseName: caseName,
      className: className, pass: pass, metric: metric, value: value, outcome: outcome)
  }
}
