import Foundation
import Testing

@testable import DualNorm
@testable import Pages

@Suite struct ChartTests {
  @Test func ticksAreRound() {
    let scale = ChartScale(0.63...0.94, from: 0, to: 100)
    #expect(scale.ticks.map(scale.text) == ["0.6", "0.7", "0.8", "0.9", "1.0"])
    #expect(abs(scale.position(0.6)) < 1e-9 && abs(scale.position(1) - 100) < 1e-9)
    let kept = ChartScale(1...320, from: 10, to: 20, keepsRange: true)
    #expect(kept.ticks.map(kept.text) == ["100", "200", "300"])
    #expect(kept.position(1) == 10 && kept.position(320) == 20)
    #expect(ChartScale(3...3, from: 0, to: 1).ticks.count > 1)
    #expect([-0.04, 12.34, 7].map(position) == ["0", "12.3", "7"])
  }

  /// Bounds that are adjacent numbers, and bounds whose difference overflows.
  @Test(arguments: [
    1e15...1_000_000_000_000_000.1, 0.1...0.10000000000000002, -1e308...1e308, 0...Double.leastNonzeroMagnitude,
    1e308...1.7e308, -3e-300...2,
  ])
  func anyRangeHasPositions(range: ClosedRange<Double>) {
    for keeps in [true, false] {
      let scale = ChartScale(range, from: 10, to: 20, keepsRange: keeps)
      #expect(scale.ticks.count < 20 && (keeps || scale.ticks.count > 1))
      for value in [range.lowerBound, range.upperBound] { #expect(abs(scale.position(value)) < 1e12) }
      #expect(scale.ticks.map(scale.text).allSatisfy { !$0.isEmpty })
    }
  }

  /// A log without its beginning is drawn within the chart.
  @Test func curvesOfALogWithoutItsBeginning() throws {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("log-\(UUID().uuidString).csv")
    defer { try? FileManager.default.removeItem(at: file) }
    let header = "stage,iteration,learning_rate,loss_first,loss_final,hard_dice_loss,validation_dice\n"
    try Data((header + "plain,101,0.1,2,,0.5,\nplain,102,0.1,1,,0.5,\ndual,1,0.1,1,1,0.5,\n").utf8).write(to: file)
    let text = TrainingCurves(try TrainingHistory(contentsOf: file)).html.text
    #expect(text.contains("iterations 1 to 103"))
    for path in text.matches(of: /d="M([^"]*)"/).map(\.1) {
      let numbers = path.split(whereSeparator: { " M".contains($0) }).compactMap { Double($0) }
      #expect(numbers.allSatisfy { (0...440).contains($0) }, "\(path)")
    }
  }

  /// Every point is drawn, in the given parts.
  @Test func linesHaveAllTheirPoints() throws {
    let parts = [[(1.0, 0.0), (2.0, 1.0)], [(3.0, 0.5)]].map { $0.map { (x: $0.0, y: $0.1) } }
    let chart = LineChart(
      title: "Loss <of> it", yTitle: "loss", lines: [LineChart.Line(name: "a&b", parts: parts, color: 8)],
      dividers: [(3, "dual")], xRange: 1...3)
    let text = try #require(chart.html?.text)
    #expect(text.contains("<g class=\"line c1\"><path d=\"M64 214 246 16M428 115\"/></g>"))
    #expect(text.contains("aria-label=\"Loss &lt;of&gt; it, iterations 1 to 3: a&amp;b ends at 0.5.\""))
    #expect(LineChart(title: "", yTitle: "", lines: [], xRange: 0...1).html == nil)
  }

  /// Quartiles equal numpy's; 30 is beyond 1.5 box lengths.
  @Test func boxesHaveTheirNumbers() throws {
    let shape = try #require(BoxPlot.Shape([30, 1, 2, 3, 4, 5, 6, 7]))
    #expect(shape.quartiles == 2.75...6.25 && shape.median == 4.5 && shape.whiskers == 1...7 && shape.mean == 7.25)
    #expect(BoxPlot.Shape([]) == nil)
    let one = try #require(BoxPlot.Shape([4]))
    #expect(one.quartiles == 4...4 && one.whiskers == 4...4)
  }

  @Test func casesWithoutAValueAreCounted() throws {
    let row = BoxPlot.Row(name: "final", color: 0, values: [("a", 1), ("b", 3)], undefinedCount: 2)
    let plot = BoxPlot(
      title: "ASSD", xTitle: "mm", groups: [BoxPlot.Group(name: "Site-A", rows: [row])], decimals: 1)
    let text = try #require(plot.html?.text)
    #expect(text.contains("(−2)") && text.contains("<title>b: 3.0</title>"))
    #expect(text.contains("Site-A final: median 2.0, quartiles 1.5 and 2.5, from 1.0 to 3.0, n = 2"))
    let none = BoxPlot.Row(name: "final", color: 0, values: [], undefinedCount: 2)
    #expect(BoxPlot(title: "", xTitle: "", groups: [BoxPlot.Group(name: "A", rows: [none])], decimals: 1).html == nil)
  }

  @Test func longNamesAreShortened() {
    #expect("bn+dual+measured+reference".shortened(to: 15) == "bn+dual+me…ence")
    #expect("short".shortened(to: 5) == "short")
  }
}
