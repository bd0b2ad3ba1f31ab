/// The frame of a chart with names on the left and values along its rows.
enum RowChart {
  /// The horizontal positions where the values begin and end.
  static let left = 108.0
  static let right = 426.0
  private static let width = 440.0

  /// - Parameters:
  ///   - alternative: the chart in words.
  ///   - bottom: the lower end of the lowest row; the axis is below it.
  ///   - drawn: the rows.
  static func figure(
    _ title: String, _ scale: ChartScale, _ xTitle: String, alternative: String, bottom: Double, _ drawn: [Markup]
  ) -> Markup {
    """
    <figure class="chart">
    <svg viewBox="0 0 \(position(width)) \(position(bottom + 42))" role="img" aria-label="\(alternative)">
    \(scale.axis(xTitle, top: 4, bottom: bottom))\(drawn)</svg>
    <figcaption>\(title)</figcaption>
    </figure>

    """
  }
}
