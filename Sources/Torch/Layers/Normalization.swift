import CTorch

/// Batch normalization over all axes but C of [N, C, H, W] or [N, C, D, H, W], with running statistics (momentum 0.1).
public struct BatchNorm {
  /// Affine parameters, [C] each; nil without them.
  public let weight: Tensor?
  public let bias: Tensor?
  /// Running statistics, [C] each, for evaluation.
  public let runningMean: Tensor
  public let runningVariance: Tensor
  /// The number of training batches, a scalar int64. PyTorch saves it, so the files have it.
  public let batchesTracked: Tensor

  public init(_ scope: Scope, _ channels: Int, affine: Bool = true) {
    weight = affine ? scope.parameter("weight", Tensor(repeating: 1, shape: [channels])) : nil
    bias = affine ? scope.parameter("bias", Tensor(repeating: 0, shape: [channels])) : nil
    runningMean = scope.buffer("running_mean", Tensor(repeating: 0, shape: [channels]))
    runningVariance = scope.buffer("running_var", Tensor(repeating: 1, shape: [channels]))
    batchesTracked = scope.buffer("num_batches_tracked", Tensor(repeating: 0, shape: [], type: .int64))
  }

  /// Makes a layer of given tensors, in any precision.
  init(weight: Tensor?, bias: Tensor?, runningMean: Tensor, runningVariance: Tensor) {
    self.weight = weight
    self.bias = bias
    self.runningMean = runningMean
    self.runningVariance = runningVariance
    batchesTracked = Tensor([0], shape: [])
  }

  public func callAsFunction(_ x: Tensor, _ mode: Mode) -> Tensor {
    withStatistics(for: x, mode) {
      $0.batches?.add(1)
      return Tensor(
        ct_batch_norm(
          x.handle, weight?.handle, bias?.handle, $0.mean.handle, $0.variance.handle, $0.ofBatch, $0.momentum, epsilon),
        .batchNorm(epsilon: epsilon), x, $0.mean, $0.variance, weight, bias)
    }
  }

  typealias Statistics = (
    mean: Tensor, variance: Tensor, batches: Tensor?, ofBatch: Bool, momentum: Double
  )

  /// Runs `body` with the running statistics, which normalize x or which x's own statistics update.
  func withStatistics(for x: Tensor, _ mode: Mode, _ body: (Statistics) -> Tensor) -> Tensor {
    switch mode {
    case .evaluation: return body((runningMean, runningVariance, nil, false, 0))
    case .training: return body((runningMean, runningVariance, batchesTracked, true, 0.1))
    case .measurement(let statistics):
      // Momentum 1 replaces these with the batch's statistics.
      let (mean, variance) = (runningMean.copy(), runningVariance.copy())
      defer { statistics.add(mean: mean, variance: variance, count: x.count / x.size(1), of: self) }
      return body((mean, variance, nil, true, 1))
    }
  }
}

/// Normalization of each image and channel of [N, C, …]. Like PyTorch's default, it has no parameters.
public struct InstanceNorm {
  public init() {}

  public func callAsFunction(_ x: Tensor) -> Tensor {
    Tensor(ct_instance_norm(x.handle, epsilon), .instanceNorm(epsilon: epsilon), x)
  }
}

/// Normalization of each image and group of channels of [N, C, …].
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

  /// Makes a layer of given tensors, in any precision.
  init(weight: Tensor, bias: Tensor, groups: Int) {
    (self.weight, self.bias, self.groups) = (weight, bias, groups)
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    Tensor(
      ct_group_norm(x.handle, groups, weight.handle, bias.handle, epsilon),
      .groupNorm(groups: groups, epsilon: epsilon), x, weight, bias)
  }
}

/// Normalization of each image of [N, C, …], with a scale and shift for every element.
public struct LayerNorm {
  /// Scale and shift, [C, H, W] or [C, D, H, W] each. The layer accepts only this size.
  public let weight: Tensor
  public let bias: Tensor

  public init(_ scope: Scope, shape: [Int]) {
    weight = scope.parameter("weight", Tensor(repeating: 1, shape: shape))
    bias = scope.parameter("bias", Tensor(repeating: 0, shape: shape))
  }

  /// Makes a layer of given tensors, in any precision.
  init(weight: Tensor, bias: Tensor) {
    (self.weight, self.bias) = (weight, bias)
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    Tensor(
      ct_layer_norm(x.handle, weight.handle, bias.handle, epsilon), .layerNorm(epsilon: epsilon), x, weight, bias)
  }
}
