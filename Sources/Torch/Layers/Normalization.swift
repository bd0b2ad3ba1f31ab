import CTorch

private let epsilon = 1e-5

/// Batch normalization over N, H and W of [N, C, H, W], with running statistics (momentum 0.1).
public struct BatchNorm2d {
  /// [C] each; nil without affine parameters.
  public let weight: Tensor?
  public let bias: Tensor?
  /// [C] each, what evaluation normalizes with.
  public let runningMean: Tensor
  public let runningVariance: Tensor
  /// Scalar int64; PyTorch keeps it, so the files have it.
  public let batchesTracked: Tensor

  public init(_ scope: Scope, _ channels: Int, affine: Bool = true) {
    weight = affine ? scope.parameter("weight", Tensor(repeating: 1, shape: [channels])) : nil
    bias = affine ? scope.parameter("bias", Tensor(repeating: 0, shape: [channels])) : nil
    runningMean = scope.buffer("running_mean", Tensor(repeating: 0, shape: [channels]))
    runningVariance = scope.buffer("running_var", Tensor(repeating: 1, shape: [channels]))
    batchesTracked = scope.buffer("num_batches_tracked", Tensor(repeating: 0, shape: [], type: .int64))
  }

  public func callAsFunction(_ x: Tensor, _ mode: Mode) -> Tensor {
    switch mode {
    case .evaluation: return normalized(x, runningMean, runningVariance, ofBatch: false)
    case .training:
      batchesTracked.add(1)
      return normalized(x, runningMean, runningVariance, ofBatch: true, momentum: 0.1)
    case .measurement(let statistics):
      // With momentum 1 these become the batch's own.
      let (mean, variance) = (Tensor(runningMean.stored), Tensor(runningVariance.stored))
      defer { statistics.add(mean: mean, variance: variance, count: x.count / x.size(1), of: self) }
      return normalized(x, mean, variance, ofBatch: true, momentum: 1)
    }
  }

  private func normalized(
    _ x: Tensor, _ mean: Tensor, _ variance: Tensor, ofBatch: Bool, momentum: Double = 0
  ) -> Tensor {
    Tensor(
      ct_batch_norm(
        x.handle, weight?.handle, bias?.handle, mean.handle, variance.handle, ofBatch, momentum, epsilon))
  }
}

/// Normalization of each image and channel of [N, C, H, W] by itself; PyTorch's default has no parameters.
public struct InstanceNorm2d {
  public init() {}

  public func callAsFunction(_ x: Tensor) -> Tensor { Tensor(ct_instance_norm(x.handle, epsilon)) }
}

/// Normalization of each image and group of channels of [N, C, H, W].
public struct GroupNorm {
  public let weight: Tensor
  public let bias: Tensor
  let groups: Int

  /// `channels` must be a multiple of `groups`.
  public init(_ scope: Scope, groups: Int, _ channels: Int) {
    precondition(channels % groups == 0, "\(channels) channels do not split into \(groups) groups")
    weight = scope.parameter("weight", Tensor(repeating: 1, shape: [channels]))
    bias = scope.parameter("bias", Tensor(repeating: 0, shape: [channels]))
    self.groups = groups
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    Tensor(ct_group_norm(x.handle, groups, weight.handle, bias.handle, epsilon))
  }
}

/// Normalization of each image of [N, C, H, W] as a whole, with a scale and shift for every element.
public struct LayerNorm {
  /// [C, H, W] each: the layer works for this one size.
  public let weight: Tensor
  public let bias: Tensor

  public init(_ scope: Scope, shape: [Int]) {
    weight = scope.parameter("weight", Tensor(repeating: 1, shape: shape))
    bias = scope.parameter("bias", Tensor(repeating: 0, shape: shape))
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    Tensor(ct_layer_norm(x.handle, weight.handle, bias.handle, epsilon))
  }
}
