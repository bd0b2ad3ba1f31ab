import Testing

@testable import DualNorm
@testable import Scores

/// The names of passes as people read them.
@Suite struct PassTitlesTests {
  @Test(arguments: [
    (["first"], ["only"]), (["first", "first+adapt"], ["only", "only+adapt"]),
    (["first", "final"], ["first", "final"]),
    (["first", "final", "first+adapt", "final+adapt"], ["first", "final", "first+adapt", "final+adapt"]),
    (["prediction"], ["prediction"]),
  ])
  func onlyAPassWithoutAnotherIsTheOnlyOne(names: [String], expected: [String]) {
    let titles = PassTitles(named: names)
    #expect(names.map(titles.title) == expected)
    let scores = names.map { name in
      CaseScore(
        site: "A", caseName: "1", pass: name, classIndex: 1, className: "organ", outcome: .miss, metrics: [.dice: 0])
    }
    var table = ScoreTable(scores, tolerancesMM: [1])
    table.unseenSites = ["A"]
    #expect(table.namingOnlyPass.passes == expected && table.namingOnlyPass.unseenSites == ["A"])
  }

  @Test func headingsNameThePass() {
    #expect(PassTitles([.first]).heading(of: .first) == "only pass")
    #expect(Pass.allCases.map(PassTitles(Pass.allCases).heading) == ["first pass", "final pass"])
  }
}
