import MedicalImaging
import Testing

@testable import Datasets

@Suite struct UnitsRuleTests {
  private func scaled(_ factor: Double) -> Geometry {
    Geometry(size: [100, 100, 40], spacingMM: SIMD3(2, 2, 4) * factor)
  }

  @Test func centimetresBesideMillimetres() {
    #expect(
      CaseComparison.said(site("A", 3, fact("A/odd", geometry: scaled(0.1)))).filter { $0.contains("odd") } == [
        "warning: /d/A/odd.nii.gz: spacing 0.2×0.2×0.4 mm and extent 20×20×16 mm, as if in centimetres beside the other 3 "
          + "cases of A (median spacing 2×2×4 mm, in order of size); correct the spacing in the header."
      ])
    // Two other cases are too few to tell which is right.
    #expect(CaseComparison.said(site("A", 2, fact("A/odd", geometry: scaled(0.1)))).isEmpty)
  }

  @Test(arguments: [
    (0.001, "0.2×0.2×0.16", "metres"), (0.01, "2×2×1.6", "centimetres"), (1000, "200000×200000×160000", "micrometres"),
  ])
  func sizesOfNoBody(factor: Double, extent: String, unit: String) {
    #expect(
      CaseComparison.said([fact("A/odd", geometry: scaled(factor))]) == [
        "warning: /d/A/odd.nii.gz: spans \(extent) mm, expected a longest side of 5 to 2500 mm for a part of a body, as if the "
          + "spacing were in \(unit); correct the spacing in the header."
      ])
  }

  @Test func aWholeSiteIsNamedOnce() {
    let tiny = (0..<3).map { fact("A/c\($0)", geometry: scaled(0.001)) }
    #expect(
      CaseComparison.said(tiny) == [
        "warning: /d/A/c0.nii.gz: spans 0.2×0.2×0.16 mm (and 2 other cases of A likewise), expected a longest side of 5 to 2500 "
          + "mm for a part of a body, as if the spacing were in metres; correct the spacing in the header."
      ])
    let small = (0..<4).map { fact("B/c\($0)", geometry: scaled(0.1)) }
    #expect(
      CaseComparison.said(site("A", 5) + small) == [
        "warning: B: median spacing 0.2×0.2×0.4 mm, as if in centimetres beside the other sites' 2×2×4 mm; correct the spacing "
          + "in the headers."
      ])
  }

  /// Finer voxels of the same extent, thicker slices, and a smaller part of the body are no different unit.
  @Test func honestDifferencesAreNotOdd() {
    let fine = Geometry(size: [1000, 1000, 400], spacingMM: [0.2, 0.2, 0.4])
    let thick = Geometry(size: [100, 100, 4], spacingMM: [2, 2, 40])
    let crop = Geometry(size: [12, 12, 4], spacingMM: [2, 2, 4])
    for geometry in [fine, thick, crop] {
      #expect(CaseComparison.said(site("A", 5, fact("A/other", geometry: geometry))).isEmpty)
    }
    let one = Geometry(size: [100, 100, 1], spacingMM: [0.1, 0.1, 1])
    #expect(CaseComparison.said([fact("A/slice", geometry: one)]).isEmpty)
  }

  @Test func picturesHaveNoUnits() {
    let small = Geometry(size: [3, 3, 1])
    #expect(CaseComparison.said([fact("A/p", geometry: small, ending: "png")]).isEmpty)
  }

  /// Intensities of air, and of soft tissue and bone above it.
  private func ct(_ shift: Float) -> [Float] { ramp(-1024, 1400).map { $0 + shift } }

  @Test func ctWithoutItsOffset() {
    let others = (0..<4).map { fact("A/c\($0)", intensities: ct(0)) }
    #expect(
      CaseComparison.said(others + [fact("A/odd", intensities: ct(1024))]) == [
        "warning: /d/A/odd.nii.gz: intensities from 0 on lie about 1024 above those of the other 4 cases of A, as if the offset "
          + "of CT (its rescale intercept) were missing in one of them; export it again in Hounsfield units."
      ])
    let raw = (0..<3).map { fact("B/c\($0)", intensities: ct(1000)) }
    #expect(
      CaseComparison.said(others + raw) == [
        "warning: B: intensities from -24 on lie about 1000 above the other sites', as if the offset of CT (its rescale "
          + "intercept) were missing in one of them; export them again in Hounsfield units."
      ])
  }

  @Test func otherIntensitiesHaveNoOffset() {
    let others = (0..<4).map { fact("A/c\($0)", intensities: ct(0)) }
    // CT of soft tissue alone is as bright as the others. MR has no air at −1000.
    #expect(CaseComparison.said(others + [fact("A/crop", intensities: ramp(-100, 1400))]).isEmpty)
    let mr = (0..<4).map { fact("A/c\($0)", intensities: ramp(0, 2000)) }
    #expect(CaseComparison.said(mr + [fact("A/bright", intensities: ramp(1000, 3000))]).isEmpty)
  }
}
