import Basics
import Foundation

/// The scores of many cases, ordered by site, case, pass (as first given) and class.
package struct ScoreTable: Equatable, Sendable {
  package let tolerancesMM: [Double]
  /// The convention of the scores.
  package let convention: Convention
  /// The unit of distances, tolerances and volumes.
  package let lengthUnit: LengthUnit
  package let scores: [CaseScore]
  /// The passes in the order of their first score.
  package let passes: [String]
  /// Sites that the model was not trained on; they are marked.
  package var unseenSites: [String] = []
  /// Cases without scores because they could not be segmented or compared.
  package var failures: [CaseFailure] = []
  /// Warnings reported while the scores were made.
  package var warnings: [String] = []

  package init(
    _ scores: [CaseScore], tolerancesMM: [Double], convention: Convention = .dualnorm, lengthUnit: LengthUnit = .mm
  ) {
    self.convention = convention
    self.lengthUnit = lengthUnit
    self.tolerancesMM = tolerancesMM
    let passes = scores.map(\.pass).firstOccurrences
    let rank = Dictionary(uniqueKeysWithValues: passes.enumerated().map { ($1, $0) })
    self.passes = passes
    self.scores = scores.sorted { a, b in
      if a.site != b.site { return comesBefore(a.site, b.site) }
      if a.caseName != b.caseName { return comesBefore(a.caseName, b.caseName) }
      return (rank[a.pass]!, a.classIndex) < (rank[b.pass]!, b.classIndex)
    }
  }

  package var metrics: [Metric] { convention.metrics(tolerancesMM: tolerancesMM) }

  /// The sides of a split that the cases were on; empty if unknown, or for data of another training.
  package var sides: [TrainingSide] {
    let found = Set(scores.compactMap(\.side))
    return TrainingSide.allCases.filter(found.contains)
  }

  /// The table of the scores that pass the filter.
  func containing(_ isKept: (CaseScore) -> Bool) -> ScoreTable {
    var part = ScoreTable(
      scores.filter(isKept), tolerancesMM: tolerancesMM, convention: convention, lengthUnit: lengthUnit)
    part.unseenSites = unseenSites
    return part
  }

  package var sites: [String] { scores.map(\.site).firstOccurrences }

  /// The site's name, marked if unseen: `Site-D (unseen)`.
  package func title(ofSite site: String) -> String { site + (unseenSites.contains(site) ? " (unseen)" : "") }

  /// Marks the sites that are not among the `known` sites of a training.
  ///
  /// Marks nothing if the training had one folder and no site here has its name: a hospital's folders have many names.
  package mutating func markSites(unseenIn known: [String]) {
    guard known.count > 1 || sites.contains(where: known.contains) else { return }
    unseenSites = sites.filter { !known.contains($0) }
  }

  /// Index, name and labels of every scored class, by index.
  package var classes: [(index: Int, name: String, label: String?)] {
    let first = Dictionary(scores.map { ($0.classIndex, $0) }, uniquingKeysWith: { first, _ in first })
    return first.sorted { $0.key < $1.key }.map { (index: $0.key, name: $0.value.className, label: $0.value.label) }
  }
}

extension ScoreTable {
  /// A warning if predictions and references both have labels but none in common; nil otherwise.
  package var warningOfLabels: String? {
    func labels(_ outcome: Outcome) -> [String] {
      let found = Set(scores.filter { $0.outcome == outcome }.map(\.classIndex))
      return classes.filter { found.contains($0.index) }.map { $0.label ?? $0.name }
    }
    let (expected, predicted) = (labels(.miss), labels(.falseAlarm))
    guard labels(.found).isEmpty, !expected.isEmpty, !predicted.isEmpty, Set(expected).isDisjoint(with: predicted)
    else { return nil }
    let remedy =
      expected.count == 1 && predicted.count == 1
      ? "where both mean one structure, give \(Setting.mergeLabels) "
        + "\((expected + predicted).sorted(by: comesBefore).joined(separator: ",").replacing("+", with: ","))"
      : "write both with the same values, or join what means the same with \(Setting.mergeLabels)"
    return
      "The references hold \(listed(expected, atMost: 5)) and the predictions \(listed(predicted, atMost: 5)), so no label is "
      + "in common and every structure counts as missed; \(remedy)."
  }
}

/// Orders names with numbers by value (Case2 before Case10), identically in every locale.
package func comesBefore(_ a: String, _ b: String) -> Bool {
  switch a.compare(b, options: .numeric) {
  case .orderedAscending: true
  case .orderedDescending: false
  case .orderedSame: a < b
  }
}
