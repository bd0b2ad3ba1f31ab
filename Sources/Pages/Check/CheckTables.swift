import Basics
import Datasets

/// The sites and the cases of a check in numbers.
struct CheckTables {
  let report: DataReport

  /// The most cases in the table; browsers cannot scroll through more.
  private static let mostCases = 10_000

  private var hasVolumes: Bool { report.sites.contains { !$0.orientations.isEmpty } }

  var sites: Markup {
    let lengths = hasVolumes ? ["spacing in mm", "extent in mm", "orientation"] : []
    let header =
      ["site", "cases", "patients", "masks", "empty masks", hasVolumes ? "size in voxels" : "size in pixels"] + lengths
    let rows = report.sites.map { site -> [String] in
      func product(_ spans: [DataReport.Span]) -> String { spans.map(\.text).joined(separator: " × ") }
      // The size of a picture's pixels in mm is unknown.
      let isVolume = !site.orientations.isEmpty
      let lengths =
        isVolume ? [product(site.spacingMM), product(site.extentMM), site.orientationText] : ["–", "–", "–"]
      return [
        site.name, "\(site.cases)", "\(site.patients)", "\(site.masks)", "\(site.emptyMasks)",
        product(hasVolumes ? site.size : Array(site.size.prefix(2))),
      ] + (hasVolumes ? lengths : [])
    }
    let about = paragraph(
      hasVolumes
        ? "Sizes, spacings and extents along x, y, z as stored, from the least to the greatest case. Orientation: where x, y "
          + "and z run to, with the number of cases."
        : "Widths and heights from the least to the greatest case. Nobody knows how large a picture's pixels are.")
    return ReportTable(nameCount: 1, header: header, rows: rows).html(caption: "What each site holds", isShown: false)
      + about
  }

  /// A folded table of all cases, each with the most severe finding that names it.
  var cases: Markup {
    let labels = report.labels
    let channels = report.channelNames
    let header =
      ["case", "finding", "patient", "size"] + (hasVolumes ? ["spacing in mm", "orientation"] : [])
      + labels.map { "\($0.title), \(report.volumeUnit)" }
      + channels.flatMap { name in [1, 50, 99].map { "\(name), \($0) %" } }
    let severities = self.severities
    let shown = report.cases.prefix(Self.mostCases)
    let rows = shown.map { entry -> [String] in
      let volumes = labels.map { label in entry.volumes["\(label.value)"].map(fourDigits) ?? "–" }
      let percentiles = channels.indices.flatMap { channel in
        entry.percentiles.count > channel ? entry.percentiles[channel].map(fourDigits) : ["–", "–", "–"]
      }
      let placed = [entry.spacingMM.map(fourDigits).joined(separator: " × "), entry.orientation ?? "–"]
      return [
        entry.identifier, severities[entry.identifier]?.rawValue ?? "", entry.patient,
        entry.size.prefix(hasVolumes ? 3 : 2).map(String.init).joined(separator: " × "),
      ] + (hasVolumes ? placed : []) + volumes + percentiles
    }
    let table = ReportTable(nameCount: 3, header: header, rows: rows)
    let limit =
      shown.count < report.cases.count
      ? paragraph("The first \(shown.count) of \(report.cases.count) cases; \(Setting.format) json has all.") : ""
    return folded(
      "All cases with their sizes, volumes and intensities", limit + table.html(caption: "Every case", isShown: false))
  }

  private var severities: [String: DataCheck.Severity] {
    // Findings are sorted by severity, the most severe first.
    Dictionary(report.findings.flatMap { finding in finding.cases.map { ($0, finding.severity) } }) { first, _ in first
    }
  }
}
