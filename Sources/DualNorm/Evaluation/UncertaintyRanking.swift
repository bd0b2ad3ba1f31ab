import Basics
package import Scores

extension ScoreTable {
  /// Words on how well the uncertainty of cases ranks them by the mean Dice of their classes; nil for fewer than 3.
  ///
  /// - Parameter uncertainty: by `Case.identifier`.
  package func correlation(with uncertainty: [String: Double]) -> String? {
    guard let pass = passes.last(where: { !$0.hasSuffix(Adaptation.passSuffix) }) else { return nil }
    let byCase = Dictionary(grouping: scores.filter { $0.pass == pass }) { "\($0.site)/\($0.caseName)" }
    let pairs = byCase.keys.sorted().compactMap { key -> (Double, Double)? in
      guard let value = uncertainty[key], let dice = Statistic(byCase[key]!.compactMap { $0[.dice] }).mean else {
        return nil
      }
      return (value, dice)
    }
    guard pairs.count >= 3 else { return nil }
    guard let rho = rankCorrelation(pairs.map(\.0), pairs.map(\.1)) else { return nil }
    return "Spearman's ρ \(rho < 0 ? "\u{2212}" : "")\(fixed(abs(rho), decimals: 2)) over "
      + "\(pairs.count) cases; \u{2212}1 would rank the worst first."
  }
}

/// Spearman's rank correlation: Pearson's of the ranks, where equal values share the mean of theirs.
///
/// - Returns: nil where all values of one are equal.
func rankCorrelation(_ a: [Double], _ b: [Double]) -> Double? {
  func ranks(_ values: [Double]) -> [Double] {
    values.map { value in
      Double(values.count { $0 < value }) + Double(values.count { $0 == value } - 1) / 2
    }
  }
  let (x, y) = (ranks(a), ranks(b))
  let mean = Double(a.count - 1) / 2
  func sum(_ p: [Double], _ q: [Double]) -> Double { zip(p, q).reduce(0) { $0 + ($1.0 - mean) * ($1.1 - mean) } }
  let scale = (sum(x, x) * sum(y, y)).squareRoot()
  return scale > 0 ? sum(x, y) / scale : nil
}
