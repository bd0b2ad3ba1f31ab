import Basics
import Foundation

/// Findings that say the same of many cases, to be shown as one.
package struct FindingGroup {
  package let first: DataCheck.Finding
  /// None where the finding is shown alone.
  package private(set) var others: [DataCheck.Finding] = []

  /// The most findings of a kind, besides the first, that are shown one by one.
  private static let mostAlone = 3

  /// In the order of their first findings.
  package static func groups(of findings: [DataCheck.Finding]) -> [FindingGroup] {
    var groups: [FindingGroup] = []
    var places: [String: Int] = [:]
    for finding in findings {
      if let place = places[finding.kind] {
        groups[place].others.append(finding)
      } else {
        places[finding.kind] = groups.count
        groups.append(FindingGroup(first: finding))
      }
    }
    return groups.flatMap { group in
      group.others.count < mostAlone
        ? ([group.first] + group.others).map { FindingGroup(first: $0) } : [group]
    }
  }

  var line: String { "\(first.severity.rawValue): \(sentence)" }

  /// The first finding, and how many more there are of which cases.
  var sentence: String {
    guard !others.isEmpty else { return first.message }
    let cases = others.flatMap(\.cases).firstOccurrences
    return "\(first.message) Likewise \(others.count) more\(cases.isEmpty ? "" : ": \(listed(cases))")."
  }
}

extension DataCheck.Finding {
  /// The same for findings that differ in files, cases and numbers only.
  fileprivate var kind: String {
    var text = message
    for name in files + cases { text = text.replacingOccurrences(of: name, with: "") }
    text = text.replacing(/\/[^\s:;,()]+/, with: "").replacing(/[-+]?[0-9]+(\.[0-9]+)?(e[-+]?[0-9]+)?/, with: "#")
    return "\(severity.rawValue) \(rule.rawValue) \(text)"
  }
}
