/// The layout of a `SliceSheet`, in canvas pixels.
struct SheetLayout {
  static let margin = 14
  static let gap = 8
  static let rowGap = 14
  /// The length of a legend line.
  static let swatch = 24

  struct LegendEntry {
    let text: String
    /// The line's colour; nil for the dashed line of the truth.
    let color: SIMD3<UInt8>?
    let x, y: Int
  }

  let columns: [SliceSheet.Column]
  let textScale: Int
  let width, height: Int
  private(set) var legend: [LegendEntry] = []
  private let columnWidth: Int
  private let rowTops: [Int]

  /// The height of a line of text with the space below it.
  var lineHeight: Int { SheetLayout.lineHeight(textScale) }

  init(_ sheet: SliceSheet) {
    columns = SliceSheet.Column.allCases.filter { column in
      column == .image || sheet.rows.contains { column.labels(of: $0) != nil }
    }
    let textScale = sheet.panelWidth >= 192 ? 2 : 1
    self.textScale = textScale
    let lineHeight = SheetLayout.lineHeight(textScale)
    columnWidth = sheet.rows.map { $0.width * sheet.scale(of: $0) }.max() ?? sheet.panelWidth
    width = 2 * SheetLayout.margin + columns.count * (columnWidth + SheetLayout.gap) - SheetLayout.gap
    var top = SheetLayout.margin + lineHeight + SheetLayout.gap
    var tops: [Int] = []
    for row in sheet.rows {
      tops.append(top + lineHeight)
      top += lineHeight + SheetPanel.height(of: row, scale: sheet.scale(of: row)) + SheetLayout.rowGap
    }
    rowTops = tops
    var x = SheetLayout.margin
    var y = top
    for (text, color) in SheetLayout.legendTexts(of: sheet, columns) {
      let length = SheetLayout.swatch + 8 + text.count * SheetFont.advance * textScale
      if x > SheetLayout.margin, x + length > width - SheetLayout.margin {
        (x, y) = (SheetLayout.margin, y + lineHeight)
      }
      legend.append(LegendEntry(text: text, color: color, x: x, y: y))
      x += length + 3 * SheetLayout.gap
    }
    height = (legend.isEmpty ? top : y + lineHeight) + SheetLayout.margin / 2
  }

  /// The top left corner of a panel.
  func origin(row: Int, column: Int) -> (x: Int, y: Int) { (left(ofColumn: column), rowTops[row]) }

  func left(ofColumn column: Int) -> Int { SheetLayout.margin + column * (columnWidth + SheetLayout.gap) }

  /// The number of characters that fit above a panel. A title may extend over the truth, which has no note.
  func noteLength(of column: SliceSheet.Column) -> Int {
    let panels = column == .image && columns.contains(.truth) ? 2 : 1
    return (panels * (columnWidth + SheetLayout.gap) - SheetLayout.gap) / (SheetFont.advance * textScale)
  }

  private static func lineHeight(_ textScale: Int) -> Int { (SheetFont.height + 3) * textScale }

  private static func legendTexts(of sheet: SliceSheet, _ columns: [SliceSheet.Column]) -> [(String, SIMD3<UInt8>?)] {
    guard columns.count > 1 else { return [] }
    var texts: [(String, SIMD3<UInt8>?)] = sheet.classNames.enumerated().map {
      ($1, SheetPalette.color(ofClass: $0 + 1))
    }
    if columns.contains(.truth), columns.count > 2 {
      texts.append(("truth, where a pass differs", nil))
    }
    return texts
  }
}
