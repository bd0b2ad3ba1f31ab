/// Whether a structure was there and was found.
public enum Outcome: String, Codable, CodingKeyRepresentable, CaseIterable, Sendable {
  /// Both prediction and reference have voxels of the class; they need not touch.
  case found
  /// The reference has the structure, the prediction does not.
  case miss
  /// The prediction has the structure, the reference does not.
  case falseAlarm
  case bothEmpty

  init(predictionIsEmpty: Bool, referenceIsEmpty: Bool) {
    self =
      switch (predictionIsEmpty, referenceIsEmpty) {
      case (false, false): .found
      case (true, false): .miss
      case (false, true): .falseAlarm
      case (true, true): .bothEmpty
      }
  }
}

/// The metrics of one class of one case: one row of a score table.
public struct CaseScore: Codable, Equatable, Sendable {
  package let site: String
  package let caseName: String
  /// Which prediction it is: `first` or `final` pass of a network, with `+adapt` where batch statistics were taken on the
  /// case or site; `prediction` where files do not say.
  package let pass: String
  /// From 1; 0 is background, which is not scored.
  package let classIndex: Int
  public let className: String
  /// The values that the class has in masks, `1+2` of a merged one; nil in tables of earlier versions.
  let label: String?
  public let outcome: Outcome
  /// What the case was to the training; nil where that is not known, or the data are others.
  package var side: TrainingSide?
  /// One entry a metric; nil where the outcome leaves it undefined.
  let metrics: [Metric: Double?]

  init(
    site: String, caseName: String, pass: String, classIndex: Int, className: String, label: String? = nil,
    outcome: Outcome, metrics: [Metric: Double?]
  ) {
    self.site = site
    self.caseName = caseName
    self.pass = pass
    self.classIndex = classIndex
    self.className = className
    self.label = label
    self.outcome = outcome
    self.metrics = metrics
  }

  private enum CodingKeys: String, CodingKey {
    case site, caseName, pass, classIndex, className, label, outcome, metrics
    case side = "split"
  }

  /// The value of a metric, nil where it is undefined.
  public subscript(metric: Metric) -> Double? { metrics[metric] ?? nil }
}
