import Basics
import Foundation
import Torch

extension RunFolder {
  /// The weights to segment with: the model's, or the best so far if training is not finished.
  ///
  /// - Returns: the file, and the model that these weights make.
  /// - Throws: `Refusal` if there are none yet.
  func weights(of description: ModelDescription) throws -> (file: URL, description: ModelDescription) {
    func exists(_ file: URL) -> Bool { FileManager.default.fileExists(atPath: file.path) }
    if exists(model) { return (model, description) }
    let resume = "\(Verb.train) \(Setting.resume) \(url.path)"
    guard let stage = Stage.allCases.last(where: { exists(best($0)) }) else {
      throw Refusal(
        .input, url.path, "has no model.safetensors, so its training is not finished",
        remedy: "continue it with \(resume)")
    }
    Warnings.report(
      "\(url.path): its training is not finished, so the best weights of its \(stage.rawValue) stage so far are taken; "
        + "finish it with \(resume).")
    var description = description
    description.network = description.network(of: stage)
    return (best(stage), description)
  }

  /// The progress of an unfinished training, in words; nil if it has no checkpoint.
  package var progress: String? { (try? Checkpoint.state(of: self))?.progress }

  /// Warnings from the training: classes that the model does not find, and doubts about the training files.
  package func recordedWarnings() -> [String] {
    let read = contents(ofRegularFile: warnings).flatMap { try? JSONDecoder().decode([String].self, from: $0) }
    return ((try? readDescription())?.warnings ?? []) + (read ?? [])
  }

  /// Adds warnings to those already recorded.
  package func keep(_ warnings: [String]) throws {
    let known = contents(ofRegularFile: self.warnings).flatMap { try? JSONDecoder().decode([String].self, from: $0) }
    let own = warnings.map(withoutPath)
    let all = Set(own + (known ?? [])).subtracting((try? readDescription())?.warnings ?? []).sorted()
    guard !all.isEmpty, all != known else { return }
    try writeAtomically(prettyJSON(all), to: self.warnings)
  }

  /// Removes the run's path from a warning, so that equal warnings of several runs are equal.
  package func withoutPath(_ warning: String) -> String {
    warning.hasPrefix(url.path + ": ") ? String(warning.dropFirst(url.path.count + 2)) : warning
  }
}

extension TrainingState {
  /// `dual stage, 120 iterations done, best validation Dice 0.873 after 100`
  var progress: String {
    "\(stage.rawValue) stage, \(counted(iteration, "iteration")) done"
      + (bestDice.map { ", best validation Dice \(fixed($0, decimals: 3))" } ?? "")
      + (bestDice == nil ? "" : bestIteration.map { " after \($0)" } ?? "")
  }
}
