import Testing

@testable import Torch

@Suite struct BatchStatisticsTests {
  private let norm = BatchNorm(Scope(Parameters(seed: 1)) / "norm", 2)

  /// A [count, 2, 1, 2] tensor of irregular numbers.
  private func batch(_ count: Int, from start: Int) -> Tensor {
    let values = (start..<start + 4 * count).map { number -> Float in
      let first = Float(number * 37 % 101) / 20
      return first - Float(number % 7)
    }
    return Tensor(values, shape: [count, 2, 1, 2])
  }

  /// Computes mean and unbiased variance of each channel.
  private func expected(_ x: Tensor) -> (mean: [Float], variance: [Float]) {
    let values = x.permuted(1, 0, 2, 3).reshaped(2, -1).values(Double.self)
    let channels = [values.prefix(values.count / 2), values.suffix(values.count / 2)]
    let means = channels.map { $0.reduce(0, +) / Double($0.count) }
    let variances = zip(channels, means).map { channel, mean in
      channel.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(channel.count - 1)
    }
    return (means.map(Float.init), variances.map(Float.init))
  }

  private func expectClose(_ a: [Float], _ b: [Float]) {
    #expect(zip(a, b).allSatisfy { abs($0 - $1) < 1e-5 * max(1, abs($1)) }, "\(a) and \(b)")
  }

  @Test func unequalBatchesAreAsOne() {
    let parts = [batch(3, from: 0), batch(1, from: 50), batch(4, from: 9)]
    let statistics = BatchStatistics()
    #expect(statistics.isEmpty)
    for part in parts { _ = norm(part, .measurement(statistics)) }
    #expect(statistics.smallestCount == 16)
    let (mean, variance) = expected(.concatenate(parts, dimension: 0))
    statistics.applied {
      expectClose(norm.runningMean.values(), mean)
      expectClose(norm.runningVariance.values(), variance)
    }
  }

  @Test func measuringNormalizesByTheBatchAndLeavesNoTrace() {
    let x = batch(3, from: 0)
    let before = norm.runningMean.values(Float.self) + norm.runningVariance.values(Float.self)
    let measured = norm(x, .measurement(BatchStatistics()))
    #expect(norm.runningMean.values(Float.self) + norm.runningVariance.values(Float.self) == before)
    #expect(norm.batchesTracked.item == 0)
    #expect(measured.values(Float.self) == norm(x, .training).values(Float.self))
  }

  @Test func theRunningStatisticsComeBackToTheBit() throws {
    norm.runningMean.assign(Tensor([Float(1e-40), .pi], shape: [2]))
    let before = [norm.runningMean.stored, norm.runningVariance.stored]
    let statistics = BatchStatistics()
    _ = norm(batch(3, from: 0), .measurement(statistics))
    struct Failure: Error {}
    #expect(throws: Failure.self) {
      try statistics.applied {
        #expect([norm.runningMean.stored, norm.runningVariance.stored] != before)
        throw Failure()
      }
    }
    #expect([norm.runningMean.stored, norm.runningVariance.stored] == before)
  }

  @Test func singleValuesAddUpToAVariance() {
    let statistics = BatchStatistics()
    for value in [Float(1), 4] {
      _ = norm(Tensor([value, -value], shape: [1, 2, 1, 1]), .measurement(statistics))
      if value == 1 { #expect(statistics.smallestCount == 1) }
    }
    statistics.applied {
      #expect(norm.runningMean.values(Float.self) == [2.5, -2.5])
      #expect(norm.runningVariance.values(Float.self) == [4.5, 4.5])
    }
  }
}
