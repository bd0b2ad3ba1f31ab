/// Mean and spread of the values that are defined.
package struct Statistic: Codable, Equatable, Sendable {
  /// Number of values averaged.
  package let count: Int
  /// nil if there are no values.
  package let mean: Double?
  /// Sample standard deviation (n − 1); nil for fewer than two values, or if one is infinite.
  package let standardDeviation: Double?

  package init(count: Int, mean: Double?, standardDeviation: Double?) {
    self.count = count
    self.mean = mean
    self.standardDeviation = standardDeviation
  }

  package init(_ values: [Double]) {
    count = values.count
    guard count > 0 else {
      mean = nil
      standardDeviation = nil
      return
    }
    let mean = values.reduce(0, +) / Double(count)
    self.mean = mean
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    // Infinite values have a mean but no spread.
    standardDeviation = count > 1 && mean.isFinite ? (squares / Double(count - 1)).squareRoot() : nil
  }

  /// A mean of means, which has no spread over cases.
  package init(meanOf means: [Double]) {
    count = means.count
    mean = Statistic(means).mean
    standardDeviation = nil
  }
}

extension Statistic {
  /// Writes undefined values as null.
  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(count, forKey: .count)
    try container.encode(mean, forKey: .mean)
    try container.encode(standardDeviation, forKey: .standardDeviation)
  }
}

/// The `percent`th percentile of sorted values, linearly interpolated between the two nearest ranks (numpy's default).
package func percentile(_ percent: Double, ofSorted values: [Double]) -> Double {
  precondition(!values.isEmpty, "no values have no percentile")
  let position = Double(values.count - 1) * percent / 100
  let lower = Int(position)
  let upper = min(lower + 1, values.count - 1)
  return values[lower] + (values[upper] - values[lower]) * (position - Double(lower))
}
