import Foundation
import MedicalImaging
import Testing

@testable import Basics
@testable import Scores

@Suite struct ConventionTests {
  static let others = Convention.allCases.filter { $0 != .dualnorm }

  /// MONAI computes in float32, the others in double precision.
  static func isClose(_ found: Double?, _ expected: Double?, _ convention: Convention) -> Bool {
    guard let found, let expected else { return found == nil && expected == nil }
    if found == expected { return true }
    let tolerance = convention == .monai ? 1e-6 * max(1, abs(expected)) : 1e-9
    return abs(found - expected) <= tolerance
  }

  @Test(arguments: others) func everyValueIsTheTools(_ convention: Convention) throws {
    try expectValues(convention, of: LikeFixture.load(), count: 11)
  }

  /// The tools take a volume of one slice as a 2-D array with its spacing. nnU-Net has no distances.
  @Test(arguments: others.filter { $0 != .nnunet }) func everyValueOfOneSliceIsTheTools(_ convention: Convention) throws
  {
    try expectValues(convention, of: LikeFixture.load("slices"), count: 13)
  }

  private func expectValues(_ convention: Convention, of fixture: LikeFixture, count: Int) throws {
    let table = fixture.table(convention)
    #expect(table.scores.count == 2 * fixture.cases.count && fixture.cases.count == count)
    for score in table.scores {
      let fixtureCase = try #require(fixture.cases.first { $0.name == score.caseName })
      let expected = try #require(fixtureCase.expected[convention.rawValue]?["\(score.classIndex)"])
      #expect(Set(expected.keys) == Set(table.metrics.map(\.rawValue)))
      for metric in table.metrics {
        #expect(
          Self.isClose(score[metric], expected[metric.rawValue]?.number, convention),
          "\(score.caseName), class \(score.classIndex), \(metric.rawValue): \(String(describing: score[metric])) is not \(String(describing: expected[metric.rawValue]?.number))"
        )
      }
    }
  }

  @Test(arguments: [Convention.monai, .nnunet, .transunet]) func meansAreTheTools(_ convention: Convention) throws {
    let fixture = try LikeFixture.load()
    let table = fixture.table(convention)
    let expected = try #require(fixture.means[convention.rawValue])
    let summaries = table.summaries
    #expect(summaries.count == 3)
    for summary in summaries {
      let means = try #require(expected[summary.classIndex.map(String.init) ?? "mean"])
      for metric in table.metrics {
        let found = try #require(summary.statistics[metric])
        #expect(
          Self.isClose(found.mean, means[metric.rawValue]?.number, convention),
          "\(summary.className ?? "mean"), \(metric.rawValue): \(String(describing: found.mean)) is not \(String(describing: means[metric.rawValue]?.number))"
        )
      }
    }
  }

  /// All four outcomes occur; otherwise the two tests above would show little.
  @Test func fixtureHasEveryOutcome() throws {
    let table = try LikeFixture.load().table(.medpy)
    for outcome in Outcome.allCases { #expect(table.scores.contains { $0.outcome == outcome }, "\(outcome)") }
  }

  /// The mean of no values is 0 in MONAI and NaN in nnU-Net.
  @Test func meansOfNothing() {
    let empty: [[Double?]] = [[nil, 1], [nil, 0]]
    let monai = Convention.monai.rules
    #expect(monai.mean(of: [nil, nil]).mean == 0 && monai.mean(of: [nil, nil]).count == 0)
    #expect(monai.classMean(of: [[nil, nil]]).mean == 0)
    #expect(monai.classMean(of: empty).mean == 0.5)
    let nnunet = Convention.nnunet.rules
    #expect(nnunet.mean(of: [nil, nil]).mean == nil)
    #expect(nnunet.classMean(of: empty).mean == nil)
    #expect(Convention.dualnorm.rules.classMean(of: empty).mean == 0.5)
  }

  /// The mean over classes of each case comes first: 1 for the first case, (0 + 0.5) / 2 for the second; not 0.5 and
  /// 0.5.
  @Test func monaiAveragesWithinACaseFirst() {
    let cases: [[Double?]] = [[1, nil], [0, 0.5]]
    #expect(Convention.monai.rules.classMean(of: cases).mean == 0.625)
    #expect(Convention.dualnorm.rules.classMean(of: cases).mean == 0.5)
  }

  @Test func unknownNameNamesTheNearest() {
    let error = #expect(throws: Refusal.self) { try Convention(named: "nnUNet") }
    #expect(
      error?.description
        == "--like nnUNet: there is no such convention; expected dualnorm, medpy, medpy-0.4, monai, nnunet, transunet or published; the nearest one is nnunet."
    )
  }

  @Test func everyMetricIsReadFromItsName() {
    for convention in Convention.allCases {
      for metric in convention.metrics(tolerancesMM: [1.5]) { #expect(Metric(rawValue: metric.rawValue) == metric) }
    }
  }

  /// The largest component is that of a merged class, not of each value.
  @Test func publishedKeepsTheLargestComponentOfAMergedClass() throws {
    let geometry = Geometry(size: [7, 1, 1])
    let reference = LabelMap(voxels: [1, 2, 2, 0, 0, 0, 0], geometry: geometry)
    let prediction = LabelMap(voxels: [1, 2, 2, 0, 1, 1, 0], geometry: geometry)
    let merged = Scorer(scheme: LabelScheme(groups: [[1, 2]]), convention: .published)
    let apart = Scorer(scheme: LabelScheme(groups: [[1], [2]]), convention: .published)
    let dice = { (scorer: Scorer) in
      scorer.scores(prediction: prediction, reference: reference, site: "S", caseName: "C", pass: "p").map { $0[.dice] }
    }
    #expect(dice(merged) == [1])
    #expect(dice(apart) == [0, 1])
  }
}
