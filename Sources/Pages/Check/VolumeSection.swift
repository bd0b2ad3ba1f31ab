import Basics
import Datasets
import Foundation

/// The volume of each label in the cases of each site.
struct VolumeSection {
  let report: DataReport

  /// The most dots that a page can hold beside all else.
  private static let mostDots = 30_000

  var html: Markup {
    let labels = report.labels
    guard !labels.isEmpty else { return paragraph("No mask holds a label.") }
    let shown = labels.prefix(max(1, Self.mostDots / max(report.cases.count, 1)))
    let limit =
      shown.count < labels.count ? " The charts are of the first \(shown.count) of \(labels.count) labels." : ""
    let about = paragraph(
      "A dot is a case; the box holds the middle half of the cases, with a line at the median and a diamond at the mean; "
        + "whiskers reach the last case within 1.5 box lengths. A number in brackets counts cases without the label, empty "
        + "masks among them.\(limit)")
    return about + "<div class=\"charts\">\(shown.compactMap(chart))</div>\n" + table(labels)
  }

  private func chart(of label: DataReport.Label) -> Markup? {
    let rows = report.sites.enumerated().map { color, site -> BoxPlot.Row in
      let volumes = report.cases(of: site).compactMap { entry in
        entry.volumes["\(label.value)"].map { (name: entry.name, value: $0) }
      }
      return BoxPlot.Row(
        name: site.name, color: color, values: volumes, undefinedCount: site.cases - volumes.count,
        undefinedName: "without the label")
    }
    let greatest = rows.flatMap { $0.values.map(\.value) }.max() ?? 0
    return BoxPlot(
      title: "Volume of label \(label.title)", xTitle: report.volumeUnit,
      groups: [BoxPlot.Group(name: "Label \(label.title)", rows: rows)], decimals: decimals(greatest)
    ).html
  }

  /// The decimals that give the greatest value four digits; pixels are whole.
  private func decimals(_ greatest: Double) -> Int {
    guard greatest > 0, report.volumeUnit != "pixels" else { return 0 }
    return min(max(0, 3 - Int(log10(greatest).rounded(.down))), 6)
  }

  private func table(_ labels: [DataReport.Label]) -> Markup {
    let rows = labels.flatMap { label in
      report.sites.map { site -> [String] in
        guard let own = site.labels.first(where: { $0.value == label.value }) else {
          return [label.title, site.name, "0", "\(site.cases)", "\(site.emptyMasks)", "–", "–"]
        }
        return [
          label.title, site.name, "\(own.cases)", "\(site.cases - own.cases)", "\(site.emptyMasks)",
          fourDigits(own.medianVolume), own.volume.text,
        ]
      }
    }
    let unit = report.volumeUnit
    let header = ["label", "site", "cases", "without it", "empty masks", "median in \(unit)", "range in \(unit)"]
    return ReportTable(nameCount: 2, header: header, rows: rows).html(caption: "Volumes of the labels by site")
  }
}
