import Datasets
import Scores

/// How the cases of an evaluation are segmented and scored.
package struct EvaluationOptions {
  /// The classes to score, of the model's values; nil: the model's own.
  package var scoring: LabelScheme?
  /// The batch statistics that both passes are scored with, beside the model's own.
  package var adaptation: Adaptation
  package var tolerancesMM: [Double]
  /// The classes that keep only their largest connected component.
  package var largestComponent: LargestComponentChoice
  /// Makes a case that cannot be used one of the table's failures, unless there is no other case.
  package var skipsFailures: Bool

  package init(
    scoring: LabelScheme? = nil, adaptation: Adaptation = .none,
    tolerancesMM: [Double] = Scorer.defaultTolerancesMM, largestComponent: LargestComponentChoice = .asInModel,
    skipsFailures: Bool = false
  ) {
    self.scoring = scoring
    self.adaptation = adaptation
    self.tolerancesMM = tolerancesMM
    self.largestComponent = largestComponent
    self.skipsFailures = skipsFailures
  }
}
