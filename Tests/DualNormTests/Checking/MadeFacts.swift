import Foundation
import MedicalImaging

@testable import Datasets

/// Facts of a plain case; the arguments change only the facts under test.
func fact(
  _ identifier: String, patient: String? = nil,
  geometry: Geometry = Geometry(size: [100, 100, 40], spacingMM: [2, 2, 4]),
  labels: [LabelValue: Int] = [0: 1, 1: 1], intensities: [Float] = ramp(0, 1000), hash: UInt64? = nil,
  unorderedHash: UInt64? = nil, placement: MaskPlacement? = nil, rounding: Double? = 0, ending: String = "nii.gz"
) -> CaseFacts {
  let parts = identifier.split(separator: "/").map(String.init)
  let own = UInt64(bitPattern: Int64(Split.stableHash(identifier)))
  return CaseFacts(
    scan: Case(
      name: parts[1], site: parts[0], patient: patient, images: [URL(fileURLWithPath: "/d/\(identifier).\(ending)")],
      mask: URL(fileURLWithPath: "/d/\(identifier)_seg.\(ending)")),
    geometry: geometry, intensities: [intensities[0]...intensities[100]], labels: labels, imageHash: hash ?? own,
    profile: CaseProfile(
      quantiles: [intensities], unorderedHash: unorderedHash ?? hash ?? own, maskHash: own, placement: placement,
      rounding: rounding))
}

/// 101 evenly rising quantiles.
func ramp(_ least: Float, _ greatest: Float) -> [Float] {
  (0...100).map { least + (greatest - least) * Float($0) / 100 }
}

/// A site with `count` plain cases, and others.
func site(_ name: String, _ count: Int, _ others: CaseFacts...) -> [CaseFacts] {
  (0..<count).map { fact("\(name)/c\($0)") } + others
}

extension CaseComparison {
  /// Severity and message of each finding.
  static func said(_ facts: [CaseFacts]) -> [String] {
    CaseComparison(facts).findings().map { "\($0.severity.rawValue): \($0.message)" }
  }
}
