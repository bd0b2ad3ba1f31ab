import CTorch

/// Settings of a norm that is one operation with the ReLU and the convolution behind it.
///
/// Values that share a mean and a variance are those of a run of rows and of a group of channels. Batch norm has one run
/// of all rows and groups of one channel.
struct FusedNorm {
  /// Statistics for evaluation, [C] or [runs, C] each, which training updates.
  struct Running {
    let mean: Tensor
    let variance: Tensor
    /// Counts training batches; nil if nothing does.
    var batches: Tensor?
    let momentum: Double
  }

  /// Affine parameters, [C] or [runs, C] each.
  var weight: Tensor?
  var bias: Tensor?
  /// γ and β of every pixel in their place, [N, 2 C, …], or one [rows of a run, 2 C, …] for all runs.
  var map: Tensor?
  /// nil for norms that have no running statistics.
  var running: Running?
  /// Tells whether x's own statistics normalize it, as in training.
  var measures = true
  /// The rows of each run, in order; empty for one run of all rows.
  var rows: [Int] = []
  /// The channels of a group.
  var channels = 1
  var epsilon = Torch.epsilon

  /// Computes convolution(ReLU(norm(x))) + residual. It saves only x for its gradient.
  func callAsFunction(_ x: Tensor, into convolution: some FusableConvolution, adding residual: Tensor?) -> Tensor {
    let map = map?.planesJoined
    return withExtendedLifetime((map, self)) {
      rows.map(Int64.init).withUnsafeBufferPointer { rows in
        var norm = CTNorm(
          weight: weight?.handle, bias: bias?.handle, map: map?.handle, mean: running?.mean.handle,
          variance: running?.variance.handle, batches: running?.batches?.handle, training: measures,
          momentum: running?.momentum ?? 0, epsilon: epsilon, rows: rows.baseAddress, runs: rows.count,
          channels: channels)
        return convolution.fused(x, &norm, adding: residual)
      }
    }
  }
}

/// The ε of every norm.
let epsilon = 1e-5

extension Tensor {
  /// Tells whether a fused norm of this tensor may have several runs of rows and groups of several channels.
  fileprivate var takesSets: Bool { ct_norm_takes_sets(handle) }
}

extension BatchNorm {
  /// Computes convolution(ReLU(y)) + residual as one operation that saves only x for its gradient.
  ///
  /// - Parameters:
  ///   - map: γ and β of every pixel, [N, 2 C, H, W], for a norm without affine parameters. Then y = self(x) · (1 + γ) + β.
  ///     Without a map y = self(x).
  ///   - residual: a tensor of the result's shape.
  public func fused(
    _ x: Tensor, map: Tensor? = nil, into convolution: some FusableConvolution, adding residual: Tensor? = nil,
    _ mode: Mode
  ) -> Tensor {
    precondition(map == nil || weight == nil, "a map is in place of a weight and a bias")
    return withStatistics(for: x, mode) {
      FusedNorm(
        weight: weight, bias: bias, map: map,
        running: .init(mean: $0.mean, variance: $0.variance, batches: $0.batches, momentum: $0.momentum),
        measures: $0.ofBatch)(x, into: convolution, adding: residual)
    }
  }

  /// Computes convolution(ReLU(y)) + residual as `fused` does, with each run of rows normalized by a norm of its own.
  ///
  /// - Parameter runs: norms with affine parameters and the numbers of their rows, in the order of x's rows.
  /// - Returns: nil on a device without such an operation.
  public static func fused(
    _ x: Tensor, runs: [(norm: BatchNorm, rows: Int)], into convolution: some FusableConvolution,
    adding residual: Tensor? = nil, _ mode: Mode
  ) -> Tensor? {
    guard x.takesSets else { return nil }
    let norms = runs.map(\.norm)
    let (mean, variance) = (Tensor.stacked(norms.map(\.runningMean)), Tensor.stacked(norms.map(\.runningVariance)))
    let y = FusedNorm(
      weight: .stacked(norms.map { $0.weight! }), bias: .stacked(norms.map { $0.bias! }),
      running: .init(mean: mean, variance: variance, momentum: mode.momentum), measures: mode.measures,
      rows: runs.map(\.rows))(x, into: convolution, adding: residual)
    for (index, run) in runs.enumerated() {
      run.norm.take(
        mean: mean.row(index), variance: variance.row(index), of: x.count / x.size(1) / x.size(0) * run.rows, mode)
    }
    return y
  }

