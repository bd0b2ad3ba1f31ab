/// One value of an experiment: a metric of one class of one case, as one trained network gives it.
public struct ResultRow: Equatable, Sendable {
  /// What is compared, as named on the command line: `bn`, `dual`.
  public let method: String
  /// Which part of the data was held out, by name; empty where there is only one split.
  public let fold: String
  public let seed: UInt64
  /// The sites that the network was trained on, in the experiment's order.
  public let trainSites: [String]
  public let testSite: String
  public let caseName: String
  public let className: String
  public let pass: String
  public let metric: Metric
  /// nil where the outcome leaves the metric undefined; finite.
  public let value: Double?
  public let outcome: Outcome

  public init(
    method: String, fold: String, seed: UInt64, trainSites: [String], testSite: String, caseName: String,
    className: String, pass: String, metric: Metric, value: Double?, outcome: Outcome
  ) {
    self.method = method
    self.fold = fold
    self.seed = seed
    self.trainSites = trainSites
    self.testSite = testSite
    self.caseName = caseName
    self.className = className
    self.pass = pass
    self.metric = metric
    self.value = value
    self.outcome = outcome
  }
}
