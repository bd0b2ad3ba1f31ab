import Basics
import Scores

/// One side of a comparison: one pass of a method and, in a matrix of several train sets, one set of train sites.
package struct Arm: Hashable, Codable, Sendable {
  package let method: String
  /// nil if the arm takes all sets of train sites together.
  package let trainSites: [String]?
  /// The name of the pass in files; `ExperimentSummary.passTitle` is for people.
  package let pass: String

  init(method: String, trainSites: [String]? = nil, pass: String) {
    self.method = method
    self.trainSites = trainSites
    self.pass = pass
  }
}

/// Mean and both spreads of one metric over some cases.
struct Spread: Equatable, Codable, Sendable {
  /// Over the cases' values, first averaged over classes and seeds; for the mean of sites, over the sites' means.
  let overCases: Statistic
  /// Over the means of the seeds tested on all the cases; the standard deviation of a single one is undefined.
  let betweenSeeds: Statistic
}

/// One arm at one test site.
struct TestSiteSummary: Equatable, Codable, Sendable {
  let site: String
  let caseCount: Int
  /// Outcomes over all classes, seeds and folds.
  let outcomes: [Outcome: Int]
  let spread: Spread

  func count(_ outcome: Outcome) -> Int { outcomes[outcome] ?? 0 }
}

/// One metric of one arm; docs/conventions.md ("Experiments") defines it.
package struct ArmSummary: Equatable, Codable, Sendable {
  package let arm: Arm
  let seeds: [UInt64]
  /// Seeds not tested on all of the arm's cases, in an unfinished experiment.
  let incompleteSeeds: [UInt64]
  /// Every test site that the arm was scored on.
  let sites: [TestSiteSummary]
  /// Every site with the same weight; its `count` is the number of sites where the metric is defined.
  let meanOfSites: Spread
  /// Every case with the same weight.
  let allCases: Spread
  /// The site with the worst mean over cases; nil if no site has one.
  let worstSite: TestSiteSummary?

  var caseCount: Int { sites.reduce(0) { $0 + $1.caseCount } }

  func count(_ outcome: Outcome) -> Int { sites.reduce(0) { $0 + $1.count(outcome) } }

  /// The number of scored structures: classes × cases × seeds (× folds that tested the case).
  var structureCount: Int { Outcome.allCases.reduce(0) { $0 + count($1) } }

  init(_ arm: Arm, _ values: CaseValues, lowerIsBetter: Bool) {
    self.arm = arm
    seeds = values.seeds
    incompleteSeeds = values.seeds.filter { !values.completeSeeds().contains($0) }
    let names = values.cases.map(\.site).firstOccurrences
    let sites = names.map { TestSiteSummary($0, values) }
    self.sites = sites
    let means = { (seed: UInt64) in names.compactMap { Statistic(values.values(site: $0, seed: seed)).mean } }
    let defined = sites.compactMap(\.spread.overCases.mean)
    let complete = values.completeSeeds()
    meanOfSites = Spread(
      overCases: Statistic(defined),
      betweenSeeds: Statistic(
        complete.map(means).filter { $0.count == defined.count }.compactMap { Statistic($0).mean }))
    allCases = Spread(
      overCases: Statistic(names.flatMap { values.values(site: $0) }),
      betweenSeeds: Statistic(
        complete.compactMap { seed in Statistic(names.flatMap { values.values(site: $0, seed: seed) }).mean }))
    worstSite = sites.filter { $0.spread.overCases.mean != nil }.min { a, b in
      let (a, b) = (a.spread.overCases.mean!, b.spread.overCases.mean!)
      return lowerIsBetter ? a > b : a < b
    }
  }
}

extension TestSiteSummary {
  fileprivate init(_ site: String, _ values: CaseValues) {
    self.site = site
    caseCount = values.cases.count { $0.site == site }
    outcomes = Dictionary(uniqueKeysWithValues: Outcome.allCases.map { ($0, values.count($0, site: site)) })
    spread = Spread(
      overCases: Statistic(values.values(site: site)),
      betweenSeeds: Statistic(
        values.completeSeeds(site: site).compactMap { Statistic(values.values(site: site, seed: $0)).mean }))
  }
}