  /// Takes new running statistics of `count` values per channel, or hands them to those who measure.
  private func take(mean: Tensor, variance: Tensor, of count: Int, _ mode: Mode) {
    switch mode {
    case .evaluation: break
    case .training:
      batchesTracked.add(1)
      runningMean.assign(mean)
      runningVariance.assign(variance)
    case .measurement(let statistics): statistics.add(mean: mean, variance: variance, count: count, of: self)
    }
  }
}

extension Mode {
  /// The share of a batch in new running statistics; 1 replaces them.
  fileprivate var momentum: Double {
    switch self {
    case .evaluation: 0
    case .training: 0.1
    case .measurement: 1
    }
  }

  fileprivate var measures: Bool {
    if case .evaluation = self { false } else { true }
  }
}

extension BatchNorm {
  /// Computes convolution(ReLU(x · (1 + γ) + β)) + residual as one operation, for an x that is normalized already.
  ///
  /// - Parameter map: γ and β of every pixel, [N, 2 C, …].
  public func fused(
    normalized x: Tensor, map: Tensor, into convolution: some FusableConvolution, adding residual: Tensor? = nil
  ) -> Tensor {
    // Made of a tensor on the device, where a graph can capture it.
    let mean = runningMean * 0
    return FusedNorm(
      map: map, running: .init(mean: mean, variance: mean + 1, momentum: 0), measures: false, epsilon: 0)(
        x, into: convolution, adding: residual)
  }
}

extension InstanceNorm {
  /// Computes convolution(ReLU(self(x))) + residual as one operation; nil on a device without it.
  public func fused(_ x: Tensor, into convolution: some FusableConvolution, adding residual: Tensor? = nil) -> Tensor? {
    guard x.takesSets else { return nil }
    return FusedNorm(rows: x.rowsApart)(x, into: convolution, adding: residual)
  }
}

extension GroupNorm {
  /// Computes convolution(ReLU(self(x))) + residual as one operation; nil on a device without it.
  public func fused(_ x: Tensor, into convolution: some FusableConvolution, adding residual: Tensor? = nil) -> Tensor? {
    guard x.takesSets else { return nil }
    return FusedNorm(weight: weight, bias: bias, rows: x.rowsApart, channels: x.size(1) / groups)(
      x, into: convolution, adding: residual)
  }
}

extension LayerNorm {
  /// Computes convolution(ReLU(self(x))) + residual as one operation; nil on a device without it.
  public func fused(_ x: Tensor, into convolution: some FusableConvolution, adding residual: Tensor? = nil) -> Tensor? {
    guard x.takesSets else { return nil }
    precondition(Array(x.shape.dropFirst()) == weight.shape, "layer norm takes images of \(weight.shape) only")
    let map = Tensor.concatenate([weight + -1, bias], dimension: 0).reshaped([1, 2 * x.size(1)] + x.spatialShape)
    return FusedNorm(map: map, rows: x.rowsApart, channels: x.size(1))(x, into: convolution, adding: residual)
  }
}

extension Tensor {
  /// Runs of one row each.
  fileprivate var rowsApart: [Int] { Array(repeating: 1, count: size(0)) }

  fileprivate static func stacked(_ vectors: [Tensor]) -> Tensor {
    .concatenate(vectors.map { $0.reshaped(1, $0.count) }, dimension: 0)
  }

  fileprivate func row(_ index: Int) -> Tensor { narrowed(0, to: index..<index + 1).reshaped(size(1)) }
}
