import Testing

@testable import Basics

@Suite struct StatisticTests {
  @Test func meanAndSampleDeviation() {
    let statistic = Statistic([2, 4, 4, 4, 5, 5, 7, 9])
    #expect(statistic.count == 8)
    #expect(statistic.mean == 5)
    #expect(abs(statistic.standardDeviation! - (32.0 / 7).squareRoot()) < 1e-15)
  }

  @Test func ofNoneAndOfOne() {
    #expect(Statistic([]).mean == nil && Statistic([]).standardDeviation == nil && Statistic([]).count == 0)
    #expect(Statistic([3]).mean == 3 && Statistic([3]).standardDeviation == nil)
  }

  /// numpy.percentile([1, 2, 4, 8], …)
  @Test func percentilesInterpolateLinearly() {
    let values = [0, 25, 50, 95, 100].map { percentile($0, ofSorted: [1, 2, 4, 8]) }
    expectClose(values, [1, 1.75, 3, 7.4, 8], within: 1e-12)
    #expect(percentile(95, ofSorted: [3]) == 3)
  }
}
