package import Basics
import Foundation
package import MedicalImaging

/// The ranges of a site's cases.
package struct SiteSummary: Equatable, Sendable {
  package let site: String
  package let caseCount: Int
  /// Voxels along the image's y axis; `widths` is along x, `slices` along z.
  package let heights: ClosedRange<Int>
  package let widths: ClosedRange<Int>
  package let slices: ClosedRange<Int>
  /// Spacings along the image's x, y and z axes.
  package let spacingsMM: [ClosedRange<Double>]
  /// Tells whether all cases are pictures, whose pixel size is unknown.
  let arePictures: Bool
  let intensities: ClosedRange<Float>?
  /// The share of each foreground value in all voxels of the site's masks, from 0 to 1.
  package let labelShares: [LabelValue: Double]
  package let maskCount: Int
  package let emptyMaskCount: Int

  static func summaries(of facts: [CaseFacts]) -> [SiteSummary] {
    Dictionary(grouping: facts, by: \.scan.site).sorted { $0.key < $1.key }.map { SiteSummary($0.key, $0.value) }
  }

  private init(_ site: String, _ facts: [CaseFacts]) {
    self.site = site
    caseCount = facts.count
    let geometries = facts.map(\.geometry)
    widths = span(geometries.map(\.size.x))
    heights = span(geometries.map(\.size.y))
    slices = span(geometries.map(\.size.z))
    arePictures = facts.allSatisfy(\.isPicture)
    spacingsMM = (0..<3).map { axis in span(geometries.map { $0.spacingMM[axis] }) }
    let ranges = facts.flatMap(\.intensities)
    intensities = ranges.isEmpty ? nil : span(ranges.map(\.lowerBound) + ranges.map(\.upperBound))
    var counts: [LabelValue: Int] = [:]
    for fact in facts { counts.merge(fact.labels, uniquingKeysWith: +) }
    let total = Double(counts.values.reduce(0, +))
    labelShares = counts.filter { $0.key != 0 }.mapValues { Double($0) / total }
    maskCount = facts.count { !$0.labels.isEmpty }
    emptyMaskCount = facts.count { $0.hasEmptyMask() }
  }
}

private func span<Bound: Comparable>(_ values: [Bound]) -> ClosedRange<Bound> {
  values.dropFirst().reduce(values[0]...values[0]) { min($0.lowerBound, $1)...max($0.upperBound, $1) }
}

extension SiteSummary {
  fileprivate static let spacingTitle = "spacing in mm x, y, z"
  fileprivate static let header = [
    "site", "cases", "slice H×W", "slices", spacingTitle, "intensity", "labels (share of voxels)",
    "empty masks",
  ]

  fileprivate var row: [String] {
    func text<Bound>(_ range: ClosedRange<Bound>, _ format: (Bound) -> String) -> String {
      let (low, high) = (format(range.lowerBound), format(range.upperBound))
      return low == high ? low : "\(low)–\(high)"
    }
    let shares = labelShares.sorted { $0.key < $1.key }
      .map { "\($0.key): \(String(format: "%.2g", 100 * $0.value)) %" }
    return [
      site, String(caseCount), text(heights) { "\($0)" } + "×" + text(widths) { "\($0)" }, text(slices) { "\($0)" },
      spacingsMM.map { text($0, short) }.joined(separator: ", "),
      intensities.map { text($0) { short(Double($0)) } } ?? "none",
      maskCount == 0 ? "no masks" : shares.isEmpty ? "none" : listed(shares, atMost: 6),
      maskCount == 0 ? "" : "\(emptyMaskCount) of \(maskCount)",
    ]
  }
}

extension SiteSummary {
  /// A table with one row a site.
  package static func table(of facts: [CaseFacts]) -> ReportTable { table(of: summaries(of: facts)) }

  /// A table without spacings if all cases are pictures.
  fileprivate static func table(of sites: [SiteSummary]) -> ReportTable {
    let shown = header.indices.filter { header[$0] != spacingTitle || !sites.allSatisfy(\.arePictures) }
    func cells(_ row: [String]) -> [String] { shown.map { row[$0] } }
    return ReportTable(nameCount: 1, header: cells(header), rows: sites.map(\.row).map(cells))
  }
}

extension DataCheck {
  /// A table with one row a site, in aligned columns.
  package var table: String {
    let sites = SiteSummary.table(of: sites)
    return alignedColumns([sites.header] + sites.rows).joined(separator: "\n")
  }

  /// Findings to show, one a line, except those that `requireNoErrors` or the readers of files report.
  package var remarks: [String] {
    let others = findings.filter { !$0.makesNetworkWrong && !$0.isOfReading && $0.severity != .error }
    return findings.isEmpty ? ["Nothing to report."] : FindingGroup.groups(of: others).map(\.line)
  }
}

/// Joins rows of equally many cells to lines, with the columns padded to one width each.
func alignedColumns(_ rows: [[String]]) -> [String] {
  let widths = (rows.first ?? []).indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
  return rows.map { row in
    let cells = zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }
    return cells.joined(separator: "  ").trimmingCharacters(in: .whitespaces)
  }
}
