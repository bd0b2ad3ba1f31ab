import Foundation

/// The two-sided Wilcoxon signed-rank test of paired differences, with the defaults of `scipy.stats.wilcoxon` 1.17.
///
/// These are `zero_method="wilcox"`, `correction=False` and `method="auto"`. Zeros are left out, and equal absolute
/// values share their mean rank. The p-value is twice the smaller tail of the sum of positive ranks, at most 1:
/// - exact over all 2ⁿ signs for at most 50 differences without zeros and ties, or at most 13 with them;
/// - otherwise from the normal approximation without continuity correction. Its variance is
///   (n (n + 1) (2n + 1) − Σ(t³ − t) / 2) / 24 for ties of t values.
///
/// Differences that are all zero give p = 1, where scipy gives NaN for more than 13.
struct WilcoxonTest: Equatable, Sendable, Codable {
  enum Method: String, Sendable, Codable {
    case exact
    case normalApproximation
  }

  /// The number of differences that are not zero.
  let count: Int
  /// The smaller of the sums of positive and negative ranks.
  let statistic: Double
  let pValue: Double
  let method: Method

  /// nil if there are no differences at all.
  init?(_ differences: [Double]) {
    guard !differences.isEmpty else { return nil }
    let nonzero = differences.filter { $0 != 0 }
    let ranks = SignedRanks(nonzero)
    let hasTiesOrZeros = ranks.ties.contains { $0 > 1 } || nonzero.count < differences.count
    count = nonzero.count
    statistic = Double(min(ranks.twicePositive, ranks.twiceNegative)) / 2
    method = differences.count <= (hasTiesOrZeros ? 13 : 50) ? .exact : .normalApproximation
    pValue = nonzero.isEmpty ? 1 : method == .exact ? ranks.exactP : ranks.normalP
  }

  /// The smallest p-value that `count` differences can have in the exact test.
  static func smallestP(count: Int) -> Double { min(1, exp2(1 - Double(count))) }
}

/// Ranks of absolute differences, doubled so that mean ranks are whole.
private struct SignedRanks {
  /// Ranks by ascending absolute difference.
  let twiceRanks: [Int]
  let twicePositive: Int
  let twiceNegative: Int
  /// The number of differences that share each absolute value.
  let ties: [Int]

  init(_ nonzero: [Double]) {
    let sorted = nonzero.sorted { abs($0) < abs($1) }
    var twiceRanks: [Int] = []
    var ties: [Int] = []
    while twiceRanks.count < sorted.count {
      let first = twiceRanks.count
      let size = sorted[first...].prefix { abs($0) == abs(sorted[first]) }.count
      // The mean of ranks first + 1 ... first + size.
      twiceRanks += [Int](repeating: 2 * first + 1 + size, count: size)
      ties.append(size)
    }
    self.twiceRanks = twiceRanks
    self.ties = ties
    twicePositive = zip(sorted, twiceRanks).reduce(0) { $1.0 > 0 ? $0 + $1.1 : $0 }
    twiceNegative = twiceRanks.reduce(0, +) - twicePositive
  }

  /// Twice the share of sign assignments whose positive ranks sum to at most the smaller sum.
  ///
  /// Twice, because the distribution is symmetric.
  var exactP: Double {
    var signs = [Double](repeating: 0, count: twicePositive + twiceNegative + 1)
    signs[0] = 1
    var largest = 0
    for rank in twiceRanks {
      for sum in stride(from: largest, through: 0, by: -1) { signs[sum + rank] += signs[sum] }
      largest += rank
    }
    let tail = signs[...min(twicePositive, twiceNegative)].reduce(0, +)
    return min(1, 2 * tail / exp2(Double(twiceRanks.count)))
  }

  var normalP: Double {
    let n = Double(twiceRanks.count)
    let tied = ties.reduce(0.0) { $0 + pow(Double($1), 3) - Double($1) }
    let deviation = ((n * (n + 1) * (2 * n + 1) - tied / 2) / 24).squareRoot()
    let z = (Double(twicePositive) / 2 - n * (n + 1) / 4) / deviation
    return erfc(abs(z) / 2.0.squareRoot())
  }
}
