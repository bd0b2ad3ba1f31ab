import Basics
import Scores

extension ScoreTable {
  /// The demo's table: Dice and ASSD of each site in each pass, averaged over classes and cases, with the misses.
  ///
  /// The mean leaves out unseen sites.
  ///
  /// - Parameter shown: the passes to show; passes without scores are left out.
  package func overview(of shown: [String]) -> String {
    let passes = shown.filter(self.passes.contains)
    let means = summaries.filter { $0.scope == .site && ($0.classIndex == nil || classes.count == 1) }
    func cells(_ sites: [String]) -> [String] {
      let ofPass = passes.map { pass in means.filter { $0.pass == pass && sites.contains($0.site ?? "") } }
      func mean(_ metric: Metric, _ decimals: Int) -> [String] {
        ofPass.map {
          Statistic($0.compactMap { $0.statistics[metric]?.mean }).mean.map { fixed($0, decimals: decimals) } ?? "-"
        }
      }
      let misses = ofPass.map { "\($0.reduce(0) { $0 + $1.count(.miss) + $1.count(.falseAlarm) })" }
      return mean(.dice, 3) + mean(.assd, 2) + misses
    }
    let titles = [Metric.dice.title(in: lengthUnit), Metric.assd.title(in: lengthUnit), "wrong"].flatMap {
      [$0] + passes.dropFirst().map { _ in "" }
    }
    let header = [["", ""] + titles, ["site", "cases"] + passes + passes + passes]
    let rows = sites.map { site in
      let cases = Set(scores.filter { $0.site == site }.map(\.caseName)).count
      return [title(ofSite: site), "\(cases)"] + cells([site])
    }
    let seen = sites.filter { !unseenSites.contains($0) }
    return fixedWidth(header + rows + [["mean of \(seen.count) sites", ""] + cells(seen)], leftAligned: 1)
      + "Means over cases and classes. Dice of a missed structure is 0; ASSD is over the found ones. "
      + "wrong: structures missed or falsely found.\n"
  }
}
