import Basics
import Foundation

extension DataReport: CustomStringConvertible {
  /// The sites, then the findings, as readable text.
  package var description: String {
    var lines = ["\(folder): \(counted(cases.count + unreadCases, "case")) of \(counted(sites.count, "site"))", ""]
    lines += sites.flatMap { $0.lines(volumeUnit: volumeUnit) + [""] }
    if unreadCases > 0 {
      let verb = unreadCases == 1 ? "is" : "are"
      let isExchanged = findings.contains { $0.rule == .exchanged }
      let why = isExchanged ? "" : "could not be read and "
      lines += ["\(counted(unreadCases, "case")) \(why)\(verb) not in the numbers above.", ""]
    }
    lines += FindingGroup.groups(of: findings).map(\.line)
    if findings.isEmpty { lines.append("Nothing is odd.") }
    if let repair { lines += [""] + repair.lines }
    lines += ["", verdict]
    return lines.joined(separator: "\n")
  }

  /// The verdict on one line: `Sound: 0 errors, 2 warnings, 1 note.`
  package var verdict: String {
    let counts = [(count(.error), "error"), (count(.warning), "warning"), (count(.note), "note")]
      .map { counted($0.0, $0.1) }
    return "\(isSound ? "Sound" : "Not sound"): \(counts.joined(separator: ", "))."
  }
}

extension DataReport.Site {
  /// `LPS 7, RPS 1`, the commonest first.
  package var orientationText: String {
    orientations.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { "\($0.key) \($0.value)" }
      .joined(separator: ", ")
  }

  fileprivate func lines(volumeUnit: String) -> [String] {
    var rows: [[String]] = []
    if orientations.isEmpty {  // the size of a picture's pixels is unknown
      rows = [["size", size.prefix(2).map(\.text).joined(separator: " × ") + " pixels"]]
    } else {
      rows = [["size", size.map(\.text).joined(separator: " × ") + " voxels"]]
      rows += [
        ["spacing", spacingMM.map(\.text).joined(separator: " × ") + " mm"],
        ["extent", extentMM.map(\.text).joined(separator: " × ") + " mm"],
        ["orientation", orientationText],
      ]
    }
    rows.append(["masks", masks == 0 ? "none" : "\(masks), \(emptyMasks) empty"])
    let body = alignedColumns(rows) + channels.flatMap(\.lines) + labelLines(volumeUnit)
    return ["\(name): \(counted(cases, "case")) of \(counted(patients, "patient"))"] + body.map { "  " + $0 }
  }

  private func labelLines(_ unit: String) -> [String] {
    guard !labels.isEmpty else { return [] }
    let header = ["label", "cases", "median \(unit)", "range \(unit)"]
    return alignedColumns(
      [header]
        + labels.map { label in
          [
            label.title, String(label.cases), fourDigits(label.medianVolume),
            "\(fourDigits(label.volume.least))–\(fourDigits(label.volume.greatest))",
          ]
        })
  }
}

extension DataReport.Label {
  /// Value and, if there is one, name.
  package var title: String { name.map { "\(value) \($0)" } ?? String(value) }
}

extension DataReport.Channel {
  fileprivate var lines: [String] {
    let shown = [1, 5, 25, 50, 75, 95, 99].map { fourDigits(percentiles[String($0)] ?? 0) }
    return [
      "\(name): \(range.text); at 1, 5, 25, 50, 75, 95, 99 %: \(shown.joined(separator: ", "))",
      "  \(shown[0]) \(bars) \(shown[6])",
    ]
  }

  /// A bar chart with one character a step.
  ///
  /// Heights grow with the square root of the share, so that a large background leaves the rest visible. A step with
  /// voxels has at least an eighth.
  private var bars: String {
    let heights = Array(" ▁▂▃▄▅▆▇█")
    let most = histogram.max() ?? 0
    return String(
      histogram.map { share in
        share == 0 || most == 0 ? heights[0] : heights[max(1, Int((8 * (share / most).squareRoot()).rounded()))]
      })
  }
}

extension DataReport.Span {
  /// `20–88`, or one number if both are equal.
  package var text: String {
    let (low, high) = (fourDigits(least), fourDigits(greatest))
    return low == high ? low : "\(low)–\(high)"
  }
}

/// Formats four significant digits; more for large and for whole numbers.
package func fourDigits(_ value: Double) -> String {
  if abs(value) >= 1e3 || value.rounded() == value { return short(value.rounded()) }
  return String(format: "%.4g", value)
}
