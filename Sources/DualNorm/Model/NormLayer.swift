import Torch

/// A plain norm of the kind that the configuration names.
enum NormLayer {
  case batch(BatchNorm2d)
  case instance(InstanceNorm2d)
  case group(GroupNorm)
  case layer(LayerNorm)

  /// A norm of `channels` on a level whose size is the input's halved `level` times.
  init(_ scope: Scope, channels: Int, level: Int, configuration: UNetConfiguration) {
    switch configuration.norm {
    case .bn: self = .batch(BatchNorm2d(scope, channels))
    case .in: self = .instance(InstanceNorm2d())
    case .gn: self = .group(GroupNorm(scope, groups: PlainNorm.groups, channels))
    case .ln:
      guard let size = configuration.size else { preconditionFailure("layer norm needs the network's size") }
      self = .layer(LayerNorm(scope, shape: [channels, size.height >> level, size.width >> level]))
    }
  }

  func callAsFunction(_ x: Tensor, _ mode: Mode) -> Tensor {
    switch self {
    case .batch(let norm): norm(x, mode)
    case .instance(let norm): norm(x)
    case .group(let norm): norm(x)
    case .layer(let norm): norm(x)
    }
  }
}
