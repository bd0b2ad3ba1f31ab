import Torch

/// A plain norm of the plan's kind.
enum NormLayer {
  case batch(BatchNorm)
  case instance(InstanceNorm)
  case group(GroupNorm)
  case layer(LayerNorm)
  case domain(DomainBatchNorm)

  /// Creates a norm of a level.
  ///
  /// - Parameter channels: nil for the level's own number.
  init(_ scope: Scope, level: Int, channels: Int? = nil, _ plan: NetworkPlan) {
    let channels = channels ?? plan.channels(level)
    switch plan.norm {
    case .bn: self = .batch(BatchNorm(scope, channels))
    // nnU-Net's instance norms have a scale and a shift, as group norms of single channels have.
    case .in where plan.stages != nil: self = .group(GroupNorm(scope, groups: channels, channels))
    case .in: self = .instance(InstanceNorm())
    case .gn: self = .group(GroupNorm(scope, groups: PlainNorm.groups, channels))
    case .ln:
      guard let size = plan.size else { preconditionFailure("layer norm needs the network's size") }
      self = .layer(LayerNorm(scope, shape: [channels] + plan.levels.size(size.sizes, at: level)))
    case .dsbn: self = .domain(DomainBatchNorm(scope, channels, sites: plan.sites))
    }
  }

  /// Normalizes x [N, C, H, W] or [N, C, D, H, W]; the result has the same shape.
  func callAsFunction(_ x: Tensor, _ context: ForwardContext) -> Tensor {
    switch self {
    case .batch(let norm): norm(x, context.mode)
    case .instance(let norm): norm(x)
    case .group(let norm): norm(x)
    case .layer(let norm): norm(x)
    case .domain(let norm): norm(x, sites: context.sites, context.mode)
    }
  }

  /// Computes convolution(ReLU(self(x))) + residual as one operation, equal up to rounding; nil on a device without it.
  func fused(
    _ x: Tensor, with convolution: some FusableConvolution, adding residual: Tensor?, _ context: ForwardContext
  ) -> Tensor? {
    switch self {
    case .batch(let norm): norm.fused(x, into: convolution, adding: residual, context.mode)
    case .instance(let norm): norm.fused(x, into: convolution, adding: residual)
    case .group(let norm): norm.fused(x, into: convolution, adding: residual)
    case .layer(let norm): norm.fused(x, into: convolution, adding: residual)
    case .domain(let norm): norm.fused(x, into: convolution, adding: residual, context)
    }
  }
}
