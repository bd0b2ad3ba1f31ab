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

  func callAsFunction(_ x: Tensor, _ context: ForwardContext) -> Tensor {
    switch self {
    case .batch(let norm): norm(x, context.mode)
    case .instance(let norm): norm(x)
    case .group(let norm): norm(x)
    case .layer(let norm): norm(x)
    case .domain(let norm): norm(x, sites: context.sites, context.mode)
    }
  }
}

/// What a forward pass depends on besides its images and weights.
struct ForwardContext {
  /// [N, classes, H, W] in the final pass; nil in the first.
  let mask: Tensor?
  /// Only domain-specific batch norm looks at it.
  let sites: SiteRows?
  let mode: Mode
}
