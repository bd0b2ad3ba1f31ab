import Basics
import Datasets

/// The distance of a case from the others of its site, by the check's numbers.
struct CaseOddness {
  /// The number of robust deviations from the site's median, for the farthest number.
  let distance: Double
  /// That number in words: `volume of label 1: 3.2 mL, in the median of the site 25 mL`; nil if there is none.
  let reason: String?

  /// - Returns: one a case, in their order.
  static func all(
    of cases: [DataReport.Entry], labels: [DataReport.Label], volumeUnit: String, channelNames: [String]
  ) -> [CaseOddness] {
    let measures =
      labels.compactMap { volume(of: $0, unit: volumeUnit, in: cases) }
      + intensities(of: cases, channelNames: channelNames)
    return cases.map { entry in
      let distances = measures.compactMap { measure -> (far: Double, text: String)? in
        guard let value = measure.value(entry) else { return nil }
        let far = abs(value - measure.spread.median) / max(measure.spread.deviation, measure.least)
        let (own, usual) = (fourDigits(value), fourDigits(measure.spread.median))
        return (far, "\(measure.name): \(own)\(measure.unit), in the median of the site \(usual)\(measure.unit)")
      }
      // Take the first of equal ones.
      let farthest = distances.reduce(nil as (far: Double, text: String)?) { best, next in
        next.far > best?.far ?? 0 ? next : best
      }
      return CaseOddness(distance: farthest?.far ?? 0, reason: farthest?.text)
    }
  }

  private struct Measure {
    let name: String
    let unit: String
    let spread: RobustSpread
    /// The least deviation to divide by, so that nearly equal cases do not give enormous distances.
    let least: Double
    let value: (DataReport.Entry) -> Double?
  }

  private static func volume(of label: DataReport.Label, unit: String, in cases: [DataReport.Entry]) -> Measure? {
    let value = { (entry: DataReport.Entry) in entry.volumes["\(label.value)"] ?? 0 }
    return RobustSpread(cases.map(value)).map { spread in
      Measure(
        name: "volume of label \(label.title)", unit: " \(unit)", spread: spread,
        least: max(0.05 * spread.median, 1e-9), value: value)
    }
  }

  private static func intensities(of cases: [DataReport.Entry], channelNames: [String]) -> [Measure] {
    channelNames.enumerated().flatMap { channel, channelName -> [Measure] in
      let known = cases.filter { $0.percentiles.count > channel }.map { $0.percentiles[channel] }
      let contrast = median(known.map { $0[2] - $0[0] }) ?? 0
      let of = channelNames.count > 1 ? " in \(channelName)" : ""
      return ["1st percentile", "median", "99th percentile"].enumerated().compactMap { place, name in
        RobustSpread(known.map { $0[place] }).map { spread in
          Measure(
            name: "\(name) of the intensities\(of)", unit: "", spread: spread, least: max(0.05 * contrast, 1e-9)
          ) { $0.percentiles.count > channel ? $0.percentiles[channel][place] : nil }
        }
      }
    }
  }
}
