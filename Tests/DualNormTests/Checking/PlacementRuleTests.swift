import MedicalImaging
import Testing

@testable import Datasets

@Suite struct PlacementRuleTests {
  /// Masks of one organ, with centres that differ by a few hundredths.
  private func organs(_ count: Int, at x: Double = 0.5) -> [CaseFacts] {
    (0..<count).map { index in
      let shift = Double(index % 5 - 2) * 0.01
      return fact(
        "A/c\(index)",
        placement: MaskPlacement(
          centre: [x + shift, 0.4 - shift, 0.5], backgroundShare: 0.02, mirroredSpread: [1.6 + shift, 1.7, 1.5]))
    }
  }

  private func odd(_ centre: SIMD3<Double> = [0.5, 0.4, 0.5], background: Double = 0.02, mirrored: Double = 1.4)
    -> CaseFacts
  {
    fact(
      "A/odd",
      placement: MaskPlacement(centre: centre, backgroundShare: background, mirroredSpread: [1.1, mirrored, 1.1]))
  }

  @Test func elsewhereThanTheOthers() {
    #expect(CaseComparison.said(organs(9) + [odd([0.5, 0.55, 0.5])]).isEmpty)
    #expect(
      CaseComparison.said(organs(10) + [odd([0.5, 0.75, 0.5])]) == [
        "warning: /d/A/odd_seg.nii.gz: its centre lies at 75 % of the image front to back, expected about 40 % as in the other 10 "
          + "cases of A; look at it on its image: it may be shifted or mirrored."
      ])
    // Seven masks are too few to know their usual place.
    #expect(CaseComparison.said(organs(6) + [odd([0.5, 0.75, 0.5])]).isEmpty)
  }

  @Test func tumoursLieAnywhere() {
    let tumours = (0..<20).map { index in
      fact("A/c\(index)", placement: MaskPlacement(centre: [0.3 + 0.02 * Double(index), 0.4, 0.5]))
    }
    #expect(CaseComparison.said(tumours + [odd([0.5, 0.95, 0.5], mirrored: 0.3)]).isEmpty)
  }

  @Test func doesNotFitItsImage() {
    #expect(
      CaseComparison.said(organs(10) + [odd(mirrored: 0.512)]) == [
        "warning: /d/A/odd_seg.nii.gz: does not fit its image: mirrored, the intensities within its labels spread by 85 % of "
          + "what they do as it is, expected about 160 % as in the other 10 cases of A; look at it on its image: it may be "
          + "mirrored (front to back?), shifted, or of another case."
      ])
    #expect(CaseComparison.said(organs(10) + [odd(mirrored: 0.81)]) != [])
    #expect(CaseComparison.said(organs(10) + [odd(mirrored: 0.84)]) == [])
    // If a fifth of the masks fit badly, as for tumours, no mask is odd.
    let loose = (0..<3).map {
      fact("A/l\($0)", placement: MaskPlacement(centre: [0.5, 0.4, 0.5], mirroredSpread: [1.1, 1.2, 1]))
    }
    #expect(CaseComparison.said(organs(9) + loose + [odd(mirrored: 0.512)]).isEmpty)
  }

  /// Mirroring a single slice along z changes nothing.
  @Test func fitIsOfTheAxesThatChange() {
    #expect(MaskPlacement(centre: [0.5, 0.5, 0.5], mirroredSpread: [4, 1, 1]).fit == 4)
    #expect(abs((MaskPlacement(centre: [0.5, 0.5, 0.5], mirroredSpread: [2, 0.5, 8]).fit ?? 0) - 2) < 1e-12)
    #expect(MaskPlacement(centre: [0.5, 0.5, 0.5]).fit == nil)
  }

  @Test func onBackground() {
    #expect(
      CaseComparison.said(organs(4) + [odd(background: 0.7)]) == [
        "warning: /d/A/odd_seg.nii.gz: 70 % of it lies on background of its image, expected about 2 % as in the other 4 cases "
          + "of A; look at it on its image: it may be shifted, or of another case."
      ])
    #expect(CaseComparison.said(organs(4) + [odd(background: 0.45)]).isEmpty)
    #expect(CaseComparison.said(organs(2) + [odd(background: 0.7)]).isEmpty)
    // Lungs are dark in all cases.
    let lungs = (0..<9).map {
      fact("A/c\($0)", placement: MaskPlacement(centre: [0.5, 0.5, 0.5], backgroundShare: 0.6))
    }
    #expect(CaseComparison.said(lungs + [odd(background: 0.9)]).isEmpty)
  }

  /// A bright box on a dark background, in a grid whose x runs to the right.
  @Test func measuredOnVoxels() throws {
    let geometry = Geometry(size: [20, 10, 4], direction: [-1, 0, 0, 0, 1, 0, 0, 0, 1])
    func isInside(_ x: Int, _ y: Int) -> Bool { (2..<6).contains(x) && (3..<7).contains(y) }
    let image = volume(geometry) { x, y, _ in isInside(x, y) ? 100 : 0 } as Image
    let sorted = quantiles(of: image, range: 0...100)
    let mask = volume(geometry) { x, y, _ in isInside(x, y) ? 3 : 0 } as LabelMap
    let placed = try #require(MaskPlacement(of: mask, on: image, quantiles: sorted))
    #expect(placed.centre == [0.8, 0.5, 0.5] && placed.backgroundShare == 0)
    // The region is constant, so there is nothing to compare with.
    #expect(placed.mirroredSpread == [1, 1, 1])
    let shifted = volume(geometry) { x, y, _ in isInside(x - 3, y) ? 3 : 0 } as LabelMap
    let moved = try #require(MaskPlacement(of: shifted, on: image, quantiles: sorted))
    #expect(moved.backgroundShare == 0.75 && abs(moved.centre.x - 0.65) < 1e-12)
    #expect(moved.mirroredSpread.y == 1 && moved.mirroredSpread.x == 0)
    #expect(MaskPlacement(of: LabelMap(repeating: 0, geometry: geometry), on: image, quantiles: sorted) == nil)
  }
}
