import Basics

/// An arm against its baseline, paired by case. Differences are arm − baseline.
///
/// A case counts if both define it; its values are first averaged over classes and seeds.
struct ArmComparison: Equatable, Codable, Sendable {
  let arm: Arm
  let baseline: Arm
  let pairCount: Int
  /// Cases scored for only one of the two, or with an undefined metric for one or both.
  let unpairedCount: Int
  /// The mean over the pairs, each with the same weight; nil without pairs.
  let meanDifference: Double?
  /// The interval of the mean difference; nil if every site has fewer than two pairs.
  ///
  /// Cases are resampled within their sites.
  let interval: BootstrapInterval?
  /// nil without pairs.
  let wilcoxon: WilcoxonTest?
  /// Holm's adjusted p-value, over all comparisons of the summary.
  public internal(set) var adjustedP: Double?

  init(
    _ arm: (arm: Arm, values: CaseValues), with baseline: (arm: Arm, values: CaseValues), resamples: Int, seed: UInt64
  ) {
    self.arm = arm.arm
    self.baseline = baseline.arm
    let pairs = arm.values.cases.compactMap { key in
      arm.values.overSeeds[key].flatMap { mine in
        baseline.values.overSeeds[key].map { (site: key.site, difference: mine - $0) }
      }
    }
    pairCount = pairs.count
    unpairedCount = Set(arm.values.cases).union(baseline.values.cases).count - pairs.count
    meanDifference = Statistic(pairs.map(\.difference)).mean
    let strata = pairs.map(\.site).firstOccurrences.map { site in
      pairs.filter { $0.site == site }.map(\.difference)
    }
    interval = BootstrapInterval(ofMeanOf: strata, resamples: resamples, seed: seed)
    wilcoxon = WilcoxonTest(pairs.map { Self.rounded($0.difference) })
  }

  /// Rounds to ten decimals, so that differences that are equal or zero up to summation rounding tie.
  private static func rounded(_ difference: Double) -> Double {
    abs(difference) < 1e5 ? (difference * 1e10).rounded() / 1e10 : difference
  }
}

/// Writes undefined values as null.
extension ArmComparison {
  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(arm, forKey: .arm)
    try container.encode(baseline, forKey: .baseline)
    try container.encode(pairCount, forKey: .pairCount)
    try container.encode(unpairedCount, forKey: .unpairedCount)
    try container.encode(meanDifference, forKey: .meanDifference)
    try container.encode(interval, forKey: .interval)
    try container.encode(wilcoxon, forKey: .wilcoxon)
    try container.encode(adjustedP, forKey: .adjustedP)
  }
}
