import Datasets
package import Scores

/// Options for segmenting and scoring the cases of an evaluation.
package struct EvaluationOptions {
  /// The classes to score, as labels of the model; nil for the model's own classes.
  package var scoring: LabelScheme?
  /// The batch statistics for a second scoring of both passes, besides the model's own.
  package var adaptation: Adaptation
  package var tolerancesMM: [Double]
  /// The classes that keep only their largest connected component.
  package var largestComponent: LargestComponentChoice
  /// Tells whether an unusable case becomes one of the table's failures. The only case still throws.
  package var skipsFailures: Bool
  /// Tells whether to measure the uncertainty of each case.
  package var keepsUncertainty: Bool

  package init(
    scoring: LabelScheme? = nil, adaptation: Adaptation = .none,
    tolerancesMM: [Double] = Scorer.defaultTolerancesMM, largestComponent: LargestComponentChoice = .asInModel,
    skipsFailures: Bool = false, keepsUncertainty: Bool = false
  ) {
    self.scoring = scoring
    self.adaptation = adaptation
    self.tolerancesMM = tolerancesMM
    self.largestComponent = largestComponent
    self.skipsFailures = skipsFailures
    self.keepsUncertainty = keepsUncertainty
  }
}
