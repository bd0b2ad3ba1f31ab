import Torch

/// A plain norm of the kind that the configuration names.
enum NormLayer {
  case batch(BatchNorm2d)
  case instance(InstanceNorm2d)
  case group(GroupNorm)
  case layer(LayerNorm)
  case domain(DomainBatchNorm)

  /// A norm of `channels` on a level whose size is the input's halved `level` times.
  init(_ scope: Scope, channels: Int, level: Int, configuration: UNetConfiguration) {
    switch configuration.norm {
    case .bn: self = .batch(BatchNorm2d(scope, channels))
    case .in: self = .instance(InstanceNorm2d())
    case .gn: self = .group(GroupNorm(scope, groups: PlainNorm.groups, channels))
    case .ln:
      guard let size = configuration.size else { preconditionFailure("layer norm needs the network's size") }
      self = .layer(LayerNorm(scope, shape: [channels, size.height >> level, size.width >> level]))
    case .dsbn: self = .domain(DomainBatchNorm(scope, channels, sites: configuration.sites))
    }
  }

  /// convolution(ReLU(norm(x))) + residual
  func rectified(
    _ x: Tensor, by convolution: some FusableConvolution, adding residual: Tensor? = nil, _ context: ForwardContext
  ) -> Tensor {
    if context.fuses, let norm = batchNorm(context.sites) {
      return norm.rectified(x, by: convolution, adding: residual, context.mode)
    }
    let rectified = self(x, context).relu()
    let y = context.fuses ? convolution.fused(rectified) : convolution(rectified)
    return residual.map { $0 + y } ?? y
  }

  /// The batch norm that all rows share, if there is one.
  private func batchNorm(_ sites: SiteRows?) -> BatchNorm2d? {
    switch self {
    case .batch(let norm): norm
    case .domain(let norm): norm.branch(of: sites)
    case .instance, .group, .layer: nil
    }
  }

  private func callAsFunction(_ x: Tensor, _ context: ForwardContext) -> Tensor {
    switch self {
    case .batch(let norm): norm(x, context.mode)
    case .instance(let norm): norm(x)
    case .group(let norm): norm(x)
    case .layer(let norm): norm(x)
    case .domain(let norm): norm(x, sites: context.sites, context.mode)
    }
  }
}
