import Foundation

/// The middle value, of an even count the mean of the two; nil of none.
package func median(_ values: [Double]) -> Double? {
  guard !values.isEmpty else { return nil }
  let sorted = values.sorted()
  let middle = sorted.count / 2
  return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/// Median, and the deviation that a normal distribution of the same median distance from it has.
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
