import Basics
import Datasets

/// Which site the slices of a batch come from, and their order: domain-specific batch norm has those of a site together.
struct SiteBatches: Sendable {
  /// Branch of each training volume; nil for a network without branches.
  private let branches: [Int]?

  /// - Throws: `InputError` for a case of a site that the model has no branch for.
  init(_ cases: [PreparedCase], _ description: ModelDescription) throws {
    guard description.network.norm == .dsbn else {
      branches = nil
      return
    }
    branches = try cases.map { item in
      guard let branch = description.branch(ofSite: item.source.site) else {
        throw InputError(
          "\(item.source.identifier): is of a site that the model has no batch norm for; it has \(listed(description.sites))."
        )
      }
      return branch
    }
  }

  /// Slices as they lie in the batch, with their places in the sampler's order.
  func ordered(_ slices: [SliceSampler.Slice]) -> [(place: Int, slice: SliceSampler.Slice)] {
    let placed = slices.enumerated().map { (place: $0, slice: $1) }
    guard let branches else { return placed }
    return placed.sorted { (branches[$0.slice.volume], $0.place) < (branches[$1.slice.volume], $1.place) }
  }

  /// The sites of the rows of a batch as `ordered` has them.
  ///
  /// - Parameter slices: drawn for a network with branches only.
  func rows(_ slices: @autoclosure () -> [SliceSampler.Slice]) -> SiteRows? {
    branches.map { branches in SiteRows(ordered(slices()).map { branches[$0.slice.volume] }) }
  }
}
