import Foundation
import Testing

@testable import Basics
@testable import Experiments
@testable import Scores

@Suite struct ExperimentReportTests {
  @Test func markdownToTheLetter() throws {
    #expect(
      try ExperimentSummaryTests.summary().markdown == #"""
        **Dice by test site.** Mean ± standard deviation over cases, each case averaged over its classes and over seeds first; mean of sites: ± over the sites' means; worst site: each row's own. sd between seeds: of the seeds' means of sites. Best means in bold (higher is better). Dice: 2 |P and R| / (|P| + |R|), voxels; a miss or a false alarm is 0, both empty is undefined. 3 cases of 2 sites; 2 seeds (1 and 2); passes: only, first and final.

        | method | pass | A, n = 2 | B (unseen), n = 1 | mean of 2 sites | worst site | sd between seeds |
        | :--- | :--- | ---: | ---: | ---: | ---: | ---: |
        | bn | only | 0.500 ± 0.177 | 0.250 ± – | 0.375 ± 0.177 | 0.250 ± – (B) | 0.177 |
        | dual | first | 0.562 ± 0.177 | **0.312 ± –** | **0.438 ± 0.177** | **0.312 ± – (B)** | 0.177 |
        | dual | final | **0.625 ± 0.177** | 0.250 ± – | **0.438 ± 0.265** | 0.250 ± – (B) | 0.177 |

        **Misses and false alarms.** Structures are classes of cases, counted once a seed (and once a fold, where several networks of a seed saw the case). Missed: only the reference has it; false alarm: only the prediction has it.

        | method | pass | structures | missed | false alarms | A, missed / false | B (unseen), missed / false |
        | :--- | :--- | ---: | ---: | ---: | ---: | ---: |
        | bn | only | 6 | 0 | 0 | 0 / 0 | 0 / 0 |
        | dual | first | 6 | 0 | 0 | 0 / 0 | 0 / 0 |
        | dual | final | 6 | 1 | 0 | 0 / 0 | 1 / 0 |

        **Comparison with bn.** Mean of method − bn over n cases, paired by case, each averaged over its classes and over seeds first; above zero the method is better. Not paired: cases without a value in one of the two. 95 % interval: percentiles of 200 bootstrap means, cases resampled within their sites. p: Wilcoxon signed-rank test, two-sided; Holm's correction over 2 comparisons.

        | method | pass | against | n | not paired | mean difference | 95 % interval | p | p (Holm) |
        | :--- | :--- | :--- | ---: | ---: | ---: | ---: | ---: | ---: |
        | dual | first | bn (only) | 3 | 0 | +0.062 | [+0.062, +0.062] | 0.250 | 0.500 |
        | dual | final | bn (only) | 3 | 0 | +0.083 | [+0.083, +0.083] | 0.500 | 0.500 |

        - With 2 differences other than zero, p cannot be below 0.5.
        - With 3 differences other than zero, p cannot be below 0.25.

        """#)
  }

  /// One site, one pass and one seed; distances, where lower is better; no misses.
  @Test func textToTheLetter() throws {
    let rows = [("bn", [2.0, 3, 4]), ("in", [1.0, 3, 2])].flatMap { method, values in
      values.enumerated().map { resultRow(method, "A", "\($0)", $1, metric: .hd95) }
    }
    #expect(
      try ExperimentSummaryTests.summary(rows, metric: .hd95).text == """
        HD95 mm by test site
        method      A, n = 3  sd between seeds
        bn      3.00 ± 1.00                  –
        in      2.00 ± 1.00*                 –
        Mean ± standard deviation over cases, each case averaged over its classes and over seeds first. sd between seeds: of the seeds' means. Best means with a star (lower is better). HD95 mm: the larger of the two directed 95th percentiles of distances, linear interpolation; undefined unless found. 3 cases of 1 site; 1 seed (0); pass: only.

        Misses and false alarms
        None.

        Comparison with bn
        method  against  n  not paired  mean difference   95 % interval      p  p (Holm)
        in      bn       3           0            -1.00  [-1.67, -0.32]  0.500     0.500
        Mean of method − bn over n cases, paired by case, each averaged over its classes and over seeds first; below zero the method is better. Not paired: cases without a value in one of the two. 95 % interval: percentiles of 200 bootstrap means, cases resampled within their sites. p: Wilcoxon signed-rank test, two-sided; Holm's correction over 1 comparison.

        With 2 differences other than zero, p cannot be below 0.5.

        """)
  }

  /// A method without dual norms has one pass. The word is right for each row, and files keep the pass's name.
  @Test func theOnlyPassIsCalledSo() throws {
    let passes = [("dual", ["first", "final"]), ("bn", ["first"])]
    let rows = passes.flatMap { method, passes in
      passes.flatMap { [$0, $0 + "+adapt"] }.flatMap { pass in
        [["A"], ["A", "B"]].map { resultRow(method, "A", "1", 0.5, trainSites: $0, pass: pass) }
      }
    }
    let summary = try ExperimentSummaryTests.summary(rows + [resultRow("bn", "B", "1", 0.5, trainSites: ["A", "B"])])
    let table = summary.scoreTable.rows.map { $0[...2].joined(separator: " ") }
    #expect(
      table == [
        "dual A first", "dual A final", "dual A first+adapt", "dual A final+adapt", "dual A+B first", "dual A+B final",
        "dual A+B first+adapt", "dual A+B final+adapt", "bn A only", "bn A only+adapt", "bn A+B only",
        "bn A+B only+adapt",
      ])
    let text = summary.text
    #expect(text.contains("; passes: only, first, final, only+adapt, first+adapt and final+adapt."))
    #expect(text.contains("\nbn trained on A (only) was scored on 1 of 2 cases.\n"))
    #expect(text.contains("\ndual trained on A (first) was scored on 1 of 2 cases.\n"))
    #expect(Set(summary.arms.map(\.arm.pass)) == Set(rows.map(\.pass)))
    let json = try String(bytes: JSONEncoder().encode(summary), encoding: .utf8)
    #expect(json?.contains("only") == false)
  }

  /// Each row of a matrix has its own unseen sites, so the caption says so and no column is marked.
  @Test func unseenSitesAndUnitsAreSaid() throws {
    let rows = ["A", "B"].flatMap { train in
      ["A", "B"].map { resultRow("bn", $0, "1", 2, trainSites: [train], metric: .assd) }
    }
    func summary(_ rows: [ResultRow]) throws -> ExperimentSummary {
      try ExperimentSummary(ResultTable(rows), metric: .assd, lengthUnit: .px, resamples: 200)
    }
    let matrix = try summary(rows)
    #expect(matrix.unseenSites.isEmpty && !matrix.text.contains("(unseen)"))
    #expect(matrix.text.contains("; a row has not seen the sites that it was not trained on. sd between seeds"))
    #expect(matrix.text.hasPrefix("ASSD px by test site\n") && !matrix.text.contains(" mm"))
    let other = try summary(rows.filter { $0.trainSites != [$0.testSite] })
    #expect(other.unseenSites == ["A", "B"])
  }

  @Test func notesSayWhatRowsDoNotShare() throws {
    let rows = [
      resultRow("bn", "A", "1", 0.5, seed: 1), resultRow("bn", "A", "1", 0.5, seed: 2),
      resultRow("bn", "B", "1", 0.25, seed: 1), resultRow("bn", "B", "2", nil, seed: 1, outcome: .bothEmpty),
      resultRow("a|b", "A", "1", 0.75, seed: 1),
    ]
    let markdown = try ExperimentSummaryTests.summary(rows).markdown
    #expect(
      markdown.contains(
        #"""
        | bn | 0.500 ± – | 0.250 ± – | 0.375 ± 0.177 | 0.250 ± – (B) | – |
        | a\|b | **0.750 ± –** | – | 0.750 ± – | 0.750 ± – (A) | – |
        """#))
    #expect(
      markdown.hasSuffix(
        #"""
        | a\|b | bn | 1 | 2 | +0.250 | – | 1.000 | 1.000 |

        - bn (only): seed 2 was not tested on all cases, and is not in the sd between seeds where cases lack.
        - bn (only): Dice is undefined in 1 of 3 cases.
        - a|b (only) has no results of seed 2.
        - a|b (only) was scored on 1 of 3 cases.
        - a|b (only): mean of 1 of 2 sites, never marked as best.
        - With 1 difference other than zero, p cannot be below 1.

        """#))
  }

  /// 14 pairs with zeros are too many for the exact test, and only that test has a smallest p.
  @Test func aSmallestPIsNotedOfExactTestsOnly() throws {
    func markdown(pairs: Int) throws -> String {
      let rows = (0..<pairs).flatMap { index in
        [resultRow("bn", "A", "\(index)", 0.5), resultRow("in", "A", "\(index)", index < 2 ? 0.75 : 0.5)]
      }
      return try ExperimentSummaryTests.summary(rows).markdown
    }
    #expect(try markdown(pairs: 13).contains("With 2 differences other than zero, p cannot be below 0.5."))
    #expect(try !markdown(pairs: 14).contains("cannot be below"))
  }

  @Test func equalMeansAreNotMarked() throws {
    let rows = ["bn", "gn"].flatMap { [resultRow($0, "A", "1", 0.5), resultRow($0, "A", "2", 0.25)] }
    let markdown = try ExperimentSummaryTests.summary(rows).markdown
    #expect(!markdown.contains("| **"))
    #expect(markdown.contains("| gn | bn | 2 | 0 | 0.000 | [0.000, 0.000] | 1.000 | 1.000 |"))
  }

  @Test func filesByExtension() throws {
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let summary = try ExperimentSummaryTests.summary()
    for name in ["s.md", "s.txt", "s.json"] { try summary.write(to: folder.appendingPathComponent(name)) }
    let text = { (name: String) in try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8) }
    #expect(try text("s.md") == summary.markdown && text("s.txt") == summary.text)
    let json = try text("s.json")
    #expect(json.contains(#""metric" : "dice""#) && json.contains(#""adjustedP" : 0.5"#) && !json.contains("nan"))
    let error = #expect(throws: Refusal.self) { try summary.write(to: URL(fileURLWithPath: "/tmp/s.csv")) }
    #expect(
      error?.description
        == "/tmp/s.csv: a summary is written as .md, .txt or .json; give the file one of these endings.")
  }
}
