package import Scores

/// The names of a network's passes as people read them.
///
/// A network without dual norms has one pass, which people read as `only`. Files name it `first`.
package struct PassTitles: Sendable {
  package static let only = "only"
  package let hasOnePass: Bool

  package init(_ passes: [Pass]) { hasOnePass = passes == [.first] }

  /// - Parameter names: the names of all passes of the network in a table of scores, with adapted statistics too.
  package init(named names: [String]) {
    let first = Pass.first.rawValue
    hasOnePass = names.allSatisfy([first, first + Adaptation.passSuffix].contains)
  }

  /// The title of a pass by its name in files: `only+adapt` for `first+adapt`.
  package func title(of name: String) -> String {
    hasOnePass ? Self.only + name.dropFirst(Pass.first.rawValue.count) : name
  }

  /// The title of a pass beside others, in pictures and charts: `only pass`.
  package func heading(of pass: Pass) -> String { title(of: pass.rawValue) + " pass" }
}

extension ScoreTable {
  /// The table of one network with its passes as people read them.
  package var namingOnlyPass: ScoreTable {
    let titles = PassTitles(named: passes)
    guard titles.hasOnePass else { return self }
    let renamed = scores.map { score in
      var score = score
      score.pass = titles.title(of: score.pass)
      return score
    }
    var result = ScoreTable(renamed, tolerancesMM: tolerancesMM, convention: convention, lengthUnit: lengthUnit)
    (result.unseenSites, result.failures, result.warnings) = (unseenSites, failures, warnings)
    return result
  }
}
