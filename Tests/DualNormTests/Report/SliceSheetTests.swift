import Foundation
import MedicalImaging
import Testing

@testable import DualNorm
@testable import Pictures

@Suite struct SliceSheetTests {
  /// A ramp of 8×8 pixels from left to right, with label 1 in columns and rows 2 to 5.
  static func row(first: [UInt8]? = nil, final: [UInt8]? = nil) -> SheetRow {
    let image = (0..<64).map { Float($0 % 8) }
    return SheetRow(
      title: "Site-A/Case01", width: 8, height: 8, channels: [image], reference: square(2...5), firstPass: first,
      finalPass: final)
  }

  static func square(_ range: ClosedRange<Int>, label: UInt8 = 1) -> [UInt8] {
    (0..<64).map { range ~= $0 % 8 && range ~= $0 / 8 ? label : 0 }
  }

  let organ = SIMD3<UInt8>(230, 159, 0)

  // Panels of 64 pixels start at x = 14, 86, 158, 230 and y = 14 + 11 + 8 + 11 = 44.
  let sheet = SliceSheet(
    rows: [row(first: square(3...6), final: square(2...5))], classNames: ["organ"], panelWidth: 64)

  @Test func outlinesAreWhereTheLabelsEnd() {
    let image = sheet.render()
    #expect(image.width == 2 * 14 + 4 * 64 + 3 * 8)
    let truth = (x: 86, y: 44)
    for inside in [16, 17, 46, 47] {
      #expect(image[truth.x + inside, truth.y + 30] == organ)
      #expect(image[truth.x + 30, truth.y + inside] == organ)
    }
    for (x, y) in [(15, 30), (18, 30), (45, 30), (48, 30), (30, 15), (30, 18), (30, 45), (30, 48)] {
      let color = image[truth.x + x, truth.y + y]
      #expect(color.x == color.y && color.y == color.z, "\(x), \(y)")
    }
    // Nothing is drawn on the image's own panel.
    let plain = image[14 + 16, 44 + 30]
    #expect(plain.x == plain.z)
  }

