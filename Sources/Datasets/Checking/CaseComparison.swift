import Basics
import Foundation
import MedicalImaging

/// What cases tell when they are held against each other. docs/check.md has every rule with its thresholds.
struct CaseComparison {
  let facts: [CaseFacts]
  /// Those that are volumes, whose grids lie in a patient.
  let volumes: [CaseFacts]

  init(_ facts: [CaseFacts]) {
    self.facts = facts
    volumes = facts.filter { !$0.scan.isPicture }
  }

  func findings() -> [DataCheck.Finding] {
    orientations() + units() + offsets() + intensities() + placements() + turnedCopies() + patients() + roundings()
  }
}

/// Cases and those that they are held against: their whole site or, where it is small, all cases.
struct Peers {
  let judged: [CaseFacts]
  let reference: [CaseFacts]
  /// `the other 5 cases of Site-A`.
  let phrase: String

  /// - Parameter least: how many others a case must have; without them it is not judged.
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
  var file: URL { scan.images[0] }

  /// Along the image's axes, edge to edge.
  var extentMM: SIMD3<Double> { SIMD3<Double>(geometry.size) * geometry.spacingMM }
}

extension DataCheck.Finding {
  /// On these cases' images.
  init(_ severity: DataCheck.Severity, _ rule: DataCheck.Rule, _ message: String, on facts: [CaseFacts]) {
    self.init(severity, rule, message, cases: facts.map(\.identifier), files: facts.map(\.file))
  }
}
