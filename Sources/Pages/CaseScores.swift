import Basics
import DualNorm
import Scores

/// The scores of a table by case, for drawing on a page.
struct CaseScores {
  let table: ScoreTable
  /// The uncertainty of cases by their identifiers; empty unless measured.
  var uncertainty: [String: Double] = [:]

  /// A case of a table.
  struct Key: Hashable {
    let site, name: String

    var identifier: String { "\(site)/\(name)" }
  }

  /// The passes without adapted batch statistics.
  var ownPasses: [String] { table.passes.filter { !$0.hasSuffix(Adaptation.passSuffix) } }

  /// The network's last pass.
  var lastPass: String { ownPasses.last ?? table.passes.last ?? "" }

  /// Cases of a site with one role in the training.
  private struct Place: Hashable {
    let site: String
    let side: TrainingSide?
  }

  private func side(of key: Key) -> TrainingSide? { byCase[key]?.first?.side }

  /// The cases in the table's order.
  let keys: [Key]

  /// A metric of a case: of one class, or the mean over the classes where it is defined.
  func value(_ metric: Metric, of key: Key, pass: String, classIndex: Int? = nil) -> Double? {
    let values = (byCase[key] ?? []).filter { $0.pass == pass && (classIndex == nil || $0.classIndex == classIndex) }
    return Statistic(values.compactMap { $0[metric] }).mean
  }

  private let byCase: [Key: [CaseScore]]

  init(_ table: ScoreTable) {
    self.table = table
    keys = table.scores.map { Key(site: $0.site, name: $0.caseName) }.firstOccurrences
    byCase = Dictionary(grouping: table.scores) { Key(site: $0.site, name: $0.caseName) }
  }

  /// Tells whether the scores are of the only pass of a network.
  var hasOnePass: Bool { ownPasses.count < 2 }

  /// Boxes of every site and pass; nil if no case has a value.
  func boxes(of metric: Metric, classIndex: Int? = nil, className: String? = nil) -> Markup? {
    let places = table.scores.map { Place(site: $0.site, side: $0.side) }.firstOccurrences
    let groups = places.map { place in
      BoxPlot.Group(
        name: table.title(ofSite: place.site) + (place.side.map { ", \($0.rawValue)" } ?? ""),
        rows: table.passes.enumerated().map { color, pass in
          let cases = keys.filter { $0.site == place.site && side(of: $0) == place.side }
          let values = cases.compactMap { key in
            value(metric, of: key, pass: pass, classIndex: classIndex).map { (name: key.name, value: $0) }
          }
          return BoxPlot.Row(name: pass, color: color, values: values, undefinedCount: cases.count - values.count)
        })
    }
    let of = className.map { " of \($0)" } ?? (table.classes.count > 1 ? ", mean over the classes of a case" : "")
    let title = metric.title(in: table.lengthUnit)
    return BoxPlot(
      title: "\(title)\(of)", xTitle: title, groups: groups, decimals: metric.decimals
    ).html
  }

  /// The worst, median and best case of a site by the last pass's mean Dice over the classes; fewer for few cases.
  func extremes(of site: String) -> [(title: String, key: Key, dice: Double)] {
    let ranked = keys.filter { $0.site == site }.compactMap { key in
      value(.dice, of: key, pass: lastPass).map { (key: key, dice: $0) }
    }.sorted { $0.dice < $1.dice }
    let places: [(String, Int)] =
      switch ranked.count {
      case 0: []
      case 1: [("only", 0)]
      case 2: [("worst", 0), ("best", 1)]
      default: [("worst", 0), ("median", medianPlace(of: ranked.count)), ("best", ranked.count - 1)]
      }
    return places.map { title, place in
      (title: title, key: ranked[place].key, dice: ranked[place].dice)
    }
  }

  /// Every case with its Dice, as a table.
  var caseTable: ReportTable {
    let classes = table.classes
    let header =
      ["site", "case"] + (table.sides.isEmpty ? [] : ["split"])
      + table.passes.flatMap { pass in classes.map { table.passes.count > 1 ? "\($0.name), \(pass)" : $0.name } }
      + (uncertainty.isEmpty ? [] : ["uncertainty"])
    let rows = keys.map { key in
      [table.title(ofSite: key.site), key.name] + (table.sides.isEmpty ? [] : [side(of: key)?.rawValue ?? "–"])
        + table.passes.flatMap { pass in
          classes.map { index, _, _ in
            value(.dice, of: key, pass: pass, classIndex: index).map { fixed($0, decimals: 3) } ?? "–"
          }
        }
        + (uncertainty.isEmpty ? [] : [uncertainty[key.identifier].map { fixed($0, decimals: 3) } ?? "–"])
    }
    return ReportTable(nameCount: table.sides.isEmpty ? 2 : 3, header: header, rows: rows)
  }
}
