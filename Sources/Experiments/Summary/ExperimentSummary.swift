import Basics
import DualNorm
package import Scores

/// The summary of one metric: means and spreads of every arm, and every arm against a baseline.
///
/// docs/conventions.md ("Experiments") states every formula.
package struct ExperimentSummary: Equatable, Encodable, Sendable {
  let metric: Metric
  let lengthUnit: LengthUnit
  /// Arms ordered by method as in the table, train sites, and pass.
  package let arms: [ArmSummary]
  let baseline: String
  let comparisons: [ArmComparison]
  package let testSites: [String]
  /// Test sites whose networks were never trained on them; they are marked.
  let unseenSites: [String]
  /// All cases that some arm was scored on, by test site.
  let caseCounts: [String: Int]
  let seeds: [UInt64]
  /// Sentences for below the tables: how the results were made and what makes them doubtful.
  package var remarks: [String] = []

  /// - Parameters:
  ///   - metric: any but the volumes, which have no better and worse.
  ///   - baseline: the method to compare the others with; nil for the table's first.
  ///   - baselinePass: the name or title of the baseline's pass to compare every other arm with. For nil, a method's
  ///     last pass meets the baseline's last. An earlier pass meets the baseline's pass of that name, or else its last.
  ///   - separatingTrainSites: whether sets of train sites are separate arms. For nil, they are if a seed of a method
  ///     tests some case after training on different sets (a matrix).
  ///   - lengthUnit: the metric's unit, if it is a length.
  ///   - resamples: the number of bootstrap resamples of each interval, all from the same `seed`.
  /// - Throws: `Refusal` for a metric that is absent or cannot be compared, or an unknown baseline or pass.
  package init(
    _ table: ResultTable, metric: Metric = .dice, baseline: String? = nil, baselinePass: String? = nil,
    separatingTrainSites: Bool? = nil, lengthUnit: LengthUnit = .mm, resamples: Int = 10_000, seed: UInt64 = 0
  ) throws {
    guard let lowerIsBetter = metric.lowerIsBetter else {
      throw Refusal(
        .input, "\(metric.rawValue) is neither better nor worse when it is larger",
        remedy: "summarize dice or another score")
    }
    let rows = table.rows.filter { $0.metric == metric }
    guard let first = rows.first else { throw Self.absent(metric, table) }
    let separated = separatingTrainSites ?? trainSitesDiffer(in: rows)
    let groups = Dictionary(grouping: rows) { row in
      Arm(method: row.method, trainSites: separated ? row.trainSites : nil, pass: row.pass)
    }
    let arms = Self.ordered(groups.keys, table.methods).map { (arm: $0, values: CaseValues(groups[$0]!)) }
    let matching = try BaselineChoice(
      method: baseline ?? first.method, pass: baselinePass, arms: arms.map(\.arm), methods: table.methods)
    var comparisons = arms.compactMap { arm -> ArmComparison? in
      guard let index = matching.index(for: arm.arm) else { return nil }
      return ArmComparison(arm, with: arms[index], resamples: resamples, seed: seed)
    }
    let tested = comparisons.indices.filter { comparisons[$0].wilcoxon != nil }
    for (index, p) in zip(tested, holmAdjusted(tested.map { comparisons[$0].wilcoxon!.pValue })) {
      comparisons[index].adjustedP = p
    }
    let cases = Set(rows.map { CaseKey(site: $0.testSite, name: $0.caseName) })
    (self.metric, self.lengthUnit) = (metric, lengthUnit)
    self.arms = arms.map { ArmSummary($0.arm, $0.values, lowerIsBetter: lowerIsBetter) }
    self.baseline = matching.method
    self.comparisons = comparisons
    testSites = Set(rows.map(\.testSite)).sorted(by: comesBefore)
    let seen = Set(rows.filter { $0.trainSites.contains($0.testSite) }.map(\.testSite))
    unseenSites = testSites.filter { !seen.contains($0) }
    caseCounts = Dictionary(grouping: cases, by: \.site).mapValues(\.count)
    seeds = Set(rows.map(\.seed)).sorted()
  }

  private static func ordered(_ arms: some Collection<Arm>, _ methods: [String]) -> [Arm] {
    let rank = Dictionary(uniqueKeysWithValues: methods.enumerated().map { ($1, $0) })
    return arms.sorted { a, b in
      if a.method != b.method { return rank[a.method]! < rank[b.method]! }
      let (mine, others) = (ResultTable.joined(a.trainSites ?? []), ResultTable.joined(b.trainSites ?? []))
      return mine == others ? passComesBefore(a.pass, b.pass) : comesBefore(mine, others)
    }
  }

  private static func absent(_ metric: Metric, _ table: ResultTable) -> Refusal {
    let known = table.metrics.filter { $0.lowerIsBetter != nil }.map(\.rawValue)
    guard !known.isEmpty else {
      return Refusal(
        .input, "There are no results to summarize", remedy: "run at least one cell of the experiment")
    }
    return Refusal(
      .input, "\(metric.rawValue) is not in the results",
      question: "did you mean \(nearest(to: metric.rawValue, among: known))")
  }
}

