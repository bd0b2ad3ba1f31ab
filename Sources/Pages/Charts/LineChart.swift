import Basics

/// Lines over the iterations of a training, as an SVG picture with a legend below.
struct LineChart {
  struct Line {
    let name: String
    /// The gapless parts of the line.
    let parts: [[(x: Double, y: Double)]]
    /// The index of one of the page's colours.
    let color: Int
    /// Tells whether the line is thin, pale and absent from the legend: the raw data of a smoothed line.
    var isFaint = false
    /// Tells whether the points are marked, because there are few.
    var hasMarks = false
  }

  let title: String
  let yTitle: String
  let lines: [Line]
  /// The starts of named parts, drawn as dividers.
  var dividers: [(x: Double, name: String)] = []
  /// The range of the iterations.
  let xRange: ClosedRange<Double>
  /// The range of the y axis; nil to follow the values.
  var yRange: ClosedRange<Double>?

  private static let width = 440.0
  private static let height = 260.0
  private static let plot = (left: 64.0, right: 428.0, top: 16.0, bottom: 214.0)

  /// nil if no line has a point.
  var html: Markup? {
    let points = lines.flatMap { $0.parts.joined() }
    guard let first = points.first else { return nil }
    let ys = points.reduce(first.y...first.y) { min($0.lowerBound, $1.y)...max($0.upperBound, $1.y) }
    let plot = Self.plot
    let x = ChartScale(xRange, from: plot.left, to: plot.right, count: 5, keepsRange: true)
    let y = ChartScale(yRange ?? ys, from: plot.bottom, to: plot.top, keepsRange: yRange != nil)
    let named = lines.filter { !$0.isFaint }
    let legend = named.map { "<li><span class=\"swatch c\($0.color % 7)\"></span>\($0.name)</li>" as Markup }
    return """
      <figure class="chart">
      <svg viewBox="0 0 \(position(Self.width)) \(position(Self.height))" role="img" aria-label="\(alternative(named))">
      \(axes(x, y))\(dividers.map { divider($0, x) })\(lines.map { drawn($0, x, y) })</svg>
      <figcaption>\(title)</figcaption>
      <ul class="legend">\(legend)</ul>
      </figure>

      """
  }

  /// The chart in words: the last value of each line.
  private func alternative(_ named: [Line]) -> String {
    let ends = named.compactMap { line in
      line.parts.last?.last.map { "\(line.name) ends at \(short($0.y))" }
    }
    return
      "\(title), iterations \(short(xRange.lowerBound)) to \(short(xRange.upperBound)): \(ends.joined(separator: ", "))."
  }

  private func axes(_ x: ChartScale, _ y: ChartScale) -> Markup {
    let plot = Self.plot
    let rows = y.ticks.map { tick -> Markup in
      let v = position(y.position(tick))
      return """
        <line class="grid" x1="\(position(plot.left))" y1="\(v)" x2="\(position(plot.right))" y2="\(v)"/>\
        <text class="tick" x="\(position(plot.left - 6))" y="\(v)" dy="4" text-anchor="end">\(y.text(tick))</text>

        """
    }
    let columns = x.ticks.map { tick -> Markup in
      """
      <text class="tick" x="\(position(x.position(tick)))" y="\(position(plot.bottom + 17))" \
      text-anchor="middle">\(x.text(tick))</text>

      """
    }
    return """
      \(rows)\(columns)<text class="axis" x="\(position((plot.left + plot.right) / 2))" \
      y="\(position(plot.bottom + 36))" text-anchor="middle">iteration</text>
      <text class="axis" transform="translate(12 \(position((plot.top + plot.bottom) / 2))) rotate(-90)" \
      text-anchor="middle">\(yTitle)</text>

      """
  }

  private func divider(_ divider: (x: Double, name: String), _ x: ChartScale) -> Markup {
    let u = x.position(divider.x)
    return """
      <line class="divider" x1="\(position(u))" y1="\(position(Self.plot.top))" x2="\(position(u))" \
      y2="\(position(Self.plot.bottom))"/><text class="tick" x="\(position(u + 4))" \
      y="\(position(Self.plot.top - 4))">\(divider.name)</text>

      """
  }

  private func drawn(_ line: Line, _ x: ChartScale, _ y: ChartScale) -> Markup {
    let places = line.parts.filter { !$0.isEmpty }.map { part in
      part.map {
        (
          u: position(x.position($0.x)),
          v: position(y.position(min(max($0.y, y.values.lowerBound), y.values.upperBound)))
        )
      }
    }
    guard !places.isEmpty else { return "" }
    let path = places.map { part in "M" + part.map { "\($0.u) \($0.v)" }.joined(separator: " ") }.joined()
    let marks =
      line.hasMarks ? places.joined().map { "<circle cx=\"\($0.u)\" cy=\"\($0.v)\" r=\"2.5\"/>" as Markup } : []
    return """
      <g class="line c\(line.color % 7)\(line.isFaint ? " faint" : "")"><path d="\(path)"/>\(marks)</g>

      """
  }
}
