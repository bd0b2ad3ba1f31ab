package import Basics
import Foundation
package import Yams

extension TrainingConfiguration {
  /// Returns these options with other iterations, for a resumed run.
  ///
  /// The current stage continues on a schedule of the new length from its present iteration. A finished stage, after
  /// which a later one has begun, keeps its number of iterations.
  ///
  /// - Parameter state: the run's state so far; nil for none.
  /// - Throws: `Refusal` for fewer iterations than are finished, or invalid options.
  func extended(to iterations: StageIterations, after state: TrainingState?) throws -> TrainingConfiguration {
    var result = self
    result.iterations = iterations
    try result.validate()
    guard let state else { return result }
    if state.stage == .dual, iterations.plain != self.iterations.plain {
      throw Refusal(
        .input,
        "\(Setting.iterations) is \(iterations), and the plain stage of this run is over after "
          + "\(self.iterations.plain)", remedy: "give that number for it")
    }
    let asked = iterations[state.stage]
    guard asked == self.iterations[state.stage] || asked > state.iteration else {
      throw Refusal(
        .input,
        "\(Setting.iterations) is \(iterations), and this run has done \(state.iteration) of its \(state.stage.rawValue) "
          + "stage", remedy: "give more than that for it")
    }
    return result
  }

  /// Refuses to resume a run that was started with other options than these.
  ///
  /// Its memory may differ, since it changes no bit. Options left to the data and the device keep their recorded
  /// values.
  ///
  /// - Parameters:
  ///   - chosen: options that the run chose itself.
  ///   - run: the folder of these options.
  /// - Throws: `Refusal` naming the options that differ.
  package func requireSame(
    as asked: TrainingConfiguration, but chosen: Set<Setting> = [], in run: RunFolder
  ) throws {
    let (here, there) = (try Yams.compose(yaml: yaml()), try Yams.compose(yaml: asked.yaml()))
    let differing = TrainingOption.all.map(\.setting).filter { key in
      let isLeftOpen =
        key == .context && asked.context == nil || key == .whitening && asked.whitening == nil
        || key == .precision && asked.precision == nil
        || dimensions == 3 && asked.dimensions == 3
          && (key == .size && asked.size == nil
            || key == .dualBlocks && asked.hasStandardDualBlocks && hasStandardDualBlocksOfSomeDepth)
      return key != .memory && !chosen.contains(key) && !isLeftOpen && here?[key.rawValue] != there?[key.rawValue]
    }
    guard let first = differing.first else { return }
    let more = differing.count > 1 ? ", and \(counted(differing.count - 1, "other option"))" : ""
    var command = Verb.train.words + Setting.resume.words(run.url.path)
    if differing == [.iterations] {
      command += Setting.iterations.words("\(asked.iterations)")
    }
    throw Refusal(
      .input, run.url.path,
      "holds a run with other options (\(first) is \(onOneLine(here?[first.rawValue])), not "
        + "\(onOneLine(there?[first.rawValue]))\(more))",
      remedy: "go on with it by \(command.joined(separator: " ")), or give a new folder for \(Setting.output)")
  }
}

extension RunFolder {
  /// The options that started a run.
  ///
  /// - Throws: `Refusal` naming the file and the invalid value.
  package func readConfiguration() throws -> TrainingConfiguration {
    let read = try TrainingConfiguration(yaml: configuration)
    do {
      try read.validate()
    } catch let error as Refusal {
      throw error.about(configuration.path)
    }
    return read
  }
}

/// A value from an options file, written as on the command line.
package func onOneLine(_ node: Node?) -> String {
  switch node {
  case .scalar(let scalar)?: scalar.string
  case .sequence(let sequence)?: sequence.isEmpty ? "none" : sequence.map { onOneLine($0) }.joined(separator: ",")
  default: "not given"
  }
}
