import Basics
import Foundation

/// The scores of many cases, in a fixed order: by site, case, pass (as first given) and class.
package struct ScoreTable: Equatable, Sendable {
  package let tolerancesMM: [Double]
  /// By which the scores were made.
  package let convention: Convention
  /// Of distances, tolerances and volumes.
  package let lengthUnit: LengthUnit
  package let scores: [CaseScore]
  /// In the order of their first score.
  package let passes: [String]
  /// Those that the model was not trained on, which are marked.
  package var unseenSites: [String] = []
  /// Cases that have no scores, as they could not be segmented or compared.
  package var failures: [CaseFailure] = []
  /// What was reported while the scores were made.
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

  /// The sides of a split that the cases were on; empty where that is not known, or the data are others.
  package var sides: [TrainingSide] {
    let found = Set(scores.compactMap(\.side))
    return TrainingSide.allCases.filter(found.contains)
  }

  /// Some of the scores.
  func containing(_ isKept: (CaseScore) -> Bool) -> ScoreTable {
    var part = ScoreTable(
      scores.filter(isKept), tolerancesMM: tolerancesMM, convention: convention, lengthUnit: lengthUnit)
    part.unseenSites = unseenSites
    return part
  }

  package var sites: [String] { scores.map(\.site).firstOccurrences }

  /// Its name, with what is to be known of it: `Site-D (unseen)`.
  package func title(ofSite site: String) -> String { site + (unseenSites.contains(site) ? " (unseen)" : "") }

  /// Marks the sites that are not among the `known` ones of a training. Nothing is marked where that was one folder and none of these
  /// sites has its name: folders of one hospital have many names.
  package mutating func markSites(unseenIn known: [String]) {
    guard known.count > 1 || sites.contains(where: known.contains) else { return }
    unseenSites = sites.filter { !known.contains($0) }
  }

  /// Index, name and mask values of every scored class, by index.
  package var classes: [(index: Int, name: String, label: String?)] {
    let first = Dictionary(scores.map { ($0.classIndex, $0) }, uniquingKeysWith: { first, _ in first })
    return first.sorted { $0.key < $1.key }.map { (index: $0.key, name: $0.value.className, label: $0.value.label) }
  }
}

extension ScoreTable {
  /// What to say where predictions and references have labels, and none in common; nil elsewhere.
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
      ? "where both mean one structure, give --merge-labels \((expected + predicted).sorted(by: comesBefore).joined(separator: ",").replacing("+", with: ","))"
      : "write both with the same values, or join what means the same with --merge-labels"
    return
      "The references hold \(listed(expected, atMost: 5)) and the predictions \(listed(predicted, atMost: 5)), so no label is "
      + "in common and every structure counts as missed; \(remedy)."
  }
}

/// Names as people order them (Case2 before Case10), the same in every locale.
package func comesBefore(_ a: String, _ b: String) -> Bool {
  switch a.compare(b, options: .numeric) {
  case .orderedAscending: true
  case .orderedDescending: false
  case .orderedSame: a < b
  }
}
