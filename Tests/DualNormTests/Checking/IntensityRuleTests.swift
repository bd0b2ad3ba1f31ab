import MedicalImaging
import Testing

@testable import Datasets

@Suite struct IntensityRuleTests {
  @Test func aScaleOfItsOwnIsOdd() {
    #expect(
      CaseComparison.said(site("A", 9, fact("A/odd", intensities: ramp(0, 100_000)))) == [
        "warning: /d/A/odd.nii.gz: its intensities span 98000 (1st percentile 1000 to 99th 99000), expected about 980 as the "
          + "other 9 cases of A; look at the image and at how it was exported."
      ])
    #expect(CaseComparison.said(site("A", 9, fact("A/dim", intensities: ramp(0, 50)))).count == 1)
    #expect(CaseComparison.said(site("A", 9, fact("A/bright", intensities: ramp(0, 9000)))).isEmpty)
  }

  /// No scale is odd if a quarter of a site's cases have another one, or if there are fewer than six cases.
  @Test func mixedScalesAreNotOdd() {
    let large = (0..<3).map { fact("A/l\($0)", intensities: ramp(0, 100_000)) }
    #expect(CaseComparison.said(site("A", 9) + large).isEmpty)
    #expect(CaseComparison.said(site("A", 4, large[0])).isEmpty)
  }

  /// In a small site, a case is compared with all other cases.
  @Test func smallSitesAreHeldAgainstAll() {
    let facts = site("A", 9) + [fact("B/odd", intensities: ramp(0, 100_000))]
    #expect(CaseComparison.said(facts).first?.contains("expected about 980 as the other 9 cases;") == true)
  }

  @Test func singleVoxelsFarOut() {
    var hot = ramp(0, 1000)
    hot[100] = 30_000
    #expect(
      CaseComparison.said(site("A", 5, fact("A/odd", intensities: hot))) == [
        "warning: /d/A/odd.nii.gz: its greatest voxel is 30000 and its 99th percentile 990, farther apart than in the other 5 "
          + "cases of A; look for an artefact or a filling value, and give train a --window."
      ])
    var filled = ramp(0, 1000)
    filled[0] = -32_768
    #expect(
      CaseComparison.said(site("A", 5, fact("A/odd", intensities: filled))) == [
        "warning: /d/A/odd.nii.gz: its least voxel is -32768 and its 1st percentile 10, farther apart than in the other 5 cases "
          + "of A; look for an artefact or a filling value, and give train a --window."
      ])
    // A value that all cases have, such as a scanner's fill value, is not odd.
    #expect(CaseComparison.said((0..<6).map { fact("A/c\($0)", intensities: filled) }).isEmpty)
  }

  /// Flat images have no contrast to measure; every rule must handle them.
  @Test func constantImagesDoNoHarm() {
    let flat = [Float](repeating: 7, count: 101)
    #expect(CaseComparison.said((0..<6).map { fact("A/c\($0)", intensities: flat) }).isEmpty)
    #expect(CaseComparison.said(site("A", 9, fact("A/odd", intensities: flat))).count == 1)
  }

  @Test func quantilesAreThoseOfTheVoxels() {
    func image(_ voxels: [Float], rowLength: Int = 1, noData: [Bool]? = nil) -> Image {
      Image(voxels: voxels, geometry: Geometry(size: [rowLength, voxels.count / rowLength, 1]), noData: noData)
    }
    let values = (0..<1001).map { Float(1000 - $0) }
    let found = quantiles(of: image(values + [.nan]), range: 0...1000)
    #expect(found.count == 101 && found[0] == 0 && found[50] == 500 && found[99] == 990 && found[100] == 1000)
    #expect(quantiles(of: image([.nan]), range: nil).isEmpty)
    let padded = image(values + [-2000], noData: values.map { _ in false } + [true])
    #expect(quantiles(of: padded, range: 0...1000) == found)
    // Dark and bright columns alternate, so an even step would see only one kind.
    let columns = (0..<200_000).map { Float($0 % 2) }
    let thinned = quantiles(of: image(columns, rowLength: 2), range: 0...1)
    #expect(thinned[25] == 0 && thinned[75] == 1)
  }
}
