package import Scores

/// One value of an experiment: a metric of one class of one case, from one trained network.
package struct ResultRow: Equatable, Sendable {
  /// The method, named as on the command line: `bn`, `dual`.
  package let method: String
  /// The name of the held-out part of the data; empty if there is only one split.
  let fold: String
  let seed: UInt64
  /// The sites that the network was trained on, in the experiment's order.
  package let trainSites: [String]
  let testSite: String
  let caseName: String
  let className: String
  package let pass: String
  package let metric: Metric
  /// A finite value; nil where the outcome leaves the metric undefined.
  let value: Double?
  let outcome: Outcome
}
