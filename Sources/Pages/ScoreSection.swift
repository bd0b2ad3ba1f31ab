import Basics
import DualNorm
import Scores

/// The scores of an evaluation in numbers and boxes.
struct ScoreSection {
  let scores: CaseScores

  /// The numbers to read first.
  var keyNumbers: Markup {
    // Prefer cases that training did not see.
    let sides = scores.table.sides
    let side = sides.first { $0 == .test } ?? sides.last
    let summaries = scores.table.summaries.filter {
      $0.pass == scores.lastPass && $0.side == side && ($0.classIndex == nil || scores.table.classes.count == 1)
    }
    let sites = summaries.filter { $0.scope == .site }
    let overall = summaries.first { $0.scope == .meanOfSites } ?? sites.first
    let means = sites.compactMap { site in site.statistics[.dice]?.mean.map { (site: site.site ?? "", mean: $0) } }
    func text(_ value: Double?) -> String { value.map { fixed($0, decimals: 3) } ?? "–" }
    let worst = means.min { $0.mean < $1.mean }
    var numbers: [(String, String)] = [
      (
        text(overall?.statistics[.dice]?.mean),
        "Dice of the \(scores.lastPass) pass" + (side.map { ", \($0.rawValue) cases" } ?? "")
          + (sites.count > 1 ? ", mean of \(sites.count) sites" : "")
      )
    ]
    if sites.count > 1, let worst {
      numbers.append((text(worst.mean), "of the worst site, \(scores.table.title(ofSite: worst.site))"))
    }
    numbers.append(("\(sites.reduce(0) { $0 + $1.count(.miss) })", "structures missed"))
    numbers.append(("\(sites.reduce(0) { $0 + $1.count(.falseAlarm) })", "falsely found"))
    let items = numbers.map { "<li><b>\($0.0)</b><span>\($0.1)</span></li>" as Markup }
    return "<ul class=\"key\" aria-label=\"Scores of the \(scores.lastPass) pass\">\(items)</ul>\n"
  }

  /// The means by site and pass, then all else folded.
  var table: Markup {
    let rules = scores.table.convention.rules
    let definitions = rules.columns(tolerancesMM: scores.table.tolerancesMM).map { column in
      (name: column.metric.title(in: scores.table.lengthUnit), value: "\(column.definition)" as Markup)
    }
    let outcomes = Outcome.allCases.compactMap { outcome in
      rules.outcomes[outcome].map { (name: outcome.title, value: "\($0)" as Markup) }
    }
    let table = scores.table
    let (hasClasses, hasPasses) = (table.classes.count > 1, table.passes.count > 1)
    // Put passes side by side for comparison.
    let means = table.summaries.filter { $0.classIndex == nil || !hasClasses }
    func place(_ mean: ScoreSummary) -> [String] { [mean.side?.rawValue ?? "", mean.scope.rawValue, mean.site ?? ""] }
    let bySite = means.map(place).firstOccurrences.flatMap { own in means.filter { place($0) == own } }
    let ofClasses = "Scores by \(hasPasses ? "pass, " : "")site and class"
    let all: Markup? =
      hasClasses ? folded("Each class alone", table.summaryTable.html(caption: ofClasses)) : nil
    return table.table(of: bySite).withScoresFirst.html(
      caption: "Scores by site\(hasPasses ? " and pass" : "")\(hasClasses ? ", mean of the classes" : ""), "
        + "as \(rules.tool) defines them")
      + table.notes.map(paragraph).joined() + (all ?? "")
      + folded("How the scores are defined", factList(definitions + outcomes))
      + folded("Dice of every case", scores.caseTable.html(caption: "Dice of every case"))
  }

  /// Boxes of Dice and surface distances by site and pass.
  var boxes: Markup {
    let metrics = [Metric.dice, .assd, .hd95].filter(scores.table.metrics.contains)
    let means = metrics.compactMap { scores.boxes(of: $0) }
    let ofClasses = metrics.flatMap { metric in
      scores.table.classes.compactMap { scores.boxes(of: metric, classIndex: $0.index, className: $0.name) }
    }
    let about = paragraph(
      "A dot is a case; the box holds the middle half of the cases, with a line at the median and a diamond at the mean; "
        + "whiskers reach the last case within 1.5 box lengths. A number in brackets counts cases without a value: "
        + "surface distances exist only where both masks have the structure.")
    let folds =
      scores.table.classes.count > 1 ? folded("Each class alone", "<div class=\"charts\">\(ofClasses)</div>\n") : nil
    return "\(about)<div class=\"charts\">\(means)</div>\n\(folds)"
  }
}

extension Outcome {
  fileprivate var title: String {
    switch self {
    case .found: "found"
    case .miss: "missed"
    case .falseAlarm: "falsely found"
    case .bothEmpty: "both empty"
    }
  }
}

extension ReportTable {
  /// The table with scores before counts, and without a constant class column: narrow screens show the left.
  fileprivate var withScoresFirst: ReportTable {
    let counts = ["n", "found", "missed", "false", "empty"].compactMap(header.firstIndex)
    let isSame = Set(rows.map { $0[1] }).count == 1
    let kept = header.indices.filter { !counts.contains($0) && !(isSame && $0 == 1) }
    func ordered(_ cells: [String]) -> [String] { (kept + counts).map { cells[$0] } }
    return ReportTable(nameCount: nameCount - (isSame ? 1 : 0), header: ordered(header), rows: rows.map(ordered))
  }
}
