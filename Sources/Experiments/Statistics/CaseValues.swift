import Basics
import Scores

/// The identity of a case across methods; two sites may use one name.
package struct CaseKey: Hashable {
  package let site: String
  package let name: String
}

/// One metric of one arm by case.
///
/// A case's value for a seed is the mean over its classes where the metric is defined. If several networks of a seed
/// were tested on it (folds of other sites), their values are averaged. A case's value is the mean over the seeds that
/// define it.
package struct CaseValues {
  /// Every case that was scored, defined or not, by site and name.
  package let cases: [CaseKey]
  let seeds: [UInt64]
  let bySeed: [UInt64: [CaseKey: Double]]
  package let overSeeds: [CaseKey: Double]
  /// The cases that each seed was tested on, defined or not.
  let scored: [UInt64: Set<CaseKey>]
  /// For each case, the number of structures (a class, from every network) by outcome.
  let outcomes: [CaseKey: [Outcome: Int]]

  /// - Parameter rows: rows of one arm and one metric, in a table's order.
  package init(_ rows: [ResultRow]) {
    struct Network: Hashable {
      let seed: UInt64
      let fold: String
      let trainSites: [String]
    }
    var values: [CaseKey: [Network: [Double]]] = [:]
    var outcomes: [CaseKey: [Outcome: Int]] = [:]
    var scored: [UInt64: Set<CaseKey>] = [:]
    for row in rows {
      let key = CaseKey(site: row.testSite, name: row.caseName)
      let network = Network(seed: row.seed, fold: row.fold, trainSites: row.trainSites)
      outcomes[key, default: [:]][row.outcome, default: 0] += 1
      scored[row.seed, default: []].insert(key)
      if let value = row.value { values[key, default: [:]][network, default: []].append(value) }
    }
    let networks = rows.map { Network(seed: $0.seed, fold: $0.fold, trainSites: $0.trainSites) }.firstOccurrences
    let seeds = Set(rows.map(\.seed)).sorted()
    var bySeed = [UInt64: [CaseKey: Double]](uniqueKeysWithValues: seeds.map { ($0, [:]) })
    for (key, ofNetwork) in values {
      // Sum in the order of the networks: floating-point sums depend on it.
      for (seed, ofSeed) in Dictionary(grouping: networks, by: \.seed) {
        bySeed[seed]?[key] = Statistic(ofSeed.compactMap { ofNetwork[$0].flatMap { Statistic($0).mean } }).mean
      }
    }
    cases = outcomes.keys.sorted { a, b in
      a.site == b.site ? comesBefore(a.name, b.name) : comesBefore(a.site, b.site)
    }
    overSeeds = [CaseKey: Double](
      uniqueKeysWithValues: cases.compactMap { key in
        Statistic(seeds.compactMap { bySeed[$0]?[key] }).mean.map { (key, $0) }
      })
    self.seeds = seeds
    self.bySeed = bySeed
    self.scored = scored
    self.outcomes = outcomes
  }

  /// The defined values of a site's cases in order, for one seed or averaged over seeds.
  func values(site: String, seed: UInt64? = nil) -> [Double] {
    let values = seed.map { bySeed[$0] ?? [:] } ?? overSeeds
    return cases.filter { $0.site == site }.compactMap { values[$0] }
  }

  /// The seeds tested on all cases of a site or, for nil, of all sites. Other seeds' means are over fewer cases.
  func completeSeeds(site: String? = nil) -> [UInt64] {
    let expected = cases.filter { site == nil || $0.site == site }
    return seeds.filter { seed in expected.allSatisfy { scored[seed]!.contains($0) } }
  }

  func count(_ outcome: Outcome, site: String? = nil) -> Int {
    outcomes.reduce(0) { sum, entry in
      site == nil || entry.key.site == site ? sum + (entry.value[outcome] ?? 0) : sum
    }
  }
}
