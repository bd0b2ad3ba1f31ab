import Testing

@testable import Experiments

@Suite struct HolmAndBootstrapTests {
  @Test func holmEqualsStatsmodels() throws {
    let families = try StatisticsFixture.read().holm
    #expect(families.count == 10)
    for family in families { expectClose(holmAdjusted(family.pValues), family.adjusted, within: 1e-15) }
  }

  @Test func holmStepsDown() {
    // 3 × 0.01; 2 × 0.04; 0.05 alone would fall below its predecessor.
    expectClose(holmAdjusted([0.04, 0.01, 0.05]), [0.08, 0.03, 0.08], within: 1e-15)
    #expect(holmAdjusted([0.4, 0.6]) == [0.8, 0.8])
    #expect(holmAdjusted([0.7, 0.6]) == [1, 1])
    #expect(holmAdjusted([]) == [])
  }

  /// With 10,000 resamples, the standard error of a 2.5th percentile is 0.027 standard deviations. scipy used 200,000.
  @Test func intervalEqualsScipyWithinMonteCarloError() throws {
    let fixtures = try StatisticsFixture.read().bootstrap
    #expect(fixtures.count == 3)
    for fixture in fixtures {
      for seed in [0, 1] as [UInt64] {
        let interval = try #require(BootstrapInterval(ofMeanOf: fixture.strata, seed: seed))
        #expect(interval.resamples == 10_000)
        expectClose(
          [interval.lower, interval.upper], [fixture.lower, fixture.upper], within: 0.12 * fixture.standardError)
      }
    }
  }

  @Test func intervalIsAFunctionOfValuesAndSeed() {
    let strata = [(1...20).map { 1 / Double($0) }, [0.9, 0.35]]
    let interval = BootstrapInterval(ofMeanOf: strata, resamples: 500, seed: 4)
    #expect(interval == BootstrapInterval(ofMeanOf: strata, resamples: 500, seed: 4))
    #expect(interval != BootstrapInterval(ofMeanOf: strata, resamples: 500, seed: 5))
  }

  /// Strata keep their sizes, so with constant strata every resample has the same mean.
  @Test func strataKeepTheirSizes() {
    let interval = BootstrapInterval(ofMeanOf: [[1, 1, 1], [5]], resamples: 100)
    #expect(interval?.lower == 2 && interval?.upper == 2)
  }

  @Test func oneValueAStratumHasNoInterval() {
    #expect(BootstrapInterval(ofMeanOf: []) == nil)
    #expect(BootstrapInterval(ofMeanOf: [[0.3], [0.5]]) == nil)
  }
}
