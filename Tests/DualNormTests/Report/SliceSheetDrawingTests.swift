import MedicalImaging
import Testing

@testable import Pictures

@Suite struct SliceSheetDrawingTests {
  private func drawn(_ text: String, scale: Int = 1) -> [String] {
    var canvas = RGBImage(width: 12 * scale, height: 8 * scale)
    canvas.draw(text, x: 0, y: 0, scale: scale, SheetPalette.ink)
    return (0..<canvas.height).map { y in
      String((0..<canvas.width).map { x in canvas[x, y] == SheetPalette.ink ? "#" : "." })
    }
  }

  @Test func textIsDrawnDotByDot() {
    #expect(
      drawn("A7") == [
        ".###..#####.", "#...#.....#.", "#...#....#..", "#...#...#...", "#####..#....", "#...#..#....", "#...#..#....",
        "............",
      ])
    #expect(drawn("é") == drawn("?"))
    #expect(drawn("ABC").map { $0.count } == Array(repeating: 12, count: 8))  // parts outside are not drawn
    let (small, large) = (drawn("g%"), drawn("g%", scale: 2))
    #expect(large.enumerated().allSatisfy { y, row in Array(row) == small[y / 2].flatMap { [$0, $0] } })
  }

  @Test func everyCharacterOfLabelsHasItsOwnGlyph() {
    let characters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz -._/:=()%+,?>"
    let glyphs = characters.map { SheetFont.glyph($0) }
    #expect(glyphs.allSatisfy { $0.count == 8 && $0.allSatisfy { $0.count == 5 } })
    #expect(Set(glyphs).count == characters.count)
  }

  @Test func drawingOutsideIsHarmless() {
    var canvas = RGBImage(width: 2, height: 2)
    canvas.fill(x: -1, y: -1, width: 2, height: 2, SheetPalette.ink)
    #expect(canvas[0, 0] == SheetPalette.ink)
    #expect(canvas[1, 0] == .zero && canvas[0, 1] == .zero)
  }

  @Test func neighbouringClassesHaveDifferentColours() {
    #expect(Set((1...7).map { SheetPalette.color(ofClass: $0) }).count == 7)
    #expect(SheetPalette.color(ofClass: 8) == SheetPalette.color(ofClass: 1))
  }
}
