import Datasets
import Foundation
import MedicalImaging
import Pictures

/// A typical and the oddest case of each site, one slice each, with the mask outlined.
struct SampleSection {
  let report: DataReport

  /// The most sites shown; more would make a page of more than a few megabytes.
  private static let mostSites = 20
  private static let largestSide = 256

  private struct Sample {
    let title: String
    let entry: DataReport.Entry
    /// The reason for the choice.
    let note: String
  }

  /// Reads two images and masks a site.
  ///
  /// - Throws: `Refusal` naming a file that was readable before and no longer is.
  func html() throws -> Markup {
    let sites = report.sites.prefix(Self.mostSites)
    let limit = sites.count < report.sites.count ? " The first \(sites.count) of \(report.sites.count) sites." : ""
    let about = paragraph(
      "A typical case is nearest to the medians of its site in all its numbers (volumes of labels, percentiles of the "
        + "intensities); the oddest is one that an error or a warning names or, without such, the farthest from them. The "
        + "slice is the one with the most labels, the image is shown from its 1st to its 99th percentile.\(limit)")
    let legend = report.labels.enumerated().map { index, label in
      "<li><span class=\"swatch k\(index % 7 + 1)\"></span>\(label.title)</li>" as Markup
    }
    let content = try sites.enumerated().map { number, site -> Markup in
      let articles = try samples(of: site).enumerated().map { place, sample in
        try article(sample, id: "sample-\(number)-\(place)")
      }
      return "<h3>\(site.name)</h3>\n<div class=\"charts\">\(articles)</div>\n"
    }
    return about + "<ul class=\"legend\">\(legend)</ul>\n" + content.joined()
  }

  private func samples(of site: DataReport.Site) -> [Sample] {
    let cases = report.cases(of: site)
    guard cases.count > 2 else { return cases.map { Sample(title: $0.name, entry: $0, note: "") } }
    let odd = CaseOddness.all(
      of: cases, labels: report.labels, volumeUnit: report.volumeUnit, channelNames: report.channelNames)
    let named = cases.map { entry in
      report.findings.first { $0.severity != .note && $0.cases.contains(entry.identifier) }
    }
    func rank(_ index: Int) -> (Int, Double) {
      (named[index].map { $0.severity == .error ? 2 : 1 } ?? 0, odd[index].distance)
    }
    let order = cases.indices.sorted { rank($0) < rank($1) || (rank($0) == rank($1) && $0 < $1) }
    let (typical, oddest) = (order[0], order[order.count - 1])
    let reasons = [
      named[oddest].map { "Named by a finding (\($0.rule.rawValue))." }, odd[oddest].reason.map { "\($0)." },
    ]
    return [
      Sample(title: "Typical: \(cases[typical].name)", entry: cases[typical], note: ""),
      Sample(
        title: "Oddest: \(cases[oddest].name)", entry: cases[oddest],
        note: reasons.compactMap { $0?.withCapital }.joined(separator: " ")),
    ]
  }

  private func article(_ sample: Sample, id: String) throws -> Markup {
    let channels = try Image.shownChannels(contentsOf: URL(fileURLWithPath: sample.entry.images[0]))
    let mask = try sample.entry.scan.labels()
    let isPlaced = mask.map { $0.geometry.mismatch(with: channels[0].geometry) == nil } ?? false
    let shown = isPlaced ? mask.map(ranked) : nil
    let slice = shown.map(SheetRow.fullestSlice) ?? channels[0].geometry.size.z / 2
    let row = SheetRow(title: sample.title, channels: channels, z: slice, reference: shown)
    let figure = try SliceFigure(
      id: id, name: sample.title, number: slice + 1, of: channels[0].geometry.size.z, row: row,
      classCount: report.labels.count, window: SliceWindow(of: [row]),
      reduction: (max(row.width, row.height) + Self.largestSide - 1) / Self.largestSide, referenceName: "mask"
    ).html(isStart: true)
    let absence = mask == nil || isPlaced ? "" : " Its mask does not lie on the voxels of the image."
    return """
      <article class="sample" aria-labelledby="\(id)-title">
      <h4 id="\(id)-title">\(sample.title)</h4>
      <p class="about">\(sample.note)\(absence)</p>
      \(figure)</article>

      """
  }

  /// Replaces labels by their places in the legend, from 1.
  private func ranked(_ mask: LabelMap) -> ClassMap {
    var places = [UInt8](repeating: 0, count: Int(LabelValue.max) + 1)
    for (place, label) in report.labels.enumerated() { places[Int(label.value)] = UInt8(clamping: place + 1) }
    return ClassMap(voxels: mask.voxels.map { places[Int($0)] }, geometry: mask.geometry)
  }
}

extension String {
  fileprivate var withCapital: String { prefix(1).uppercased() + dropFirst() }
}
