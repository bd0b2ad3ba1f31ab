import Testing

@testable import Pages
@testable import Pictures

@Suite struct SlicePlanTests {
  /// Slices of `side` × `side` pixels; truth and prediction are squares at (20, 20) with the given sides, 0 for none.
  private func rows(_ squares: [(truth: Int, found: Int)], side: Int = 100) -> [SheetRow] {
    func square(_ size: Int) -> [UInt8] {
      (0..<side * side).map { (20..<20 + size).contains($0 % side) && (20..<20 + size).contains($0 / side) ? 1 : 0 }
    }
    return squares.map { truth, found in
      SheetRow(
        title: "A", width: side, height: side, channels: [Array(repeating: 0, count: side * side)],
        reference: square(truth),
        finalPass: square(found))
    }
  }

  @Test func beginsWhereMostDiffersAndLeavesOutWhatIsEmpty() {
    let plan = SlicePlan(rows([(0, 0), (10, 10), (10, 4), (10, 6), (0, 0), (0, 2)]), pixels: 1_000_000)
    #expect(plan.slices == [1, 2, 3, 5] && plan.start == 2 && plan.step == 1 && plan.reduction == 1)
    // The square with a margin of 10 pixels.
    #expect(plan.columns == 10..<40 && plan.rows == 10..<40)
  }

  @Test func everySoManySlicesWhereThereIsNoRoom() {
    let plan = SlicePlan(rows((0..<20).map { (10, $0 == 13 ? 0 : 10) }), pixels: 8 * 900)
    #expect(plan.step == 3 && plan.start == 13 && plan.slices == [1, 4, 7, 10, 13, 16, 19])
  }

  @Test func withoutLabelsAllOfAllSlices() {
    let plan = SlicePlan(rows([(0, 0), (0, 0)]), pixels: 1_000_000)
    #expect(plan.slices == [0, 1] && plan.columns == 0..<100 && plan.rows == 0..<100)
  }

  @Test func largeSlicesAreReduced() {
    let plan = SlicePlan(rows([(0, 0)], side: 300), pixels: 1_000_000)
    #expect(plan.reduction == 2)
    let coarser = SlicePlan(rows(Array(repeating: (0, 0), count: 8), side: 300), pixels: 8 * 100 * 100)
    #expect(coarser.reduction == 3 && coarser.slices.count == 8)
  }

  @Test func colorsOfAMapAreBlueWhiteAndRed() {
    #expect(Picture.color(0) == [247, 247, 247])
    #expect(Picture.color(-1) == [33, 102, 172] && Picture.color(2) == [178, 24, 43])
    #expect(Picture.color(.nan) == Picture.color(0))
  }
}
