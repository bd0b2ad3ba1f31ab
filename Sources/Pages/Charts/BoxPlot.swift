import Basics

/// Boxes of values, one a row, in groups: the sites, and in each the passes or methods.
///
/// A box spans the first to the third quartile with a line at the median. Whiskers reach the last values within 1.5 box
/// lengths. Every value is a dot, and the mean is a diamond.
struct BoxPlot {
  struct Row {
    let name: String
    /// The index of one of the page's colours.
    let color: Int
    /// Values, each with its name for the tooltip.
    let values: [(name: String, value: Double)]
    /// The number of undefined values, which no box can show.
    let undefinedCount: Int
    /// The name of the undefined values.
    var undefinedName = "undefined"
  }

  struct Group {
    let name: String
    let rows: [Row]
  }

  let title: String
  let xTitle: String
  let groups: [Group]
  let decimals: Int
  /// The range that the axis covers besides the values, so that charts can be compared.
  var range: ClosedRange<Double>?

  private static let rowHeight = 22.0
  private static let headHeight = 20.0

  /// nil if there is no value.
  var html: Markup? {
    let values = groups.flatMap { $0.rows.flatMap { $0.values.map(\.value) } }.filter(\.isFinite)
    guard let low = values.min(), let high = values.max() else { return nil }
    let scale = ChartScale(
      min(low, range?.lowerBound ?? low)...max(high, range?.upperBound ?? high), from: RowChart.left, to: RowChart.right
    )
    let rowCount = groups.reduce(0) { $0 + $1.rows.count }
    let bottom = 6 + Double(groups.count) * Self.headHeight + Double(rowCount) * Self.rowHeight
    var y = 6.0
    var drawn: [Markup] = []
    for group in groups {
      drawn.append("<text class=\"group\" x=\"4\" y=\"\(position(y + 14))\">\(group.name)</text>\n")
      y += Self.headHeight
      for row in group.rows {
        drawn.append(box(row, middle: y + Self.rowHeight / 2, scale))
        y += Self.rowHeight
      }
    }
    return RowChart.figure(title, scale, xTitle, alternative: alternative, bottom: bottom, drawn)
  }

  /// The boxes in words.
  private var alternative: String {
    let rows = groups.flatMap { group in
      group.rows.compactMap { row -> String? in
        let sorted = row.values.map(\.value).sorted()
        guard !sorted.isEmpty else { return nil }
        let numbers = [0.0, 25, 50, 75, 100].map { fixed(percentile($0, ofSorted: sorted), decimals: decimals) }
        return "\(group.name) \(row.name): median \(numbers[2]), quartiles \(numbers[1]) and \(numbers[3]), "
          + "from \(numbers[0]) to \(numbers[4]), n = \(sorted.count)"
      }
    }
    return "\(title). \(rows.joined(separator: "; "))."
  }

  private func box(_ row: Row, middle: Double, _ scale: ChartScale) -> Markup {
    let finite = row.values.filter(\.value.isFinite)
    let missing: Markup? = row.undefinedCount == 0 ? nil : " <tspan class=\"few\">(−\(row.undefinedCount))</tspan>"
    let label: Markup = """
      <text class="tick" x="\(position(RowChart.left - 8))" y="\(position(middle + 4))" \
      text-anchor="end">\(row.name.shortened(to: 15))\(missing)<title>\(row.name), \(counted(row.values.count, "value")), \
      \(row.undefinedCount) \(row.undefinedName)</title></text>

      """
    guard let shape = Shape(finite.map(\.value)) else { return label }
    func at(_ value: Double) -> String { position(scale.position(value)) }
    let dots = finite.enumerated().map { index, entry -> Markup in
      // Offset dots vertically against overlap, in an order without a visible pattern.
      let v = middle + Double((index * 3) % 7 - 3) * 2
      return """
        <circle class="dot" cx="\(at(entry.value))" cy="\(position(v))" r="2"><title>\(entry.name): \
        \(fixed(entry.value, decimals: decimals))</title></circle>
        """
    }
    let (top, low, centre) = (position(middle - 7), position(middle + 7), position(middle))
    let (left, right) = (at(shape.quartiles.lowerBound), at(shape.quartiles.upperBound))
    let (start, end) = (at(shape.whiskers.lowerBound), at(shape.whiskers.upperBound))
    let whiskers = "M\(start) \(centre)H\(left)M\(right) \(centre)H\(end)"
    let body = "M\(left) \(top)H\(right)V\(low)H\(left)Z"
    let median = "M\(at(shape.median)) \(top)V\(low)"
    let mean = "M\(position(scale.position(shape.mean) - 4)) \(centre)l4 -4 4 4 -4 4z"
    return """
      \(label)<g class="box c\(row.color % 7)"><path class="whisker" d="\(whiskers)"/><path class="body" d="\(body)"/>\
      \(dots)<path class="median" d="\(median)"/><path class="mean" d="\(mean)"/></g>

      """
  }

  /// The numbers of a box.
  struct Shape {
    let median, mean: Double
    let quartiles, whiskers: ClosedRange<Double>

    /// Computes the numbers from finite values; nil if there are none.
    init?(_ values: [Double]) {
      let sorted = values.sorted()
      guard !sorted.isEmpty else { return nil }
      median = percentile(50, ofSorted: sorted)
      mean = sorted.reduce(0, +) / Double(sorted.count)
      let (low, high) = (percentile(25, ofSorted: sorted), percentile(75, ofSorted: sorted))
      let reach = 1.5 * (high - low)
      let inside = sorted.filter { ((low - reach)...(high + reach)).contains($0) }
      quartiles = low...high
      whiskers = min(inside.first ?? low, low)...max(inside.last ?? high, high)
    }
  }
}

extension String {
  /// Shortens a longer text with an ellipsis in its middle.
  func shortened(to length: Int) -> String {
    guard count > length else { return self }
    let kept = length * 2 / 3
    return "\(prefix(kept))…\(suffix(length - kept - 1))"
  }
}
