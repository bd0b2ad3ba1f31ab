package import Basics

/// The scores of one class, or the mean of the classes, of one pass over a site, all cases or all sites.
package struct ScoreSummary: Codable, Equatable, Sendable {
  package enum Scope: String, Codable, Sendable {
    case site
    /// Mean and standard deviation of the sites' means, every site with the same weight, as in the paper.
    case meanOfSites
    /// Every case with the same weight.
    case allCases
  }

  package let scope: Scope
  /// nil unless the scope is one site.
  package let site: String?
  package let pass: String
  /// nil if the scores have none.
  package var side: TrainingSide?
  /// nil for the mean of the classes' means.
  package let classIndex: Int?
  let className: String?
  /// The labels of the class, as in `CaseScore`.
  let label: String?
  /// The number of scores of each outcome; the sum is cases times classes.
  let outcomes: [Outcome: Int]
  /// Statistics by metric. `count` is the number of cases (sites, classes) where the metric is defined.
  package let statistics: [Metric: Statistic]

  package func count(_ outcome: Outcome) -> Int { outcomes[outcome] ?? 0 }

  var scoreCount: Int { outcomes.values.reduce(0, +) }

  private enum CodingKeys: String, CodingKey {
    case scope, site, pass, classIndex, className, label, outcomes, statistics
    case side = "split"
  }
}

extension ScoreTable {
  /// The summaries in order of split side, pass, site, and class, then the mean of several classes.
  ///
  /// Sides stay apart: no mean mixes cases that trained the model with others. With several sites, the mean of sites
  /// and all cases follow the sites.
  package var summaries: [ScoreSummary] {
    guard !sides.isEmpty else { return passes.flatMap(summaries(ofPass:)) }
    return sides.flatMap { side in
      let part = containing { $0.side == side }
      return part.passes.flatMap(part.summaries(ofPass:)).map { summary in
        var summary = summary
        summary.side = side
        return summary
      }
    }
  }

  private func summaries(ofPass pass: String) -> [ScoreSummary] {
    let rows = scores.filter { $0.pass == pass }
    let bySite = sites.map { site in summaries(of: rows.filter { $0.site == site }, scope: .site, site: site) }
    guard sites.count > 1 else { return bySite.flatMap { $0 } }
    let overall = summaries(of: rows, scope: .allCases, site: nil)
    // A class keeps its place in every site's summaries, so columns of equal class line up.
    let acrossSites = overall.map { all in
      let means = bySite.compactMap { site in site.first { $0.classIndex == all.classIndex } }
      return all.replacing(scope: .meanOfSites) { metric in
        Statistic(means.compactMap { $0.statistics[metric]?.mean })
      }
    }
    return bySite.flatMap { $0 } + acrossSites + overall
  }

  /// One summary a class, and one of their mean if there are several.
  private func summaries(of rows: [CaseScore], scope: ScoreSummary.Scope, site: String?) -> [ScoreSummary] {
    guard let pass = rows.first?.pass else { return [] }
    let byClass = classes.map { index, name, label in
      let ofClass = rows.filter { $0.classIndex == index }
      let statistics = metrics.map { metric in (metric, convention.rules.mean(of: ofClass.map { $0[metric] })) }
      return ScoreSummary(
        scope: scope, site: site, pass: pass, classIndex: index, className: name, label: label,
        outcomes: count(ofClass),
        statistics: Dictionary(uniqueKeysWithValues: statistics))
    }
    guard byClass.count > 1 else { return byClass }
    let byCase = cases(of: rows)
    let statistics = metrics.map { metric in
      (metric, convention.rules.classMean(of: byCase.map { $0.map { $0?[metric] } }))
    }
    let mean = ScoreSummary(
      scope: scope, site: site, pass: pass, classIndex: nil, className: nil, label: nil, outcomes: count(rows),
      statistics: Dictionary(uniqueKeysWithValues: statistics))
    return byClass + [mean]
  }

  /// Scores by case (row) and class of the table (column).
  private func cases(of rows: [CaseScore]) -> [[CaseScore?]] {
    let column = Dictionary(uniqueKeysWithValues: classes.enumerated().map { ($1.index, $0) })
    var cases: [[CaseScore?]] = []
    var last: CaseScore?
    for score in rows {  // in the table's order: scores of one case are adjacent
      if last?.site != score.site || last?.caseName != score.caseName {
        cases.append(Array(repeating: nil, count: column.count))
      }
      cases[cases.count - 1][column[score.classIndex]!] = score
      last = score
    }
    return cases
  }

  private func count(_ rows: [CaseScore]) -> [Outcome: Int] {
    Dictionary(
      uniqueKeysWithValues: Outcome.allCases.map { outcome in
        (outcome, rows.count { $0.outcome == outcome })
      })
  }
}

extension ScoreSummary {
  /// Writes missing fields as null.
  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(scope, forKey: .scope)
    try container.encode(site, forKey: .site)
    try container.encodeIfPresent(side, forKey: .side)
    try container.encode(pass, forKey: .pass)
    try container.encode(classIndex, forKey: .classIndex)
    try container.encode(className, forKey: .className)
    try container.encode(label, forKey: .label)
    try container.encode(outcomes, forKey: .outcomes)
    try container.encode(statistics, forKey: .statistics)
  }

  fileprivate func replacing(scope: Scope, _ statistic: (Metric) -> Statistic) -> ScoreSummary {
    ScoreSummary(
      scope: scope, site: nil, pass: pass, classIndex: classIndex, className: className, label: label,
      outcomes: outcomes,
      statistics: Dictionary(uniqueKeysWithValues: statistics.keys.map { ($0, statistic($0)) }))
  }
}
