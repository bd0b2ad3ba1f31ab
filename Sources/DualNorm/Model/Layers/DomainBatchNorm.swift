import Torch

/// Domain-specific batch normalization (Chang et al., CVPR 2019): statistics and affine parameters of each training site.
struct DomainBatchNorm {
  /// In the order of `ModelDescription.sites`.
  private let branches: [BatchNorm2d]

  /// Registers the names of the published code, `bns.0.weight` and so on.
  init(_ scope: Scope, _ channels: Int, sites: Int) {
    branches = (0..<sites).map { BatchNorm2d(scope / "bns" / "\($0)", channels) }
  }

  /// The branch that all rows share, if there is one.
  func branch(of sites: SiteRows?) -> BatchNorm2d? {
    if branches.count == 1 { return branches[0] }
    guard let runs = sites?.runs else { preconditionFailure("domain-specific batch norm needs the site of each row") }
    return runs.count == 1 ? branches[runs[0].site] : nil
  }

  /// x [N, C, H, W] -> the same shape, the rows of each site by its own branch; a site without rows stays as it is.
  ///
  /// Only a norm of a single branch can do without knowing the sites.
  func callAsFunction(_ x: Tensor, sites: SiteRows?, _ mode: Mode) -> Tensor {
    if let branch = branch(of: sites) { return branch(x, mode) }
    let runs = sites!.runs
    precondition(runs.last?.rows.upperBound == x.size(0), "\(x.size(0)) rows, not those that the sites name")
    return .concatenate(
      runs.map { branches[$0.site](x.narrowed(0, to: $0.rows), mode) }, dimension: 0)
  }
}
