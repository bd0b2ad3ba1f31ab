import Foundation
import Testing

@testable import Experiments

@Suite struct WilcoxonTestTests {
  @Test func equalsScipy() throws {
    let fixtures = try StatisticsFixture.read().wilcoxon
    #expect(fixtures.count == 69)
    for fixture in fixtures {
      let test = try #require(WilcoxonTest(fixture.differences))
      #expect(test.statistic == fixture.statistic, "\(fixture.name)")
      #expect(
        abs(test.pValue - fixture.pValue) <= 1e-12 * fixture.pValue,
        "\(fixture.name): \(test.pValue) is not \(fixture.pValue)")
      let mirrored = try #require(WilcoxonTest(fixture.differences.map { -$0 }))
      #expect(mirrored.pValue == test.pValue, "\(fixture.name)")
    }
  }

  /// Corn heights, Wilcoxon's own example of 1945.
  @Test func classicExample() throws {
    let test = try #require(WilcoxonTest([6, 8, 14, 16, 23, 24, 28, 29, 41, -48, 49, 56, 60, -67, 75]))
    #expect(test.count == 15 && test.statistic == 24 && test.method == .exact)
    #expect(test.pValue == 0.041259765625)
  }

  @Test func exactUntilFiftyOrThirteenWithTiesOrZeros() {
    let distinct = (1...51).map { Double($0) * ($0 % 3 == 0 ? -1 : 1) }
    #expect(WilcoxonTest(Array(distinct.prefix(50)))?.method == .exact)
    #expect(WilcoxonTest(distinct)?.method == .normalApproximation)
    #expect(WilcoxonTest([0] + distinct.prefix(12))?.method == .exact)
    #expect(WilcoxonTest([0] + distinct.prefix(13))?.method == .normalApproximation)
    #expect(WilcoxonTest([2] + distinct.prefix(12))?.method == .exact)
    #expect(WilcoxonTest([2] + distinct.prefix(13))?.method == .normalApproximation)
  }

  @Test func zerosAloneSayNothing() {
    for count in [1, 5, 14, 60] {
      let test = WilcoxonTest([Double](repeating: 0, count: count))
      #expect(test?.pValue == 1 && test?.count == 0 && test?.statistic == 0)
    }
    #expect(WilcoxonTest([]) == nil)
  }

  @Test func fewDifferencesCannotReachFivePercent() {
    #expect((0...7).map(WilcoxonTest.smallestP) == [1, 1, 0.5, 0.25, 0.125, 0.0625, 0.03125, 0.015625])
    #expect(WilcoxonTest([1, 2, 3, 4, 5])?.pValue == 0.0625)
  }
}
