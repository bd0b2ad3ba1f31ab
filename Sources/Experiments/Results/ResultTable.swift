package import Basics
import DualNorm
package import Scores

/// All values of an experiment, in a fixed order that does not depend on the input's order.
///
/// Rows are ordered by method (as first given), fold, seed, train sites, test site, case, class, pass and metric.
/// Names with numbers are ordered by value.
package struct ResultTable: Equatable, Sendable {
  package let rows: [ResultRow]

  /// Orders the rows; a row repeated with equal value and outcome is kept once.
  ///
  /// - Throws: `Refusal` if two rows contradict each other, or a value is not finite.
  init(_ rows: [ResultRow]) throws {
    let order = RowOrder(rows)
    var kept: [(key: [Int], row: ResultRow)] = []
    var indexOfKey: [[Int]: Int] = [:]
    for row in rows {
      if let value = row.value, !value.isFinite {
        throw Refusal(.input, "\(row.title) is \(value), which is no number", remedy: "score the case again")
      }
      let key = order.key(row)
      guard let index = indexOfKey[key] else {
        indexOfKey[key] = kept.count
        kept.append((key, row))
        continue
      }
      guard kept[index].row == row else {
        throw Refusal(
          .input, "\(row.title) is given twice, as \(kept[index].row.found) and as \(row.found)",
          remedy: "keep the results of one run")
      }
    }
    self.rows = kept.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map(\.row)
  }

  /// Makes rows of every metric of every score of one trained network.
  ///
  /// - Throws: `Refusal` if the scores contradict each other.
  init(_ table: ScoreTable, method: String, fold: String, seed: UInt64, trainSites: [String]) throws {
    try self.init(
      table.scores.flatMap { score in
        table.metrics.map { metric in
          ResultRow(
            method: method, fold: fold, seed: seed, trainSites: trainSites, testSite: score.site,
            caseName: score.caseName, className: score.className, pass: score.pass, metric: metric,
            value: score[metric], outcome: score.outcome)
        }
      })
  }

  /// Merges several tables; methods keep the order of the tables.
  ///
  /// - Throws: `Refusal` if two tables contradict each other.
  package init(merging tables: [ResultTable]) throws { try self.init(tables.flatMap(\.rows)) }

  /// The methods in the order of their first row.
  package var methods: [String] { rows.map(\.method).firstOccurrences }

  var testSites: [String] { Set(rows.map(\.testSite)).sorted(by: comesBefore) }

  var seeds: [UInt64] { Set(rows.map(\.seed)).sorted() }

  /// The metrics in the column order of score tables.
  package var metrics: [Metric] { rows.map(\.metric).firstOccurrences.sorted { $0.rank < $1.rank } }

  /// Finds one of `metrics` by name.
  ///
  /// - Throws: `Refusal` for an unknown name, suggesting the nearest.
  package func metric(named name: String, option: Setting) throws -> Metric {
    guard let metric = metrics.first(where: { $0.rawValue == name }) else {
      let known = metrics.filter { $0.lowerIsBetter != nil }.map(\.rawValue)
      throw Refusal(
        .input, "\(option) \(quoted(name)) is not in the results",
        detail: "the nearest is \(nearest(to: name, among: known)) of \(listed(known, atMost: 10))")
    }
    return metric
  }
}

/// The sort keys of rows: the rank of each field except value and outcome.
///
/// Except for methods, ranks depend on names alone, so a table that was written and read keeps its order.
private struct RowOrder {
  private let methods, passes: [String: Int]
  /// For each name in `RowOrder.names`, the ranks.
  private let names: [[String: Int]]
  private let seeds: [UInt64: Int]
  private let metrics: [Metric: Int]

  private static func names(_ row: ResultRow) -> [String] {
    [row.fold, ResultTable.joined(row.trainSites), row.testSite, row.caseName, row.className]
  }

  init(_ rows: [ResultRow]) {
    methods = ranked(rows.map(\.method).firstOccurrences)
    passes = ranked(Set(rows.map(\.pass)).sorted(by: passComesBefore))
    var found = [Set<String>](repeating: [], count: 5)
    for row in rows { for (index, name) in Self.names(row).enumerated() { found[index].insert(name) } }
    names = found.map { ranked($0.sorted(by: comesBefore)) }
    seeds = ranked(Set(rows.map(\.seed)).sorted())
    metrics = ranked(Set(rows.map(\.metric)).sorted { $0.rank < $1.rank })
  }

  func key(_ row: ResultRow) -> [Int] {
    let named = zip(names, Self.names(row)).map { ranks, name in ranks[name]! }
    return [methods[row.method]!, named[0], seeds[row.seed]!] + named.dropFirst()
      + [passes[row.pass]!, metrics[row.metric]!]
  }
}

private func ranked<Element: Hashable>(_ sorted: [Element]) -> [Element: Int] {
  Dictionary(uniqueKeysWithValues: sorted.enumerated().map { ($1, $0) })
}

extension ResultRow {
  /// The row's description in messages.
  fileprivate var title: String {
    "\(metric.rawValue) of \(quoted(testSite))/\(quoted(caseName)) \(quoted(className)) (method \(quoted(method)), "
      + "fold \(fold.isEmpty ? "none" : quoted(fold)), seed \(seed), pass \(quoted(pass)))"
  }

  fileprivate var found: String { "\(value.map(shortest) ?? "undefined") (\(outcome.rawValue))" }
}

/// Orders passes or their titles as they run, then passes with adapted batch statistics likewise, then others by name.
func passComesBefore(_ a: String, _ b: String) -> Bool {
  let names = [PassTitles.only] + Pass.allCases.map(\.rawValue)
  let known = ["", Adaptation.passSuffix].flatMap { suffix in names.map { $0 + suffix } }
  let ranks = [a, b].map { name in known.firstIndex(of: name) ?? known.count }
  return ranks[0] == ranks[1] ? comesBefore(a, b) : ranks[0] < ranks[1]
}

extension Metric {
  /// The sort key of a metric: the order of columns, then the tolerance of NSD, then the name.
  fileprivate var rank: (Int, Double, String) {
    var tolerance = 0.0
    if case .nsd(let limit) = self { tolerance = limit }
    let order: [Metric] = [.dice, .assd, .hd95, .hausdorff, .nsd(toleranceMM: tolerance)]
    return (order.firstIndex(of: self) ?? order.count, tolerance, rawValue)
  }
}
