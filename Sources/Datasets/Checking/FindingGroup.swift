import Basics
import Foundation

/// Findings of one kind on many cases, shown as one.
package struct FindingGroup {
  package let first: DataCheck.Finding
  /// The other findings of the kind; empty if the finding is shown alone.
  package private(set) var others: [DataCheck.Finding] = []

  /// The most findings of a kind, besides the first, that are shown one by one.
  private static let mostAlone = 3

  /// The groups in the order of their first findings.
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

  /// The first finding, with the number and the cases of the others.
  var sentence: String {
    guard !others.isEmpty else { return first.message }
    let cases = others.flatMap(\.cases).firstOccurrences
    return "\(first.message) Likewise \(others.count) more\(cases.isEmpty ? "" : ": \(listed(cases))")."
  }
}

extension DataCheck.Finding {
  /// A key shared by findings that differ only in files, cases and numbers.
  fileprivate var kind: String {
    var text = message
    for name in files + cases { text = text.replacingOccurrences(of: name, with: "") }
    text = text.replacing(/\/[^\s:;,()]+/, with: "").replacing(/[-+]?[0-9]+(\.[0-9]+)?(e[-+]?[0-9]+)?/, with: "#")
    return "\(severity.rawValue) \(rule.rawValue) \(text)"
  }
}
