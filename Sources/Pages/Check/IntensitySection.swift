import Basics
import Datasets

/// The distribution of each channel's intensities over each site.
struct IntensitySection {
  let report: DataReport

  /// The most dots that a page can hold beside all else.
  private static let mostDots = 10_000

  var html: Markup {
    let names = report.sites.flatMap { $0.channels.map(\.name) }.firstOccurrences
    guard !names.isEmpty else { return paragraph("No image has finite voxels.") }
    let hasDots = report.cases.count * names.count <= Self.mostDots
    let charts = names.enumerated().compactMap { index, name in chart(of: name, index, hasDots: hasDots) }
    let about = paragraph(
      "Histograms in 24 steps from the 1st to the 99th percentile of a site; what lies beyond counts in the outer steps. "
        + "Every case counts alike, and heights go by the square root of the share, so that a large background leaves the "
        + "rest to be seen. All sites are on one scale." + (hasDots ? " A dot is the 99th percentile of a case." : ""))
    return about + "<div class=\"charts\">\(charts)</div>\n" + table(names)
  }

  private func chart(of name: String, _ channel: Int, hasDots: Bool) -> Markup? {
    let rows = report.sites.enumerated().compactMap { color, site -> HistogramChart.Row? in
      guard let own = site.channels.first(where: { $0.name == name }) else { return nil }
      func at(_ percent: Int) -> Double { own.percentiles["\(percent)"] ?? 0 }
      let cases = hasDots ? report.cases(of: site).filter { $0.percentiles.count > channel } : []
      return HistogramChart.Row(
        name: site.name, color: color, range: at(1)...max(at(1), at(99)), shares: own.histogram,
        dots: cases.map { entry in
          let values = entry.percentiles[channel]
          let text = values.map(fourDigits)
          return (
            title: "\(entry.name): 1st percentile \(text[0]), median \(text[1]), 99th \(text[2])", value: values[2]
          )
        },
        alternative: "\(site.name): 1st percentile \(fourDigits(at(1))), median \(fourDigits(at(50))), 99th percentile "
          + "\(fourDigits(at(99))), from \(fourDigits(own.range.least)) to \(fourDigits(own.range.greatest)), "
          + counted(site.cases, "case"))
    }
    return HistogramChart(title: "Intensities of \(name)", xTitle: "intensity", rows: rows).html
  }

  private func table(_ names: [String]) -> Markup {
    let percents = [1, 5, 25, 50, 75, 95, 99]
    let rows = names.flatMap { name in
      report.sites.compactMap { site -> [String]? in
        guard let channel = site.channels.first(where: { $0.name == name }) else { return nil }
        let values = percents.map { fourDigits(channel.percentiles["\($0)"] ?? 0) }
        return [site.name, name, fourDigits(channel.range.least)] + values + [fourDigits(channel.range.greatest)]
      }
    }
    let header = ["site", "channel", "least"] + percents.map { "\($0) %" } + ["greatest"]
    return ReportTable(nameCount: 2, header: header, rows: rows).html(caption: "Percentiles of the intensities")
  }
}
