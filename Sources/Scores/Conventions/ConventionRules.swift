package import Basics
package import MedicalImaging

/// The metrics of a tool and its treatment of empty masks; each tool has one conforming type.
package protocol ConventionRules: Sendable {
  var tool: String { get }
  /// The unit of surface distances; nil if the tool has none.
  var distanceUnit: DistanceUnit? { get }
  func columns(tolerancesMM: [Double]) -> [ConventionColumn]
  /// For each outcome, how the tool counts such a structure.
  var outcomes: [Outcome: String] { get }
  /// A sentence on how means are taken, where readers could expect otherwise.
  var meansNote: String? { get }
  /// The prediction, in file values, after the tool's own changes before comparing.
  func prepared(_ prediction: LabelMap, scheme: LabelScheme) -> LabelMap
  /// Tells whether a class without a predicted voxel is compared as if every voxel were predicted.
  var fillsEmptyPredictions: Bool { get }
  /// The mean of a metric over cases.
  func mean(of values: [Double?]) -> Statistic
  /// The mean of a metric over classes, from one row a case and one column a class.
  func classMean(of cases: [[Double?]]) -> Statistic
}

package enum DistanceUnit: Sendable {
  case mm
  /// Distances as if every voxel were a cube of edge 1.
  case voxels
}

package struct ConventionColumn: Sendable {
  package let metric: Metric
  /// The formula in words, with the cases where it is undefined.
  package let definition: String
  /// Tells whether the printed table has the column; files have all columns.
  var isShown = true
  let value: @Sendable (ClassComparison) -> Double?

  init(
    _ metric: Metric, _ definition: String, isShown: Bool = true,
    value: @escaping @Sendable (ClassComparison) -> Double?
  ) {
    self.metric = metric
    self.definition = definition
    self.isShown = isShown
    self.value = value
  }
}

extension ConventionRules {
  package var meansNote: String? { nil }
  package var fillsEmptyPredictions: Bool { false }

  package func prepared(_ prediction: LabelMap, scheme: LabelScheme) -> LabelMap { prediction }

  /// The mean over the defined values.
  package func mean(of values: [Double?]) -> Statistic { Statistic(values.compactMap { $0 }) }

  /// The mean of the classes' means.
  package func classMean(of cases: [[Double?]]) -> Statistic {
    Statistic(meanOf: classMeans(of: cases).compactMap { $0 })
  }

  func classMeans(of cases: [[Double?]]) -> [Double?] {
    (cases.first ?? []).indices.map { index in mean(of: cases.map { $0[index] }).mean }
  }
}
