import Basics
import Foundation
import Torch

extension RunFolder {
  /// The weights to segment with: those of the model or, of a training that is not finished, those that validated best so far.
  ///
  /// - Returns: the file, and the model as it is then.
  /// - Throws: `InputError` where there are none yet.
  func weights(of description: ModelDescription) throws -> (file: URL, description: ModelDescription) {
    func exists(_ file: URL) -> Bool { FileManager.default.fileExists(atPath: file.path) }
    if exists(model) { return (model, description) }
    let resume = "dualnorm train --resume \(url.path)"
    guard let stage = Stage.allCases.last(where: { exists(best($0)) }) else {
      throw InputError(
        "\(url.path): has no model.safetensors, so its training is not finished; continue it with \(resume).")
    }
    Warnings.report(
      "\(url.path): its training is not finished, so the best weights of its \(stage.rawValue) stage so far are taken; "
        + "finish it with \(resume).")
    var description = description
    description.network = description.network(of: stage)
    return (best(stage), description)
  }

  /// How far a training is that is not finished, in words; nil where it has no checkpoint.
  package var progress: String? { (try? Checkpoint.state(of: self))?.progress }

  /// What a model's maker was warned of: classes that it does not find, and doubts about the files that it learnt from.
  package func recordedWarnings() -> [String] {
    let read = contents(ofRegularFile: warnings).flatMap { try? JSONDecoder().decode([String].self, from: $0) }
    return ((try? readDescription())?.warnings ?? []) + (read ?? [])
  }

  /// Keeps warnings beside those that are kept already.
  package func keep(_ warnings: [String]) throws {
    let known = contents(ofRegularFile: self.warnings).flatMap { try? JSONDecoder().decode([String].self, from: $0) }
    let own = warnings.map(withoutPath)
    let all = Set(own + (known ?? [])).subtracting((try? readDescription())?.warnings ?? []).sorted()
    guard !all.isEmpty, all != known else { return }
    try writeAtomically(prettyJSON(all), to: self.warnings)
  }

  /// A warning of this run without its name, so that equal ones of several runs are equal.
  package func withoutPath(_ warning: String) -> String {
    warning.hasPrefix(url.path + ": ") ? String(warning.dropFirst(url.path.count + 2)) : warning
  }

  /// Writes all that inference needs to a folder, and no more: the weights without what only training looks at, and the
  /// description of the network that they are of.
  ///
  /// - Returns: how many bytes of weights were written.
  package func exportWeights(to output: RunFolder) throws -> Int {
    var (file, description) = try weights(of: readDescription())
    let kept = try Safetensors.read(file).tensors.filter { !$0.name.hasPrefix(ClassOutput.coarsePrefix) }
    description.network.deepSupervision = false
    // Whatever does not fit is found before anything is written.
    try DualNormNetwork(description.network, seed: 0).parameters.load(kept, file: file.path)
    let lock = try output.create()
    defer { withExtendedLifetime(lock) {} }
    try output.write(description)
    try Safetensors(tensors: kept).write(to: output.model)
    return kept.reduce(0) { $0 + $1.tensor.data.count }
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
