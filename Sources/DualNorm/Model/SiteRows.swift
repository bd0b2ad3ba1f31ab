/// The training site of each row of a batch. Rows of one site are contiguous.
public struct SiteRows: Equatable, Sendable {
  /// The rows of one site.
  struct Run: Equatable, Sendable {
    /// Index of the site in `ModelDescription.sites`.
    let site: Int
    let rows: Range<Int>
  }

  /// Runs in the order of the rows, without gaps.
  let runs: [Run]

  /// - Parameter siteOfRow: the site's index for each row; equal ones are contiguous. Sites may be absent.
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

  /// Creates `count` rows of one site.
  init(site: Int, count: Int) { runs = [Run(site: site, rows: 0..<count)] }
}
