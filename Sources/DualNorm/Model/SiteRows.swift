/// Which rows of a batch come from which training site. The rows of a site lie together.
public struct SiteRows: Equatable, Sendable {
  /// One site's rows.
  struct Run: Equatable, Sendable {
    /// Place of the site in `ModelDescription.sites`.
    let site: Int
    let rows: Range<Int>
  }

  /// In the order of the rows, without gaps.
  let runs: [Run]

  /// - Parameter siteOfRow: place of each row's site; equal ones are neighbours, in any order. Sites may be absent.
  init(_ siteOfRow: [Int]) {
    var runs: [Run] = []
    for (row, site) in siteOfRow.enumerated() {
      if let last = runs.last, last.site == site {
        runs[runs.count - 1] = Run(site: site, rows: last.rows.lowerBound..<row + 1)
      } else {
        runs.append(Run(site: site, rows: row..<row + 1))
      }
    }
    precondition(Set(runs.map(\.site)).count == runs.count, "the rows of a site lie together")
    self.runs = runs
  }

  /// `count` rows of one site.
  init(site: Int, count: Int) { runs = [Run(site: site, rows: 0..<count)] }
}
