import Basics
import Foundation

/// The mapping from values to positions along one side of a chart.
struct ChartScale {
  let values: ClosedRange<Double>
  /// Positions of the lowest and the highest value.
  let first, last: Double
  /// Round values, from low to high.
  let ticks: [Double]
  private let decimals: Int

  /// - Parameters:
  ///   - range: widened to the next ticks unless `keepsRange`.
  ///   - count: the approximate number of ticks.
  init(_ range: ClosedRange<Double>, from first: Double, to last: Double, count: Int = 5, keepsRange: Bool = false) {
    // Differences of larger numbers overflow.
    let given = range.clamped(to: -1e300...1e300)
    let size = max(abs(given.lowerBound), abs(given.upperBound))
    // Values equal up to rounding leave no room for ticks between them.
    let isPoint = given.upperBound - given.lowerBound <= max(1e-9 * size, 1e-300)
    let half = isPoint ? max(size * 0.1, 1e-6) : 0
    let range = (given.lowerBound - half)...(given.upperBound + half)
    let step = Self.roundStep((range.upperBound - range.lowerBound) / Double(max(count, 1)))
    let low = (range.lowerBound / step - (keepsRange ? 1e-9 : 0)).rounded(keepsRange ? .up : .down)
    let high = (range.upperBound / step + (keepsRange ? 1e-9 : 0)).rounded(keepsRange ? .down : .up)
    ticks = low <= high ? stride(from: low, through: high, by: 1).map { $0 * step } : []
    values = keepsRange ? range : (low * step)...(high * step)
    decimals = max(0, -Int(log10(step).rounded(.down)))
    (self.first, self.last) = (first, last)
  }

  func position(_ value: Double) -> Double {
    first + (last - first) * ((value - values.lowerBound) / (values.upperBound - values.lowerBound))
  }

  func text(_ tick: Double) -> String {
    if decimals > 4 || abs(tick) >= 1e6 { return tick == 0 ? "0" : String(format: "%.2g", tick) }
    return fixed(tick == 0 ? 0 : tick, decimals: decimals)
  }

  /// A line and a number at every tick, and the title of the axis below them.
  func axis(_ title: String, top: Double, bottom: Double) -> Markup {
    let ticks = ticks.map { tick -> Markup in
      let u = Pages.position(position(tick))
      return """
        <line class="grid" x1="\(u)" y1="\(Pages.position(top))" x2="\(u)" y2="\(Pages.position(bottom))"/>\
        <text class="tick" x="\(u)" y="\(Pages.position(bottom + 16))" text-anchor="middle">\(text(tick))</text>

        """
    }
    return """
      \(ticks)<text class="axis" x="\(Pages.position((first + last) / 2))" y="\(Pages.position(bottom + 35))" \
      text-anchor="middle">\(title)</text>

      """
  }

  /// The next larger of 1, 2 and 5 times a power of ten.
  private static func roundStep(_ step: Double) -> Double {
    let power = pow(10, log10(step).rounded(.down))
    let factor = [1.0, 2, 5].first { $0 * power >= step * (1 - 1e-9) } ?? 10
    return factor * power
  }
}

/// A position in an SVG, to a tenth of its unit.
func position(_ value: Double) -> String {
  let tenths = Int((value * 10).rounded())
  let (whole, rest) = (abs(tenths) / 10, abs(tenths) % 10)
  return (tenths < 0 ? "-" : "") + (rest == 0 ? "\(whole)" : "\(whole).\(rest)")
}
