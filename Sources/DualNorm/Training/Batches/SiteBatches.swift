import Basics
import Datasets

/// The sites and the order of a batch's slices; domain-specific batch norm needs each site's slices to be contiguous.
struct SiteBatches: Sendable {
  /// The branch of each training volume; nil for a network without branches.
  private let branches: [Int]?

  /// - Throws: `Refusal` for a case from a site without a branch in the model.
  init(_ cases: [PreparedCase], _ description: ModelDescription) throws {
    guard description.network.norm == .dsbn else {
      branches = nil
      return
    }
    branches = try cases.map { item in
      guard let branch = description.branch(ofSite: item.source.site) else {
        throw Refusal(
          .input, item.source.identifier, "is of a site that the model has no batch norm for",
          detail: "it has \(listed(description.sites))")
      }
      return branch
    }
  }

  /// Puts slices in the batch's order, with their indices in the sampler's order.
  func ordered(_ slices: [SliceSampler.Slice]) -> [(place: Int, slice: SliceSampler.Slice)] {
    let placed = slices.enumerated().map { (place: $0, slice: $1) }
    guard let branches else { return placed }
    return placed.sorted { (branches[$0.slice.volume], $0.place) < (branches[$1.slice.volume], $1.place) }
  }

  /// The sites of a batch's rows, in the order of `ordered`.
  ///
  /// - Parameter slices: evaluated only for a network with branches.
  func rows(_ slices: @autoclosure () -> [SliceSampler.Slice]) -> SiteRows? {
    branches.map { branches in SiteRows(ordered(slices()).map { branches[$0.slice.volume] }) }
  }
}
