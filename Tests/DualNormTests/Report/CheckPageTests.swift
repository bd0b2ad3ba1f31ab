import Foundation
import MedicalImaging
import Testing

@testable import Datasets
@testable import Pages

@Suite struct CheckPageTests {
  private func row(_ range: ClosedRange<Double>, _ shares: [Double]) -> HistogramChart.Row {
    HistogramChart.Row(
      name: "A&B", color: 8, range: range, shares: shares, dots: [(title: "<c>: 5", value: 5)],
      alternative: "A&B: median 5")
  }

  /// Heights are square roots of shares, so a quarter of the largest share is half as high.
  @Test func histogramsAreOnOneScale() throws {
    let chart = HistogramChart(
      title: "Intensities", xTitle: "intensity",
      rows: [row(0...10, [0.2, 0.8]), row(5...5, [1, 0]), row(0...100, [0, 1])])
    let text = try #require(chart.html?.text)
    #expect(text.contains("<path d=\"M108 40V25H123.9V10H139.8V40Z\"/>"))
    #expect(text.contains("<path d=\"M123.4 90V60H123.9V90H124.4V90Z\"/>"))  // a single value is a thin bar
    #expect(text.contains("<path d=\"M108 140V140H267V110H426V140Z\"/>"))
    #expect(text.contains("aria-label=\"Intensities. A&amp;B: median 5; A&amp;B: median 5; A&amp;B: median 5.\""))
    #expect(text.contains("cx=\"123.9\"") && text.contains("<title>&lt;c&gt;: 5</title>"))
    #expect(HistogramChart(title: "", xTitle: "", rows: []).html == nil)
  }

  @Test func manyFindingsAndCasesAreFolded() {
    let cases = (0..<7).map { "A/c\($0)" }
    let findings =
      (0..<30).map { DataCheck.Finding(.warning, .duplicate, "number \($0)", cases: ["A/c\($0)"]) }
      + [.init(.note, .orientation, "all", cases: cases), .init(.note, .rounding, "none")]
    let text = FindingList(findings: findings).html.text
    #expect(text.contains("<h3>30 Warnings</h3>") && text.contains("<h3>2 Notes</h3>") && !text.contains("Error"))
    #expect(text.contains("<summary>Likewise 29 more</summary>"))
    #expect(text.contains("A/c0, A/c1, A/c2, A/c3, A/c4 and 2 more</p>"))
    #expect(text.contains("<summary>All 7 cases</summary>") && text.contains("A/c5 and A/c6</p>"))
    #expect(text.contains("<b>rounding</b> · the whole data set</p>"))
    #expect(FindingList(findings: []).html.text == "<p>Nothing is odd.</p>\n")
  }

  /// Nine cases of 10 mL and intensities 0, 50, 100; one has 12 mL or a 99th percentile of 130.
  @Test func theOddestNumberIsNamed() {
    func entry(_ volume: Double, _ high: Double) -> DataReport.Entry {
      DataReport.Entry(
        identifier: "A/a", patient: "a", images: [], mask: nil, size: [], spacingMM: [], orientation: nil,
        volumes: ["1": volume], percentiles: [[0, 50, high]], placement: nil)
    }
    let label = DataReport.Label(value: 1, name: "liver", cases: 9, medianVolume: 10, volume: .init([10]))
    let plain = [DataReport.Entry](repeating: entry(10, 100), count: 8)
    func odd(_ last: DataReport.Entry) -> [CaseOddness] {
      CaseOddness.all(of: plain + [last], labels: [label], volumeUnit: "mL", channelNames: ["image"])
    }
    let large = odd(entry(12, 100))
    #expect(abs(large[8].distance - 4) < 1e-9 && large[0].distance == 0 && large[0].reason == nil)
    #expect(large[8].reason == "volume of label 1 liver: 12 mL, in the median of the site 10 mL")
    let bright = odd(entry(12, 130))
    #expect(abs(bright[8].distance - 6) < 1e-9)
    #expect(bright[8].reason == "99th percentile of the intensities: 130, in the median of the site 100")
    #expect(CaseOddness.all(of: [], labels: [label], volumeUnit: "mL", channelNames: ["image"]).isEmpty)
  }

  /// Pictures have no mm and no orientation. An empty mask is counted.
  @Test func pictures() throws {
    let folder = try DataFolder()
    for index in 0..<3 {
      let size: SIMD3<Int> = [8, 8, 1]
      let geometry = Geometry(size: size, spacingMM: [1, 1, 1])
      let grey = (0..<64).map { LabelValue(($0 * 3 + index) % 256) }
      try LabelMap(voxels: grey, geometry: geometry).write(to: folder.url.appendingPathComponent("A/p\(index).png"))
      let mask = (0..<64).map { LabelValue($0 < 20 * index ? 1 : 0) }
      try LabelMap(voxels: mask, geometry: geometry).write(
        to: folder.url.appendingPathComponent("A/p\(index)_seg.png"))
    }
    let dataset = try Dataset(contentsOf: folder.url)
    let html = try Report(of: DataReport(DataCheck.run(on: dataset), of: dataset), command: ["dualnorm", "check"]).html
    #expect(!html.contains("spacing in mm") && !html.contains("orientation</th>") && html.contains("size in pixels"))
    #expect(html.contains("<th scope=\"row\">A</th><td>2</td><td>1</td><td>1</td><td>30</td><td>20–40</td>"))
    #expect(html.contains("A, 2 values, 1 without the label") && html.contains("<title>p2: 40</title>"))
  }

  @Test(.enabled(if: hasSharedData, "needs ../shared/data")) func prostates() throws {
    let dataset = try Dataset(contentsOf: sharedData.appendingPathComponent("prostate"))
    let report = DataReport(DataCheck.run(on: dataset), of: dataset)
    let html = try Report(of: report, command: ["dualnorm", "check"]).html
    // Each case has volumes of two labels, and intensities.
    #expect(html.components(separatedBy: "<circle class=\"dot\"").count - 1 == 30)
    for entry in report.cases { #expect(html.contains("<th scope=\"row\">\(entry.identifier)</th>")) }
    #expect(html.contains("320 × 320 × ") && html.contains("384 × 384 × ") && html.contains("0.625 × 0.625 × 3.6"))
    // Both sites have two slices of 192 × 192 pixels or fewer.
    #expect(html.components(separatedBy: "data:image/png;base64,").count - 1 == 4 && html.utf8.count < 300_000)
  }
}
