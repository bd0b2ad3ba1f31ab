/// Histograms, one a row, such as a site, on one scale so that rows can be compared.
///
/// A step's height is the square root of its share, relative to the row's greatest. So a large background leaves the
/// rest visible. Single values are dots below.
struct HistogramChart {
  struct Row {
    let name: String
    /// The index of one of the page's colours.
    let color: Int
    /// The range that all steps cover together.
    let range: ClosedRange<Double>
    /// The share of each of the equal steps.
    let shares: [Double]
    /// Single values, each with its tooltip.
    let dots: [(title: String, value: Double)]
    /// The row in words.
    let alternative: String
  }

  let title: String
  let xTitle: String
  let rows: [Row]

  private static let top = 6.0
  private static let stepHeight = 30.0
  private static let rowHeight = 50.0

  /// nil if there is no row.
  var html: Markup? {
    let values = rows.flatMap { [$0.range.lowerBound, $0.range.upperBound] + $0.dots.map(\.value) }
    guard let low = values.min(), let high = values.max() else { return nil }
    let scale = ChartScale(low...high, from: RowChart.left, to: RowChart.right, keepsRange: true)
    let bottom = Self.top + Double(rows.count) * Self.rowHeight
    let alternative = "\(title). \(rows.map(\.alternative).joined(separator: "; "))."
    let drawn = rows.enumerated().map { index, row in
      histogram(row, base: Self.top + Double(index) * Self.rowHeight + Self.stepHeight + 4, scale)
    }
    return RowChart.figure(title, scale, xTitle, alternative: alternative, bottom: bottom, drawn)
  }

  private func histogram(_ row: Row, base: Double, _ scale: ChartScale) -> Markup {
    // Offset dots vertically against overlap, in an order without a visible pattern.
    let dots = row.dots.enumerated().map { index, dot -> Markup in
      let v = base + 7 + Double((index * 3) % 5 - 2) * 1.5
      return """
        <circle class="dot" cx="\(position(scale.position(dot.value)))" cy="\(position(v))" r="2"><title>\(dot.title)\
        </title></circle>
        """
    }
    return """
      <text class="tick" x="\(position(RowChart.left - 8))" y="\(position(base - 8))" \
      text-anchor="end">\(row.name.shortened(to: 15))<title>\(row.alternative)</title></text>
      <g class="histogram c\(row.color % 7)"><path d="\(outline(row, base: base, scale))"/>\(dots)</g>

      """
  }

  /// The path along the tops of the steps, closed along the base; for a single value a bar one unit wide.
  private func outline(_ row: Row, base: Double, _ scale: ChartScale) -> String {
    let (start, end) = (scale.position(row.range.lowerBound), scale.position(row.range.upperBound))
    let (first, length) = end - start < 1 ? ((start + end) / 2 - 0.5, 1) : (start, end - start)
    let most = row.shares.max() ?? 0
    var path = "M\(position(first)) \(position(base))"
    for (index, share) in row.shares.enumerated() {
      let height = most > 0 ? Self.stepHeight * (share / most).squareRoot() : 0
      let edge = first + length * Double(index + 1) / Double(row.shares.count)
      path += "V\(position(base - height))H\(position(edge))"
    }
    return path + "V\(position(base))Z"
  }
}
