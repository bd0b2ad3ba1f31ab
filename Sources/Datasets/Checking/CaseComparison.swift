import Basics
import Foundation
import MedicalImaging

/// Findings from comparing cases with each other. docs/check.md has every rule with its thresholds.
struct CaseComparison {
  let facts: [CaseFacts]
  /// The cases that are volumes, whose grids lie in a patient.
  let volumes: [CaseFacts]

  init(_ facts: [CaseFacts]) {
    self.facts = facts
    volumes = facts.filter(\.scan.hasOrientation)
  }

  func findings() -> [DataCheck.Finding] {
    orientations() + units() + offsets() + intensities() + placements() + turnedCopies() + patients() + roundings()
  }
}

/// Cases and the cases to compare them with: their whole site or, if it is small, all cases.
struct Peers {
  let judged: [CaseFacts]
  let reference: [CaseFacts]
  /// The peers in words: `the other 5 cases of Site-A`.
  let phrase: String

  /// - Parameter least: the fewest other cases needed to judge a case.
  static func groups(_ facts: [CaseFacts], least: Int) -> [Peers] {
    bySite(facts).compactMap { site, own in
      if own.count > least {
        return Peers(judged: own, reference: own, phrase: "the other \(own.count - 1) cases of \(site)")
      }
      guard facts.count > least else { return nil }
      return Peers(judged: own, reference: facts, phrase: "the other \(facts.count - 1) cases")
    }
  }
}

/// Sites in their order, with their cases.
func bySite(_ facts: [CaseFacts]) -> [(site: String, facts: [CaseFacts])] {
  Dictionary(grouping: facts, by: \.scan.site).sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
}

extension CaseFacts {
  var identifier: String { scan.identifier }
  var file: URL { scan.reference }

  /// The extent along the image's axes, edge to edge.
  var extentMM: SIMD3<Double> { SIMD3<Double>(geometry.size) * geometry.spacingMM }
}

extension DataCheck.Finding {
  /// A finding on these cases' images.
  init(_ severity: DataCheck.Severity, _ rule: DataCheck.Rule, _ message: String, on facts: [CaseFacts]) {
    self.init(severity, rule, message, cases: facts.map(\.identifier), files: facts.map(\.file))
  }
}
