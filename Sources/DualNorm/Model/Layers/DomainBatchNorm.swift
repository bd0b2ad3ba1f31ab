import Torch

/// Domain-specific batch normalization (Chang et al., CVPR 2019): statistics and affine parameters for each training
/// site.
struct DomainBatchNorm {
  /// One norm for each site, in the order of `ModelDescription.sites`.
  private let branches: [BatchNorm]

  /// Registers the parameters under the names of the published code, such as `bns.0.weight`.
  init(_ scope: Scope, _ channels: Int, sites: Int) {
    branches = (0..<sites).map { BatchNorm(scope / "bns" / "\($0)", channels) }
  }

  /// The branch that all rows share; nil if they have several.
  func branch(of sites: SiteRows?) -> BatchNorm? {
    if branches.count == 1 { return branches[0] }
    guard let runs = sites?.runs else { preconditionFailure("domain-specific batch norm needs the site of each row") }
    return runs.count == 1 ? branches[runs[0].site] : nil
  }

  /// Normalizes x [N, C, H, W], each site's rows with its own branch. The branch of a site without rows does not
  /// change.
  ///
  /// - Parameter sites: required if there are several branches.
  func callAsFunction(_ x: Tensor, sites: SiteRows?, _ mode: Mode) -> Tensor {
    if let branch = branch(of: sites) { return branch(x, mode) }
    let runs = sites!.runs
    precondition(runs.last?.rows.upperBound == x.size(0), "\(x.size(0)) rows, not those that the sites name")
    return .concatenate(
      runs.map { branches[$0.site](x.narrowed(0, to: $0.rows), mode) }, dimension: 0)
  }

  /// Computes convolution(ReLU(self(x))) + residual as one operation, equal up to rounding; nil on a device without it.
  func fused(
    _ x: Tensor, into convolution: some FusableConvolution, adding residual: Tensor?, _ context: ForwardContext
  ) -> Tensor? {
    if let branch = branch(of: context.sites) {
      return branch.fused(x, into: convolution, adding: residual, context.mode)
    }
    let runs = context.sites!.runs.map { (norm: branches[$0.site], rows: $0.rows.count) }
    return BatchNorm.fused(x, runs: runs, into: convolution, adding: residual, context.mode)
  }
}