  @Test func theTruthShowsOnlyWhereAPassDiffers() {
    let image = sheet.render()
    let (white, black) = (SIMD3<UInt8>(255, 255, 255), SIMD3<UInt8>(0, 0, 0))
    let edge = (0..<32).map { image[158 + 16, 44 + 16 + $0] }  // the truth's left edge
    #expect(edge.count { $0 == white } == 16 && edge.count { $0 == black } == 16)
    #expect(image[158 + 24, 44 + 40] == organ)  // the first pass's left edge
    for offset in 16..<48 { #expect(image[230 + 16, 44 + offset] == organ) }
  }

  @Test func theImageIsWindowedAndSmooth() {
    let image = sheet.render()
    #expect(image[14, 44] == SIMD3(0, 0, 0))
    #expect(image[14 + 63, 44] == SIMD3(255, 255, 255))
    let greys = (0..<64).map { image[14 + $0, 50].x }
    #expect(greys == greys.sorted() && Set(greys).count > 40)
  }

  @Test func columnsWithoutLabelsAreLeftOut() {
    let narrow = SliceSheet(rows: [SliceSheetTests.row()], classNames: ["organ"], panelWidth: 64).render()
    #expect(narrow.width == 2 * 14 + 2 * 64 + 8)
    let empty = SliceSheet(rows: [], classNames: ["organ"], panelWidth: 64).render()
    #expect(empty.width == 2 * 14 + 64)
  }

  @Test func adjacentClassesKeepTheirColours() {
    var row = SliceSheetTests.row()
    row.reference = (0..<64).map { $0 % 8 < 4 ? 1 : 2 }
    let image = SliceSheet(rows: [row], classNames: ["a", "b"], panelWidth: 64).render()
    #expect(image[86 + 31, 44 + 20] == organ)
    #expect(image[86 + 32, 44 + 20] == SIMD3(86, 180, 233))
    #expect(image[86, 44 + 20] == organ)  // a class also ends at the picture's edge
  }

  @Test func tallPixelsMakeTallPanels() {
    var row = SliceSheetTests.row()
    let square = SliceSheet(rows: [row], classNames: ["organ"], panelWidth: 64).render()
    row.pixelAspect = 2
    let tall = SliceSheet(rows: [row], classNames: ["organ"], panelWidth: 64).render()
    #expect(tall.height == square.height + 64 && tall.width == square.width)
    #expect(tall[86 + 30, 44 + 32] == organ)  // row 2 begins at 2 · 16
    #expect(tall[86 + 30, 44 + 31] != organ)
  }

  @Test func wideSlicesAreNotReduced() {
    let row = SheetRow(title: "", width: 100, height: 2, channels: [Array(repeating: 0, count: 200)])
    #expect(SliceSheet(rows: [row], classNames: [], panelWidth: 64).render().width == 2 * 14 + 100)
  }

  @Test func notANumberAndConstantImagesAreDrawnBlack() {
    func window(_ values: [Float]) -> SliceWindow {
      SliceWindow(of: [SheetRow(title: "", width: values.count, height: 1, channels: [values])])
    }
    #expect((window([.nan, .infinity]).low, window([.nan, .infinity]).high) == (0, 0))
    let ramp = window((0...100).reversed().map(Float.init))
    #expect((ramp.low, ramp.high) == (1, 99))
    for value in [Float.nan, 7] {
      let row = SheetRow(title: "", width: 2, height: 2, channels: [Array(repeating: value, count: 4)])
      let image = SliceSheet(rows: [row], classNames: [], panelWidth: 64).render()
      #expect(image[14 + 30, 44 + 30] == SIMD3(0, 0, 0))
    }
  }

  /// A picture of orange pixels and a white one. All channels share one window from 0, so that orange stays orange.
  @Test func colourPicturesAreDrawnInTheirColours() throws {
    let colours: [[Float]] = [[100, 100, 100, 200], [50, 50, 50, 200], [0, 0, 0, 200]]
    let row = SheetRow(title: "", width: 4, height: 1, channels: colours)
    let image = SliceSheet(rows: [row], classNames: [], panelWidth: 64).render()
    #expect(image[14 + 4, 44 + 4] == SIMD3(128, 64, 0))
    #expect(image[14 + 60, 44 + 4] == SIMD3(255, 255, 255))
    let window = SliceWindow(of: [row])
    #expect((window.low, window.high) == (0, 200))
    let page = try Picture.slice(colours, width: 4, height: 1, window: window)
    let data = try #require(Data(base64Encoded: String(page.dropFirst("data:image/png;base64,".count))))
    let folder = try DataFolder()
    let file = folder.url.appendingPathComponent("page.png")
    try data.write(to: file)
    let channels = try Image.channels(contentsOf: file)
    #expect(channels.map { $0.voxels[0] } == [128, 64, 0])
  }

  @Test func whatAdaptedStatisticsGiveHasItsOwnColumn() {
    var row = SliceSheetTests.row(first: SliceSheetTests.square(2...5), final: SliceSheetTests.square(2...5))
    row.adaptedPass = SliceSheetTests.square(3...6)
    let image = SliceSheet(rows: [row], classNames: ["organ"], panelWidth: 64).render()
    #expect(image.width == 2 * 14 + 5 * 64 + 4 * 8)
    #expect(image[302 + 24, 44 + 40] == organ)  // the adapted pass's left edge
  }

  /// Without another title the column is the first pass's.
  @Test(arguments: [nil, "only pass"]) func theFirstColumnOfPassesHasItsTitle(title: String?) {
    let rows = [SliceSheetTests.row(first: SliceSheetTests.square(3...6))]
    let sheet =
      title.map { SliceSheet(rows: rows, classNames: ["organ"], firstTitle: $0, panelWidth: 64) }
      ?? SliceSheet(rows: rows, classNames: ["organ"], panelWidth: 64)
    let image = sheet.render()
    var expected = RGBImage(width: image.width, height: image.height, fill: SheetPalette.paper)
    expected.draw(title ?? "first pass", x: 158, y: 14, scale: 1, SheetPalette.faintInk)
    for x in 158..<222 {
      for y in 14..<22 { #expect(image[x, y] == expected[x, y], "\(x), \(y)") }
    }
  }

  @Test func longTitlesEndBeforeTheNotes() {
    var rows = sheet.rows
    rows[0].title = String(repeating: "M", count: 22)  // 22 characters of 6 pixels fit 136
    let fitting = SliceSheet(rows: rows, classNames: ["organ"], panelWidth: 64).render()
    rows[0].title += "MMMM"
    #expect(SliceSheet(rows: rows, classNames: ["organ"], panelWidth: 64).render() == fitting)
    #expect(sheet.render() == sheet.render() && sheet.render() != fitting)
  }
}
