/// Mean and variance of every batch norm over some batches, as if these were one batch.
///
/// Forward passes in the mode `.measurement` add to them. `applied` uses them as running statistics while its body runs.
public final class BatchStatistics {
  /// Statistics of one batch norm, [C] each.
  private final class Estimate {
    let norm: BatchNorm
    var count = 0.0
    var mean: [Double]
    /// Sum of the squared differences from the mean.
    var squares: [Double]

    init(_ norm: BatchNorm) {
      self.norm = norm
      mean = Array(repeating: 0, count: norm.runningMean.count)
      squares = mean
    }
  }

  /// Estimates in the order of their norms' first passes.
  private var estimates: [Estimate] = []
  private var places: [ObjectIdentifier: Int] = [:]

  public init() {}

  /// Tells whether no batch norm has run.
  public var isEmpty: Bool { estimates.isEmpty }

  /// The fewest values per channel that a norm has seen. A variance needs at least 2.
  public var smallestCount: Int? { estimates.map { Int($0.count) }.min() }

  /// Adds a batch of `count` values per channel with unbiased variance (Chan, Golub & LeVeque 1979).
  ///
  /// Differences between the means of batches count as variance, by the law of total variance.
  func add(mean: Tensor, variance: Tensor, count: Int, of norm: BatchNorm) {
    let estimate = estimate(of: norm)
    let (new, total) = (Double(count), estimate.count + Double(count))
    // LibTorch computes no variance of a single value.
    let variances = count > 1 ? variance.values(Double.self) : estimate.mean.map { _ in 0 }
    for (channel, (mean, variance)) in zip(mean.values(Double.self), variances).enumerated() {
      let difference = mean - estimate.mean[channel]
      estimate.mean[channel] += difference * new / total
      estimate.squares[channel] += variance * (new - 1) + difference * difference * estimate.count * new / total
    }
    estimate.count = total
  }

  private func estimate(of norm: BatchNorm) -> Estimate {
    let key = ObjectIdentifier(norm.runningMean)
    if let place = places[key] { return estimates[place] }
    places[key] = estimates.count
    estimates.append(Estimate(norm))
    return estimates.last!
  }

  /// Runs `body` with these as the running statistics of their norms, then restores the bits of the old ones.
  ///
  /// Each norm must have seen at least 2 values per channel.
  public func applied<Result>(_ body: () throws -> Result) rethrows -> Result {
    let saved = estimates.map { ($0.norm.runningMean.copy(), $0.norm.runningVariance.copy()) }
    defer {
      for (estimate, (mean, variance)) in zip(estimates, saved) {
        estimate.norm.runningMean.assign(mean)
        estimate.norm.runningVariance.assign(variance)
      }
    }
    for estimate in estimates {
      precondition(estimate.count > 1, "a single value a channel has no variance")
      let shape = estimate.norm.runningMean.shape
      estimate.norm.runningMean.assign(Tensor(estimate.mean, shape: shape))
      estimate.norm.runningVariance.assign(
        Tensor(estimate.squares.map { $0 / (estimate.count - 1) }, shape: shape))
    }
    return try body()
  }
}
