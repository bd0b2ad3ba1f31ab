import Foundation

/// The median; for an even count the mean of the two middle values; nil for no values.
package func median(_ values: [Double]) -> Double? {
  guard !values.isEmpty else { return nil }
  let sorted = values.sorted()
  let middle = sorted.count / 2
  return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/// Median, and 1.4826 times the median absolute deviation, which estimates a normal distribution's standard deviation.
package struct RobustSpread {
  package let median: Double
  package let deviation: Double

  package init?(_ values: [Double]) {
    guard let middle = Basics.median(values), let distance = Basics.median(values.map { abs($0 - middle) }) else {
      return nil
    }
    median = middle
    deviation = 1.4826 * distance
  }
}
