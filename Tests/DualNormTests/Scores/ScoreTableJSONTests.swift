import Foundation
import Testing

@testable import DualNorm

@Suite struct ScoreTableJSONTests {
  static let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../Fixtures/scores/table.json")

  @Test func jsonToTheLetter() throws {
    let table = ScoreTable([ScoreTableTests.score("A", "C", .miss, dice: 0)], tolerancesMM: [1.5])
    let text = String(decoding: try table.json(), as: UTF8.self)
    #expect(text == (try String(contentsOf: Self.file, encoding: .utf8)))
  }

  @Test func readsWhatItWrites() throws {
    let table = ScoreTableTests.table
    #expect(try JSONDecoder().decode(ScoreTable.self, from: table.json()) == table)
    let summaries = table.summaries
    #expect(try JSONDecoder().decode([ScoreSummary].self, from: JSONEncoder().encode(summaries)) == summaries)
  }
}
