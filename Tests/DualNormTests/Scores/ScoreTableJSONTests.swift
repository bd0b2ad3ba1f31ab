import Foundation
import Testing

@testable import Scores

@Suite struct ScoreTableJSONTests {
  static let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../Fixtures/scores/table.json")

  @Test func jsonToTheLetter() throws {
    let table = ScoreTable([ScoreTableTests.score("A", "C", .miss, dice: 0)], tolerancesMM: [1.5])
    let text = String(decoding: try table.json(), as: UTF8.self)
    #expect(text == (try String(contentsOf: Self.file, encoding: .utf8)))
  }

  /// A table of an earlier version has no `label`.
  @Test func readsATableWithoutLabels() throws {
    let score = ScoreTableTests.score("A", "C", .found, dice: 1, label: "1+2")
    let table = ScoreTable([score], tolerancesMM: [1.5])
    let json = String(decoding: try table.json(), as: UTF8.self)
    let pattern = /\s*"label" : "1\+2",/
    #expect(json.matches(of: pattern).count == 2)
    let old = try JSONDecoder().decode(ScoreTable.self, from: Data(json.replacing(pattern, with: "").utf8))
    #expect(old.scores.map(\.label) == [nil] && old.scores.map { $0[.dice] } == [1])
  }

  @Test func readsWhatItWrites() throws {
    let table = ScoreTableTests.table
    #expect(try JSONDecoder().decode(ScoreTable.self, from: table.json()) == table)
    let summaries = table.summaries
    #expect(try JSONDecoder().decode([ScoreSummary].self, from: JSONEncoder().encode(summaries)) == summaries)
  }
}
