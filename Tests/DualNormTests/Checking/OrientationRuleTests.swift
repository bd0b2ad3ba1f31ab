import Foundation
import MedicalImaging
import Testing

@testable import Datasets

@Suite struct OrientationRuleTests {
  private func turned(_ direction: [Double]) -> Geometry {
    Geometry(size: [100, 100, 40], spacingMM: [2, 2, 4], direction: direction)
  }
  private var mirrored: Geometry { turned([-1, 0, 0, 0, 1, 0, 0, 0, 1]) }

  /// A geometry rotated about z.
  private func oblique(degrees: Double) -> Geometry {
    let (c, s) = (cos(degrees * .pi / 180), sin(degrees * .pi / 180))
    return turned([c, -s, 0, s, c, 0, 0, 0, 1])
  }

  @Test func theOddOnesOfASiteAreNamed() {
    let facts = site("A", 5, fact("A/odd", geometry: mirrored))
    #expect(
      CaseComparison.said(facts) == [
        "warning: /d/A/odd.nii.gz: stored as RPS, expected LPS as the other 5 cases of A; check that the header is right, "
          + "then let dualnorm check --fix turn image and mask alike."
      ])
    let finding = CaseComparison(facts).findings()[0]
    #expect(finding.rule == .orientation && finding.cases == ["A/odd"] && finding.files == ["/d/A/odd.nii.gz"])
  }

  @Test func aSiteWithoutAMajorityIsNamed() {
    #expect(
      CaseComparison.said([fact("A/a"), fact("A/b", geometry: mirrored)]) == [
        "warning: A: volumes are stored in different orientations, 1 as LPS (a) and 1 as RPS (b); check that the headers are "
          + "right, then let dualnorm check --fix turn images and masks alike."
      ])
  }

  @Test func sitesMayDiffer() {
    let facts = site("A", 3) + (0..<3).map { fact("B/c\($0)", geometry: mirrored) }
    #expect(
      CaseComparison.said(facts) == [
        "note: The sites store volumes in different orientations (LPS: A; RPS: B), and the network sees slices as they are "
          + "stored; dualnorm check --fix turns all alike."
      ])
  }

  /// Rotations by 44° and 46° have different codes, but differ by two degrees only.
  @Test func obliqueSlicesAreNotOdd() {
    let (one, other) = (oblique(degrees: 44), oblique(degrees: 46))
    #expect(one.orientation.code != other.orientation.code)
    let facts = (0..<5).map { fact("A/c\($0)", geometry: one) } + [fact("A/odd", geometry: other)]
    #expect(CaseComparison.said(facts).isEmpty)
    #expect(CaseComparison.said(site("A", 5, fact("A/tilted", geometry: oblique(degrees: 30)))).isEmpty)
  }

  @Test func picturesHaveNoOrientation() {
    #expect(CaseComparison.said(site("A", 5, fact("A/odd", geometry: mirrored, ending: "png"))).isEmpty)
  }
}
