import Scores

/// One value of an experiment: a metric of one class of one case, as one trained network gives it.
package struct ResultRow: Equatable, Sendable {
  /// What is compared, as named on the command line: `bn`, `dual`.
  package let method: String
  /// Which part of the data was held out, by name; empty where there is only one split.
  let fold: String
  let seed: UInt64
  /// The sites that the network was trained on, in the experiment's order.
  package let trainSites: [String]
  let testSite: String
  let caseName: String
  let className: String
  package let pass: String
  package let metric: Metric
  /// nil where the outcome leaves the metric undefined; finite.
  let value: Double?
  let outcome: Outcome
}