/// Tells whether some case was tested by networks of one method, pass and seed that were trained on different sites.
private func trainSitesDiffer(in rows: [ResultRow]) -> Bool {
  var trainSites: [[String]: [String]] = [:]
  return rows.contains { row in
    let key = [row.method, row.pass, String(row.seed), row.testSite, row.caseName]
    return trainSites.updateValue(row.trainSites, forKey: key).map { $0 != row.trainSites } ?? false
  }
}

/// The choice of each arm's baseline.
private struct BaselineChoice {
  let method: String
  private let pass: String?
  private let arms: [Arm]

  init(method: String, pass: String?, arms: [Arm], methods: [String]) throws {
    guard methods.contains(method) else {
      throw Refusal(
        .input, "There is no method \(quoted(method)) in the results to compare with",
        question: "did you mean \(nearest(to: method, among: methods))")
    }
    let passes = arms.filter { $0.method == method }.map(\.pass).firstOccurrences
    let titles = PassTitles(named: passes)
    let found = pass.flatMap { pass in passes.first { pass == $0 || pass == titles.title(of: $0) } }
    if let pass, found == nil {
      throw Refusal(
        .input, "\(method) has no pass \(quoted(pass))",
        detail: "it has the \(passes.count == 1 ? "pass" : "passes") \(listed(passes.map(titles.title)))")
    }
    (self.method, self.pass, self.arms) = (method, found, arms)
  }

  /// The index of an arm's baseline; nil for the baseline itself, or if it was not trained on the arm's sites.
  func index(for arm: Arm) -> Int? {
    let ofBaseline = arms.indices.filter { arms[$0].method == method && arms[$0].trainSites == arm.trainSites }
    if let pass { return ofBaseline.first { arms[$0].pass == pass && arms[$0] != arm } }
    guard arm.method != method else { return nil }
    // Compare adapted batch statistics with adapted ones, and training statistics with training statistics.
    let alike = ofBaseline.filter { arms[$0].isAdapted == arm.isAdapted }
    let candidates = alike.isEmpty ? ofBaseline : alike
    let last = arms.last {
      $0.method == arm.method && $0.trainSites == arm.trainSites && $0.isAdapted == arm.isAdapted
    }
    guard arm != last else { return candidates.last }
    return candidates.first { arms[$0].pass == arm.pass } ?? candidates.last
  }
}

extension Arm {
  fileprivate var isAdapted: Bool { pass.hasSuffix(Adaptation.passSuffix) }
}

extension Metric {
  /// nil for volumes and counts, which have no better and worse.
  package var lowerIsBetter: Bool? {
    switch self {
    case .dice, .diceEmptyIsOne, .iou, .nsd: false
    case .assd, .asd, .asdVoxels, .hd95, .hd95Voxels, .hausdorff: true
    case .predictionVolume, .referenceVolume, .voxels: nil
    }
  }
}
