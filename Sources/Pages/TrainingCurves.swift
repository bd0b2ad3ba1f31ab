import DualNorm
import Foundation

/// The curves of a training's log: losses, learning rate and validation Dice over all iterations of all stages.
struct TrainingCurves {
  private let history: TrainingHistory
  private let titles: PassTitles
  /// The iterations before each stage.
  private let offsets: [Stage: Int]

  /// - Parameter passes: the passes of the network.
  init(_ history: TrainingHistory, of passes: [Pass] = Pass.allCases) {
    (self.history, titles) = (history, PassTitles(passes))
    var offsets: [Stage: Int] = [:]
    var sum = 0
    for (stage, iterations) in history.stages {
      offsets[stage] = sum
      sum += iterations
    }
    self.offsets = offsets
  }

  var html: Markup {
    let charts = [losses, validation, rate].compactMap(\.html)
    guard !charts.isEmpty else { return paragraph("The log has no iteration yet.") }
    return """
      <div class="charts">\(charts)</div>
      <p class="about">The pale lines of the loss are every iteration, the others their moving mean over \
      \(window) iterations. Validation is on whole volumes of the validation cases, with the averaged weights where \
      training averages them.</p>

      """
  }

  /// The range up to the last iteration; a log may have lost its beginning.
  private var xRange: ClosedRange<Double> {
    1...Double(max(2, history.stages.map { offsets[$0.stage]! + $0.iterations }.max() ?? 0))
  }

  private var dividers: [(x: Double, name: String)] {
    history.stages.map { (x: Double(offsets[$0.stage]!) + 1, name: "\($0.stage.rawValue) stage") }
  }

  /// One part a stage, with a point for each defined `value`.
  private func parts(_ value: (TrainingHistory.Row) -> Double?) -> [[(x: Double, y: Double)]] {
    history.stages.map { stage, _ in
      history.rows.filter { $0.stage == stage }.compactMap { row in
        value(row).flatMap { $0.isFinite ? (x: Double(offsets[stage]! + row.iteration), y: $0) : nil }
      }
    }
  }

  private var losses: LineChart {
    let lines = Pass.allCases.enumerated().flatMap { color, pass -> [LineChart.Line] in
      let raw = parts { $0.losses[pass] }
      guard raw.contains(where: { !$0.isEmpty }) else { return [] }
      let smooth = raw.map { smoothed($0) }
      let name = titles.heading(of: pass)
      return [
        LineChart.Line(name: name, parts: raw, color: color, isFaint: true),
        LineChart.Line(name: name, parts: smooth, color: color),
      ]
    }
    return LineChart(
      title: "Loss of \(titles.hasOnePass ? "the \(PassTitles.only)" : "each") pass", yTitle: "loss", lines: lines,
      dividers: dividers,
      xRange: xRange)
  }

  private var rate: LineChart {
    LineChart(
      title: "Learning rate", yTitle: "learning rate",
      lines: [LineChart.Line(name: "learning rate", parts: parts { $0.learningRate }, color: 2)],
      dividers: dividers, xRange: xRange)
  }

  private var validation: LineChart {
    var lines = history.sites.enumerated().map { index, site in
      LineChart.Line(name: site, parts: parts { $0.validationDice[site] }, color: index, hasMarks: true)
    }
    if lines.count > 1 {
      lines.append(
        LineChart.Line(name: "mean of sites", parts: parts { $0.meanValidationDice }, color: 6, hasMarks: true))
    }
    return LineChart(
      title: "Dice of the \(titles.hasOnePass ? PassTitles.only : "last") pass on the validation cases", yTitle: "Dice",
      lines: lines, dividers: dividers, xRange: xRange, yRange: 0...1)
  }

  /// The width of the moving mean.
  private var window: Int { max(1, history.rows.count / 50) }

  /// Moving means over `window` points, thinned to about the resolution of the eye.
  private func smoothed(_ points: [(x: Double, y: Double)]) -> [(x: Double, y: Double)] {
    let window = min(window, max(points.count, 1))
    var sums = [0.0]
    for point in points { sums.append(sums.last! + point.y) }
    let every = max(1, points.count / 250)
    let ends = stride(from: window, through: points.count, by: every)
    var result = ends.map { end in
      (x: points[end - 1 - (window - 1) / 2].x, y: (sums[end] - sums[end - window]) / Double(window))
    }
    if let last = points.last, let end = result.last, end.x < last.x, window == 1 { result.append(last) }
    return result
  }
}
