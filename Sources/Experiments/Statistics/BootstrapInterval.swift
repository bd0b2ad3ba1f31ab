import Basics

/// A 95 % percentile bootstrap interval of the mean of stratified values (Efron and Tibshirani, 1993).
///
/// Each resample draws, with replacement, as many values from every stratum as it has, and takes the mean of all.
/// The interval runs from the 2.5th to the 97.5th percentile of these means (linear interpolation).
struct BootstrapInterval: Equatable, Sendable, Codable {
  let lower: Double
  let upper: Double
  let resamples: Int

  /// Computes the interval; nil if no stratum has two values, since drawing from one gives no spread.
  ///
  /// Equal values in equal order and an equal seed give an equal interval.
  init?(ofMeanOf strata: [[Double]], resamples: Int = 10_000, seed: UInt64 = 0) {
    precondition(resamples > 0, "an interval takes at least one resample")
    guard strata.contains(where: { $0.count > 1 }) else { return nil }
    let count = Double(strata.reduce(0) { $0 + $1.count })
    var generator = SeededGenerator(seed: seed)
    var means: [Double] = []
    means.reserveCapacity(resamples)
    for _ in 0..<resamples {
      var sum = 0.0
      for stratum in strata where !stratum.isEmpty {
        stratum.withUnsafeBufferPointer { values in
          for _ in 0..<values.count { sum += values[generator.integer(below: values.count)] }
        }
      }
      means.append(sum / count)
    }
    means.sort()
    lower = percentile(2.5, ofSorted: means)
    upper = percentile(97.5, ofSorted: means)
    self.resamples = resamples
  }
}
