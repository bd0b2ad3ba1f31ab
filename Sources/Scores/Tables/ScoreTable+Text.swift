package import Basics
import Foundation

extension ScoreTable {
  /// The summaries as a terminal table: mean ± sample standard deviation beside the outcomes, with notes below.
  package var text: String {
    let isOurs = convention == .dualnorm
    let caption = isOurs ? "" : "Scores as in \(convention.tool) (\(Setting.like) \(convention.rawValue)).\n\n"
    let table = summaryTable
    return printableLines(
      caption + fixedWidth([table.header] + table.rows, leftAligned: table.nameCount) + "\n"
        + notes.map { $0 + "\n" }.joined())
  }

  /// The summaries of each pass, one row for each site (or all sites) and class.
  package var summaryTable: ReportTable { table(of: summaries) }

  /// A table with one row a summary.
  package func table(of summaries: [ScoreSummary]) -> ReportTable {
    let shown = convention.rules.columns(tolerancesMM: tolerancesMM).filter(\.isShown).map(\.metric)
    let showsPass = passes.count > 1
    let isOurs = convention == .dualnorm
    let showsSide = !sides.isEmpty
    let header =
      ["site", "class"] + (showsSide ? ["split"] : []) + (showsPass ? ["pass"] : []) + [
        "n", "found", "missed", "false", "empty",
      ]
      + shown.map { (isOurs ? "" : "\(convention.rawValue) ") + $0.title(in: lengthUnit) }
    let rows = summaries.map { summary in
      let counts = [summary.scoreCount] + Outcome.allCases.map(summary.count)
      return [title(of: summary), summary.className ?? "mean"]
        + (showsSide ? [summary.side?.rawValue ?? undefinedText] : [])
        + (showsPass ? [summary.pass] : []) + counts.map(String.init)
        + shown.map { metric in summary.statistics[metric]?.text(decimals: metric.decimals) ?? undefinedText }
    }
    return ReportTable(nameCount: 2 + (showsSide ? 1 : 0) + (showsPass ? 1 : 0), header: header, rows: rows)
  }

  private func count(ofSitesWith side: TrainingSide?) -> Int {
    Set(scores.filter { $0.side == side }.map(\.site)).count
  }

  private func title(of summary: ScoreSummary) -> String {
    switch summary.scope {
    case .site: summary.site.map(title(ofSite:)) ?? undefinedText
    case .meanOfSites: "mean of \(count(ofSitesWith: summary.side)) sites"
    case .allCases: "all cases"
    }
  }

  /// Sentences that state what the means include and leave out.
  package var notes: [String] {
    let means = "Mean ± standard deviation over cases" + (sites.count > 1 ? "; of the mean of sites: over sites." : ".")
    let nothingWrong = count(.miss) + count(.falseAlarm) == 0 ? "No misses and no false alarms." : nil
    let names = [list(.miss, "Missed"), list(.falseAlarm, "False alarms")]
    let lines =
      convention == .dualnorm
      ? [failureNote, means, nothingWrong ?? wrongNote] + names + [emptyNote]
      : [means, convention.rules.meansNote, nothingWrong] + outcomeNotes + names
    return lines.compactMap { $0 }
  }

  /// A sentence on failed cases, which no mean includes.
  private var failureNote: String? {
    let total = Set(scores.map { [$0.site, $0.caseName] }).count + failures.count
    return failures.isEmpty
      ? nil
      : "\(failures.count) of \(total) cases failed and are in no mean: \(listed(failures.map(\.caseName), atMost: 5))."
  }

  private var wrongNote: String {
    "\(count(.miss)) missed and \(counted(count(.falseAlarm), "false alarm")) count as Dice 0 and NSD 0. They have no surface "
      + "distance: ASSD and HD95 are means over the found only, \(count(.found)) of \(scores.count - count(.bothEmpty))."
  }

  private var emptyNote: String? {
    count(.bothEmpty) == 0 ? nil : "\(count(.bothEmpty)) empty in both prediction and reference: counted, in no mean."
  }

  /// Sentences on how another tool counts the empty masks of this table.
  private var outcomeNotes: [String?] {
    let titles: [(Outcome, String)] = [
      (.miss, "missed"), (.falseAlarm, "falsely found"), (.bothEmpty, "empty in both prediction and reference"),
    ]
    return titles.map { outcome, title in
      count(outcome) == 0 ? nil : "\(count(outcome)) \(title): \(convention.rules.outcomes[outcome] ?? "")."
    }
  }

  private func count(_ outcome: Outcome) -> Int { scores.count { $0.outcome == outcome } }

  private func list(_ outcome: Outcome, _ title: String) -> String? {
    let names = scores.filter { $0.outcome == outcome }.map { score in
      "\(score.site)/\(score.caseName) \(score.className)" + (passes.count > 1 ? " (\(score.pass))" : "")
    }
    return names.isEmpty ? nil : "\(title): \(listed(names, atMost: 5))."
  }
}

private let undefinedText = "-"

extension Statistic {
  fileprivate func text(decimals: Int) -> String {
    guard let mean else { return undefinedText }
    let spread = standardDeviation.map { " ± " + fixed($0, decimals: decimals) } ?? ""
    return fixed(mean, decimals: decimals) + spread
  }
}
