import Foundation
import Testing

@testable import Basics
@testable import DualNorm
@testable import Pages
@testable import Scores

@Suite struct ScoreTableTests {
  static func score(
    _ site: String, _ name: String, _ outcome: Outcome, dice: Double?, assd: Double? = nil, pass: String = "final",
    classIndex: Int = 1, className: String = "organ", label: String? = nil
  ) -> CaseScore {
    CaseScore(
      site: site, caseName: name, pass: pass, classIndex: classIndex, className: className, label: label,
      outcome: outcome,
      metrics: [
        .dice: dice, .assd: assd, .hd95: assd, .hausdorff: assd, .nsd(toleranceMM: 1.5): dice, .predictionVolume: 8,
        .referenceVolume: 12.5,
      ])
  }

  /// Site A has two found cases; site B has one found, one missed and one empty.
  static let table = ScoreTable(
    [
      score("B", "Case10", .miss, dice: 0),
      score("B", "Case2", .found, dice: 0.5, assd: 3),
      score("B", "Case11", .bothEmpty, dice: nil),
      score("A", "Case1", .found, dice: 0.75, assd: 1),
      score("A", "Case2", .found, dice: 1, assd: 0),
    ], tolerancesMM: [1.5])

  @Test func rowsAreInOneOrder() {
    #expect(
      Self.table.scores.map { "\($0.site)/\($0.caseName)" }
        == ["A/Case1", "A/Case2", "B/Case2", "B/Case10", "B/Case11"])
    let passes = ScoreTable(
      [2, 1].flatMap { index in
        ["first", "final"].map { Self.score("A", "C", .found, dice: 1, pass: $0, classIndex: index) }
      }, tolerancesMM: [1.5])
    #expect(passes.scores.map { "\($0.pass) \($0.classIndex)" } == ["first 1", "first 2", "final 1", "final 2"])
    #expect(passes.summaries.map(\.pass) == ["first", "first", "first", "final", "final", "final"])
  }

  @Test func csvToTheLetter() {
    let table = ScoreTable(
      [
        Self.score("A, \"old\"", "Case1", .found, dice: 1.0 / 3, assd: 2, className: "left\nlobe", label: "1+2"),
        Self.score("B", "Case1", .bothEmpty, dice: nil),
      ], tolerancesMM: [1.5])
    #expect(
      table.csv == #"""
        site,case,pass,class,label,class_name,outcome,dice,assd_mm,hd95_mm,hausdorff_mm,nsd_1.5mm,prediction_mm3,reference_mm3
        "A, ""old""",Case1,final,1,1+2,"left
        lobe",found,0.3333333333333333,2,2,2,0.3333333333333333,8,12.5
        B,Case1,final,1,,organ,bothEmpty,,,,,,8,12.5

        """#)
  }

  /// Metrics keep their keys and names everywhere; a separate field has the unit.
  @Test func lengthsOfPicturesAreInPixels() throws {
    let table = ScoreTable(
      [Self.score("A", "Case1", .found, dice: 1, assd: 2)], tolerancesMM: [1.5], lengthUnit: .px)
    let header = try #require(table.text.split(separator: "\n").first)
    #expect(header.contains("ASSD px") && header.contains("NSD 1.5 px") && !table.text.contains("mm"))
    #expect(Metric.predictionVolume.title(in: .px) == "predicted px²")
    #expect(
      table.csv == """
        site,case,pass,class,label,class_name,outcome,unit,dice,assd_mm,hd95_mm,hausdorff_mm,nsd_1.5mm,prediction_mm3,reference_mm3
        A,Case1,final,1,,organ,found,px,1,2,2,2,1,8,12.5

        """)
    let json = String(decoding: try table.json(), as: UTF8.self)
    #expect(json.contains("\"lengthUnit\" : \"px\"") && json.contains("\"unit\" : \"px, pixels of pictures; "))
    #expect(try JSONDecoder().decode(ScoreTable.self, from: table.json()) == table)
    #expect(LengthUnit(arePictures: [true, true]) == .px && LengthUnit(arePictures: [true, false]) == .mm)
    #expect(LengthUnit(arePictures: []) == .mm)
  }

  @Test func sitesThatTheModelHasNotSeenAreMarked() throws {
    func marked(_ sites: [String]) throws -> ScoreTable {
      var table = Self.table
      table.markSites(unseenIn: sites)
      return table
    }
    let table = try marked(["A", "C"])
    #expect(table.unseenSites == ["B"] && table.text.contains("B (unseen)  ") && !table.text.contains("A (unseen)"))
    #expect(try JSONDecoder().decode(ScoreTable.self, from: table.json()) == table)
    let overview = table.overview(of: ["final"])
    #expect(overview.contains("B (unseen)") && overview.contains("mean of 1 sites"))
    #expect(try marked(["A"]).unseenSites == ["B"])
    // A folder of another name may still be the same hospital.
    #expect(try marked(["training"]).unseenSites.isEmpty && marked([]).unseenSites.isEmpty)
  }

  /// Masks of pictures hold 255 instead of 1.
  @Test func labelsWithoutACommonOneAreNamedWithTheRemedy() {
    func table(_ outcomes: [(Outcome, String)]) -> ScoreTable {
      ScoreTable(
        outcomes.enumerated().map { index, score in
          Self.score("A", "C", score.0, dice: 0, classIndex: index + 1, className: "x\(score.1)", label: score.1)
        }, tolerancesMM: [1.5])
    }
    #expect(
      table([(.miss, "1"), (.falseAlarm, "255")]).warningOfLabels
        == "The references hold 1 and the predictions 255, so no label is in common and every structure counts as missed; where both mean one structure, give --merge-labels 1,255."
    )
    #expect(
      table([(.falseAlarm, "1"), (.miss, "2"), (.miss, "3")]).warningOfLabels
        == "The references hold 2 and 3 and the predictions 1, so no label is in common and every structure counts as missed; write both with the same values, or join what means the same with --merge-labels."
    )
    #expect(table([(.miss, "1"), (.miss, "2")]).warningOfLabels == nil)
    #expect(table([(.miss, "1"), (.falseAlarm, "2"), (.found, "3")]).warningOfLabels == nil)
  }

  @Test func textCountsWhatTheMeansLeaveOut() {
    #expect(
      Self.table.text == """
        site             class  n  found  missed  false  empty           Dice      ASSD mm      HD95 mm     NSD 1.5 mm
        A                organ  2      2       0      0      0  0.875 ± 0.177  0.50 ± 0.71  0.50 ± 0.71  0.875 ± 0.177
        B                organ  3      1       1      0      1  0.250 ± 0.354         3.00         3.00  0.250 ± 0.354
        mean of 2 sites  organ  5      3       1      0      1  0.562 ± 0.442  1.75 ± 1.77  1.75 ± 1.77  0.562 ± 0.442
        all cases        organ  5      3       1      0      1  0.562 ± 0.427  1.33 ± 1.53  1.33 ± 1.53  0.562 ± 0.427

        Mean ± standard deviation over cases; of the mean of sites: over sites.
        1 missed and 0 false alarms count as Dice 0 and NSD 0. They have no surface distance: ASSD and HD95 are means over the found only, 3 of 4.
        Missed: B/Case10 organ.
        1 empty in both prediction and reference: counted, in no mean.

        """)
  }

  @Test func summariesOfSitesAndOfAll() throws {
    let summaries = Self.table.summaries
    #expect(summaries.map(\.scope) == [.site, .site, .meanOfSites, .allCases])
    #expect(summaries.map(\.site) == ["A", "B", nil, nil])
    #expect(summaries.map { $0.statistics[.dice]?.count } == [2, 2, 2, 4])
    #expect(summaries.map { $0.statistics[.dice]?.mean } == [0.875, 0.25, 0.5625, 0.5625])
    let assd: [Double?] = [0.5, 3, 1.75, 4.0 / 3]
    #expect(summaries.map { $0.statistics[.assd]?.count } == [2, 1, 2, 3])
    #expect(summaries.map { $0.statistics[.assd]?.mean } == assd)
    #expect(summaries[1].statistics[.assd]?.standardDeviation == nil)
    let counts: [[Int]] = summaries.map { summary in Outcome.allCases.map { summary.count($0) } }
    #expect(counts == [[2, 0, 0, 0], [1, 1, 0, 1], [3, 1, 0, 1], [3, 1, 0, 1]])
  }

  /// A site without any hit has no mean distance, so the mean over sites covers one site.
  @Test func siteWithoutDistancesIsNotInTheirMean() {
    let table = ScoreTable(
      [Self.score("A", "1", .found, dice: 0.5, assd: 2), Self.score("B", "1", .miss, dice: 0)], tolerancesMM: [1.5])
    let mean = table.summaries.first { $0.scope == .meanOfSites }
    #expect(mean?.statistics[.dice] == Statistic([0.5, 0]))
    #expect(mean?.statistics[.assd] == Statistic([2]))
    #expect(mean?.count(.miss) == 1)
  }

  @Test func severalClassesHaveAMean() {
    let table = ScoreTable(
      [
        Self.score("A", "1", .found, dice: 0.5, assd: 2), Self.score("A", "2", .found, dice: 1, assd: 4),
        Self.score("A", "1", .found, dice: 0.25, assd: 1, classIndex: 2, className: "other"),
        Self.score("A", "2", .bothEmpty, dice: nil, classIndex: 2, className: "other"),
      ], tolerancesMM: [1.5])
    #expect(table.summaries.map(\.className) == ["organ", "other", nil])
    #expect(table.summaries.map { $0.statistics[.dice]?.mean } == [0.75, 0.25, 0.5])
    #expect(table.summaries[2].statistics[.dice]?.count == 2)
    #expect(table.summaries[2].statistics[.dice]?.standardDeviation == nil)
    #expect(table.summaries[2].scoreCount == 4)
  }

  @Test func anotherEndingIsRefused() {
    let error = #expect(throws: Refusal.self) { try Self.table.write(to: URL(fileURLWithPath: "/tmp/x.txt")) }
    #expect(
      error?.description == "/tmp/x.txt: scores are written as .csv or .json; give the file one of these endings.")
  }
}
