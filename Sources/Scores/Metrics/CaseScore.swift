/// The presence of a structure in the prediction and the reference.
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
  /// The pass of the network that made the prediction: `first` or `final`; `prediction` if files do not tell.
  ///
  /// A suffix `+adapt` means batch statistics taken on the case or site.
  package var pass: String
  /// The class, from 1; background (0) is not scored.
  package let classIndex: Int
  public let className: String
  /// The labels of the class in masks, `1+2` for a merged one; nil in tables of earlier versions.
  let label: String?
  public let outcome: Outcome
  /// The side of the training's split that the case was on; nil if unknown, or for data of another training.
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

  /// The value of a metric; nil if undefined.
  public subscript(metric: Metric) -> Double? { metrics[metric] ?? nil }
}
