import Basics
import DualNorm
import Foundation
import Yams

extension ExperimentConfiguration {
  /// Adds the methods and seeds of `other`; all other options must be equal.
  ///
  /// - Parameter place: the folder, for messages.
  /// - Throws: `Refusal` naming the first option that differs.
  func extended(by other: ExperimentConfiguration, place: String) throws -> ExperimentConfiguration {
    guard kind == other.kind else {
      throw Refusal(
        .input, place, "holds a \(kind.rawValue) experiment, not \(other.kind.rawValue)",
        remedy: "give another \(Setting.output)")
    }
    if let difference = try difference(to: other) {
      throw Refusal(
        .input, place, "its experiment has \(difference.option) \(difference.here), not \(difference.there)",
        remedy: "give the same options to go on, or another \(Setting.output)")
    }
    var result = self
    result.methods += other.methods.filter { !methods.contains($0) }
    result.seeds = max(seeds, other.seeds)
    result.training.memory = other.training.memory  // changes no bit of the results
    return result
  }

  /// Requires the recorded number of threads, because the bits of a training depend on it.
  ///
  /// - Throws: `Refusal` if this machine has fewer cores.
  func requireCores(place: String) throws {
    let cores = ProcessInfo.processInfo.activeProcessorCount
    guard let threads = training.threads, threads > cores else { return }
    throw Refusal(
      .input, place,
      "its experiment began with \(threads) threads, which its bits depend on, and this machine has "
        + "\(counted(cores, "core"))",
      remedy: "go on on a machine with as many cores, or begin in another \(Setting.output)")
  }

  private func difference(to other: ExperimentConfiguration) throws -> (option: Setting, here: String, there: String)? {
    func text(_ value: (some CustomStringConvertible)?) -> String { value.map { "\($0)" } ?? "not given" }
    if sites != other.sites {
      return (.sites, sites?.joined(separator: ",") ?? "not given", other.sites?.joined(separator: ",") ?? "not given")
    }
    if folds != other.folds { return (.folds, text(folds), text(other.folds)) }
    if adaptation != other.adaptation { return (.adapt, adaptation.rawValue, other.adaptation.rawValue) }
    // Earlier versions recorded the default rule explicitly, so the current default matches it.
    if largestComponent != other.largestComponent, other.largestComponent != .asInModel || largestComponent != .ofAll {
      return (.largestComponent, text(largestComponent), text(other.largestComponent))
    }
    let (here, there) = (try Yams.compose(yaml: training.yaml()), try Yams.compose(yaml: other.training.yaml()))
    for key in TrainingOption.all.map(\.setting)
    where key != .memory && here?[key.rawValue] != there?[key.rawValue] {
      return (key, onOneLine(here?[key.rawValue]), onOneLine(there?[key.rawValue]))
    }
    return nil
  }
}
