import Testing

@testable import DualNorm

/// Values as SciPy's `spearmanr` gives them.
@Suite struct UncertaintyRankingTests {
  @Test func ranksAsSpearman() {
    #expect(rankCorrelation([1, 2, 3], [0.9, 0.8, 0.7]) == -1)
    #expect(rankCorrelation([0.1, 0.3, 0.2, 0.9], [5, 7, 6, 80]) == 1)
    let tied = rankCorrelation([0.1, 0.2, 0.2, 0.4, 0.5], [0.9, 0.7, 0.8, 0.8, 0.1])
    #expect(abs(tied! - -0.763157894736842) < 1e-12)
    #expect(rankCorrelation([1, 1, 1], [0.9, 0.8, 0.7]) == nil)
  }
}
