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

/// The middle value, of an even count the mean of the two; nil of none.
func median(_ values: [Double]) -> Double? {
  guard !values.isEmpty else { return nil }
  let sorted = values.sorted()
  let middle = sorted.count / 2
  return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/// Median, and the deviation that a normal distribution of the same median distance from it has.
struct RobustSpread {
  let median: Double
  let deviation: Double

  init?(_ values: [Double]) {
    guard let middle = DualNorm.median(values), let distance = DualNorm.median(values.map { abs($0 - middle) }) else {
      return nil
    }
    median = middle
    deviation = 1.4826 * distance
  }
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
