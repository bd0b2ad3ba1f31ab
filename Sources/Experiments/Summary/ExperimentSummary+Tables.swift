import Basics
import DualNorm
import Foundation
import Scores

extension ExperimentSummary {
  /// Arms × sites, with mean of sites and worst site (both only for several sites), and the spread between seeds.
  var scoreTable: ReportTable {
    let manySites = testSites.count > 1
    var columns = testSites.map { site in arms.map { arm in arm.sites.first { $0.site == site }?.spread } }
    if manySites { columns += [arms.map(\.meanOfSites), arms.map(\.worstSite?.spread)] }
    var table = ReportTable(
      nameCount: names.count,
      header: names + testSites.map { "\(title(ofSite: $0)), n = \(caseCounts[$0] ?? 0)" }
        + (manySites ? ["mean of \(testSites.count) sites", "worst site"] : []) + ["sd between seeds"],
      rows: [])
    table.rows = arms.indices.map { index in
      var cells = columns.map { text($0[index]?.overCases) }
      if manySites, let worst = arms[index].worstSite { cells[cells.count - 1] += " (\(worst.site))" }
      let overall = manySites ? arms[index].meanOfSites : arms[index].sites[0].spread
      let deviation = overall.betweenSeeds.standardDeviation.map { fixed($0, decimals: metric.decimals) }
      return names(of: arms[index].arm) + cells + [deviation ?? noValue]
    }
    for (column, spreads) in columns.enumerated() {
      // A mean of fewer sites, or the worst of fewer, is not comparable.
      let isOverall = column >= testSites.count
      let comparable = zip(arms, spreads).map { isOverall && !$0.isOfAllSites(testSites) ? nil : $1 }
      table.best[names.count + column] = best(comparable)
    }
    return table
  }

  /// Misses and false alarms of every arm, in all and by site; nil if there are none.
  var outcomeTable: ReportTable? {
    guard arms.contains(where: { $0.count(.miss) + $0.count(.falseAlarm) > 0 }) else { return nil }
    let header =
      names + ["structures", "missed", "false alarms"] + testSites.map { "\(title(ofSite: $0)), missed / false" }
    let rows = arms.map { arm -> [String] in
      let counts = [arm.structureCount, arm.count(.miss), arm.count(.falseAlarm)].map { "\($0)" }
      let bySite = testSites.map { name -> String in
        guard let site = arm.sites.first(where: { $0.site == name }) else { return noValue }
        return "\(site.count(.miss)) / \(site.count(.falseAlarm))"
      }
      return names(of: arm.arm) + counts + bySite
    }
    return ReportTable(nameCount: names.count, header: header, rows: rows)
  }

  /// nil if there is nothing to compare.
  var comparisonTable: ReportTable? {
    guard !comparisons.isEmpty else { return nil }
    let header =
      names + ["against", "n", "not paired", "mean difference", "95 % interval", "p", "p (Holm)"]
    let rows = comparisons.map { comparison -> [String] in
      let against = comparison.baseline.method + (showsPass ? " (\(passTitle(of: comparison.baseline)))" : "")
      let counts = ["\(comparison.pairCount)", "\(comparison.unpairedCount)"]
      let interval = comparison.interval.map { "[\(signed($0.lower)), \(signed($0.upper))]" }
      let numbers = [
        comparison.meanDifference.map(signed), interval, (comparison.wilcoxon?.pValue).map(probability),
        comparison.adjustedP.map(probability),
      ]
      return names(of: comparison.arm) + [against] + counts + numbers.map { $0 ?? noValue }
    }
    return ReportTable(nameCount: names.count + 1, header: header, rows: rows)
  }

  /// The arm's pass as people read it: `only` where the method has no other.
  private func passTitle(of arm: Arm) -> String {
    PassTitles(named: arms.map(\.arm).filter { $0.method == arm.method }.map(\.pass)).title(of: arm.pass)
  }

  /// The arm in a sentence: `dual (final)`, `bn trained on A+B (only)`.
  func title(of arm: Arm) -> String {
    arm.method + (arm.trainSites.map { " trained on \($0.joined(separator: "+"))" } ?? "")
      + " (\(passTitle(of: arm)))"
  }

  /// The passes as people read them.
  var passes: [String] { arms.map { passTitle(of: $0.arm) }.firstOccurrences.sorted(by: passComesBefore) }

  private var showsPass: Bool { passes.count > 1 }

  private var names: [String] {
    ["method"] + (arms.contains { $0.arm.trainSites != nil } ? ["trained on"] : []) + (showsPass ? ["pass"] : [])
  }

  private func names(of arm: Arm) -> [String] {
    [arm.method] + (arm.trainSites.map { [$0.joined(separator: "+")] } ?? []) + (showsPass ? [passTitle(of: arm)] : [])
  }

  private func text(_ statistic: Statistic?) -> String {
    guard let statistic, let mean = statistic.mean else { return noValue }
    return fixed(mean, decimals: metric.decimals) + " ± "
      + (statistic.standardDeviation.map { fixed($0, decimals: metric.decimals) } ?? noValue)
  }

  /// The rows with the best mean of a column as printed: equal texts are equally good. nil if all are equal.
  private func best(_ spreads: [Spread?]) -> Set<Int>? {
    let means = spreads.map { $0?.overCases.mean }
    let defined = means.compactMap { $0 }
    guard let best = metric.lowerIsBetter == true ? defined.min() : defined.max() else { return nil }
    let texts = means.map { $0.map { fixed($0, decimals: metric.decimals) } }
    guard Set(texts.compactMap { $0 }).count > 1 else { return nil }
    return Set(texts.indices.filter { texts[$0] == fixed(best, decimals: metric.decimals) })
  }

  /// Formats a number with its sign, except if it prints as zero.
  private func signed(_ number: Double) -> String {
    let text = String(format: "%+.\(metric.decimals)f", number)
    return text.contains { "123456789".contains($0) } ? text : String(text.dropFirst())
  }
}

private let noValue = "–"

private func probability(_ p: Double) -> String { p < 0.001 ? "< 0.001" : fixed(p, decimals: 3) }

extension ArmSummary {
  func isOfAllSites(_ sites: [String]) -> Bool { meanOfSites.overCases.count == sites.count }
}
