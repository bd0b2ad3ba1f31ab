import Basics
import Datasets
import Foundation

/// The findings of a check by severity, each with the cases concerned.
struct FindingList {
  let findings: [DataCheck.Finding]

  /// The most findings of one severity shown; the rest is folded.
  private static let mostShown = 25
  /// The most cases of one finding shown; the rest is folded.
  private static let mostCases = 5

  var html: Markup {
    guard !findings.isEmpty else { return paragraph("Nothing is odd.") }
    return [DataCheck.Severity.error, .warning, .note].map(part).joined()
  }

  private func part(_ severity: DataCheck.Severity) -> Markup {
    let own = findings.filter { $0.severity == severity }
    guard !own.isEmpty else { return "" }
    let groups = FindingGroup.groups(of: own)
    let (shown, more) = (groups.prefix(Self.mostShown), groups.dropFirst(Self.mostShown))
    let name = severity.rawValue
    return """
      <h3>\(counted(own.count, name.capitalized))</h3>
      \(list(shown))\(more.isEmpty ? "" : folded("\(counted(more.reduce(0) { $0 + 1 + $1.others.count }, "more \(name)"))", list(more)))
      """
  }

  private func list(_ groups: ArraySlice<FindingGroup>) -> Markup {
    "<ul class=\"findings\">\n\(groups.map { item($0.first, $0.others) })</ul>\n"
  }

  /// - Parameter others: findings of the same kind on other cases, which are folded.
  private func item(_ finding: DataCheck.Finding, _ others: [DataCheck.Finding]) -> Markup {
    let isFolded = finding.cases.count > Self.mostCases
    let cases = finding.cases.isEmpty ? "the whole data set" : listed(finding.cases, atMost: Self.mostCases)
    let all = isFolded ? folded("All \(finding.cases.count) cases", paragraph(listed(finding.cases, atMost: .max))) : ""
    let rows = others.map { "<li>\($0.message)</li>\n" as Markup }
    let likewise = others.isEmpty ? "" : folded("Likewise \(others.count) more", "<ul>\n\(rows)</ul>\n")
    return """
      <li class="\(finding.severity.rawValue)"><p class="place"><b>\(finding.rule.rawValue)</b> · \(cases)</p>
      \(paragraph(finding.message))\(all)\(likewise)</li>

      """
  }
}
