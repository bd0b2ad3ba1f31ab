package import MedicalImaging

/// A picture of slices with outlines, one row a case.
///
/// The columns are image, truth, first or only pass, final pass, and the last pass with adapted batch statistics.
/// Columns that no row has are left out. Each class has its outline colour. In the passes a dashed black and white
/// outline of the truth lies beneath the prediction, so it shows only where they differ.
package struct SliceSheet: Sendable {
  var rows: [SheetRow]
  /// Names of labels 1, 2 and so on for the legend.
  var classNames: [String]
  /// The width limit of a panel: slices are enlarged by the largest whole factor within it, and never reduced.
  var panelWidth: Int
  /// The title over the first pass; a network may have no other.
  var firstTitle: String

  package init(
    rows: [SheetRow], classNames: [String], firstTitle: String = Column.firstPass.rawValue, panelWidth: Int = 256
  ) {
    self.rows = rows
    self.classNames = classNames
    self.firstTitle = firstTitle
    self.panelWidth = panelWidth
  }

  /// Renders the sheet; equal rows give equal pixels.
  package func render() -> RGBImage {
    let layout = SheetLayout(self)
    var canvas = RGBImage(width: layout.width, height: layout.height, fill: SheetPalette.paper)
    drawHeader(on: &canvas, layout)
    for (index, row) in rows.enumerated() {
      for (position, column) in layout.columns.enumerated() {
        draw(row, column, at: layout.origin(row: index, column: position), on: &canvas, layout)
      }
    }
    drawLegend(on: &canvas, layout)
    return canvas
  }

  enum Column: String, CaseIterable {
    case image, truth
    case firstPass = "first pass"
    case finalPass = "final pass"
    case adaptedPass = "adapted"

    func labels(of row: SheetRow) -> [UInt8]? {
      switch self {
      case .image: nil
      case .truth: row.reference
      case .firstPass: row.firstPass
      case .finalPass: row.finalPass
      case .adaptedPass: row.adaptedPass
      }
    }

    func note(of row: SheetRow) -> String {
      switch self {
      case .image: row.title
      case .truth: ""
      case .firstPass: row.firstNote
      case .finalPass: row.finalNote
      case .adaptedPass: row.adaptedNote
      }
    }
  }

  func scale(of row: SheetRow) -> Int { max(1, panelWidth / row.width) }

  private func drawHeader(on canvas: inout RGBImage, _ layout: SheetLayout) {
    for (position, column) in layout.columns.enumerated() {
      let x = layout.left(ofColumn: position)
      let title = column == .firstPass ? firstTitle : column.rawValue
      canvas.draw(title, x: x, y: SheetLayout.margin, scale: layout.textScale, SheetPalette.faintInk)
    }
  }

  private func draw(
    _ row: SheetRow, _ column: Column, at origin: (x: Int, y: Int), on canvas: inout RGBImage, _ layout: SheetLayout
  ) {
    let note = String(column.note(of: row).prefix(layout.noteLength(of: column)))
    canvas.draw(note, x: origin.x, y: origin.y - layout.lineHeight, scale: layout.textScale, SheetPalette.ink)
    let labels = column.labels(of: row)
    if column != .image && labels == nil { return }
    let panel = SheetPanel(row: row, x: origin.x, y: origin.y, scale: scale(of: row))
    panel.drawImage(on: &canvas)
    if column != .truth, column != .image, let reference = row.reference {
      panel.drawDashedOutlines(of: reference, on: &canvas)
    }
    if let labels { panel.drawOutlines(of: labels, on: &canvas) }
  }

  private func drawLegend(on canvas: inout RGBImage, _ layout: SheetLayout) {
    for entry in layout.legend {
      let middle = entry.y + (SheetFont.height - 2) * layout.textScale / 2
      for u in 0..<SheetLayout.swatch {
        for v in 0..<3 { canvas[entry.x + u, middle + v] = entry.color ?? SheetPanel.dash(u, 0, thickness: 2) }
      }
      canvas.draw(
        entry.text, x: entry.x + SheetLayout.swatch + 8, y: entry.y, scale: layout.textScale, SheetPalette.ink)
    }
  }
}
