/// Mean and variance of every batch norm over some batches, as if they had been one.
///
/// Forward passes in the mode `.measurement` add to them. `applied` puts them in place of the running statistics for as
/// long as its body runs.
public final class BatchStatistics {
  /// Of one batch norm; [C] each.
  private final class Estimate {
    let norm: BatchNorm2d
    var count = 0.0
    var mean: [Double]
    /// Sum of the squared differences from the mean.
    var squares: [Double]

    init(_ norm: BatchNorm2d) {
      self.norm = norm
      mean = Array(repeating: 0, count: norm.runningMean.count)
      squares = mean
    }
  }

  /// In the order in which their norms were first met.
  private var estimates: [Estimate] = []
  private var places: [ObjectIdentifier: Int] = [:]

  public init() {}

  /// Whether no batch norm was met.
  public var isEmpty: Bool { estimates.isEmpty }

  /// The fewest values a channel that a norm has seen; no variance can be told of fewer than 2.
  public var smallestCount: Int? { estimates.map { Int($0.count) }.min() }

  /// Takes in a batch of `count` values a channel with unbiased variance (Chan, Golub & LeVeque 1979): differences
  /// between the means of batches count as variance, as the law of total variance has it.
  func add(mean: Tensor, variance: Tensor, count: Int, of norm: BatchNorm2d) {
    let estimate = estimate(of: norm)
    let (new, total) = (Double(count), estimate.count + Double(count))
    // Of a single value LibTorch gives no variance.
    let variances = count > 1 ? variance.values(Double.self) : estimate.mean.map { _ in 0 }
    for (channel, (mean, variance)) in zip(mean.values(Double.self), variances).enumerated() {
      let difference = mean - estimate.mean[channel]
      estimate.mean[channel] += difference * new / total
      estimate.squares[channel] += variance * (new - 1) + difference * difference * estimate.count * new / total
    }
    estimate.count = total
  }

  private func estimate(of norm: BatchNorm2d) -> Estimate {
    let key = ObjectIdentifier(norm.runningMean)
    if let place = places[key] { return estimates[place] }
    places[key] = estimates.count
    estimates.append(Estimate(norm))
    return estimates.last!
  }

  /// Runs `body` with these as the running statistics of their norms, which then come back to the bit.
  ///
  /// Each norm must have seen at least 2 values a channel.
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
