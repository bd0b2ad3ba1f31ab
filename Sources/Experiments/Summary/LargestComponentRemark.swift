import Basics
package import DualNorm
import Scores

extension Collection<ExperimentCell> {
  /// A sentence on which classes kept only their largest component in the finished cells; nil without any.
  ///
  /// Cells whose `model.json` is missing or unreadable are not counted.
  package func largestComponentRemark(_ choice: LargestComponentChoice) -> String? {
    let models = filter(\.isFinished).compactMap { try? $0.run.readDescription() }
    guard !models.isEmpty else { return nil }
    let kept = models.flatMap { $0.largestComponentNames(choice) }
    let classes = models.flatMap(\.labels.names).firstOccurrences.map { name in
      "of \(name) in \(kept.count { $0 == name })"
    }
    let reason = choice == .asInModel ? "as each one's model.json says" : "as asked by \(choice.words[0])"
    return "Only the largest component is kept \(classes.joined(separator: ", ")) of "
      + "\(counted(models.count, "network")), \(reason)."
  }
}

extension Experiment {
  /// Remarks for the summary of its results.
  package func remarks() -> [String] {
    [cells.largestComponentRemark(configuration.largestComponent)].compactMap { $0 }
  }
}
