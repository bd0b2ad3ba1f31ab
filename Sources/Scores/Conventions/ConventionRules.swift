import Basics
import MedicalImaging

/// What a tool measures, and what it makes of empty masks: one conforming type a tool.
package protocol ConventionRules: Sendable {
  var tool: String { get }
  /// In what surface distances are measured; nil where the tool has none.
  var distanceUnit: DistanceUnit? { get }
  func columns(tolerancesMM: [Double]) -> [ConventionColumn]
  /// What a structure of each outcome counts as.
  var outcomes: [Outcome: String] { get }
  /// How means are taken, where a reader could expect otherwise.
  var meansNote: String? { get }
  /// What the tool does to a prediction, in file values, before it compares.
  func prepared(_ prediction: LabelMap, scheme: LabelScheme) -> LabelMap
  /// Whether a class without a predicted voxel is compared as if every voxel were predicted.
  var fillsEmptyPredictions: Bool { get }
  /// The mean of a metric over cases.
  func mean(of values: [Double?]) -> Statistic
  /// The mean over the classes of a metric's values, one row a case, one column a class.
  func classMean(of cases: [[Double?]]) -> Statistic
}

package enum DistanceUnit: Sendable {
  case mm
  /// As if every voxel were a cube of edge 1.
  case voxels
}

package struct ConventionColumn: Sendable {
  package let metric: Metric
  /// The formula in words, with what is undefined.
  package let definition: String
  /// Whether the table for people has it; files have all.
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

  /// Over the defined values.
  package func mean(of values: [Double?]) -> Statistic { Statistic(values.compactMap { $0 }) }

  /// The mean of the classes' means.
  package func classMean(of cases: [[Double?]]) -> Statistic {
    Statistic(meanOf: classMeans(of: cases).compactMap { $0 })
  }

  func classMeans(of cases: [[Double?]]) -> [Double?] {
    (cases.first ?? []).indices.map { index in mean(of: cases.map { $0[index] }).mean }
  }
}
