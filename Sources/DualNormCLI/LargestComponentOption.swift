import ArgumentParser
import DualNorm

/// Tells whether masks keep only the largest connected component of a class.
struct LargestComponentOption: ParsableArguments {
  @Flag(
    inversion: .prefixedNo,
    help:
      "Keep only the largest connected component of each class. (default: for classes that gain, as the model records)")
  var largestComponent: Bool?

  var choice: LargestComponentChoice { LargestComponentChoice(largestComponent) }

  /// Says what will be done with the masks of a model.
  func tell(_ model: ModelDescription) {
    Messages.say("Largest component: \(model.largestComponentSummary(choice)).")
  }
}
