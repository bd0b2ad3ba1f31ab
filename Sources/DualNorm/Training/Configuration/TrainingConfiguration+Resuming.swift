import Basics
import Yams

extension TrainingConfiguration {
  /// These options with other iterations, for a run that goes on.
  ///
  /// The stage at hand goes on in a schedule of the new length from where it is; what it has done stays done. A stage that is
  /// over, because a later one has begun, keeps its number.
  ///
  /// - Parameter state: what the run has reached; nil for nothing.
  /// - Throws: `InputError` for fewer iterations than are done, or options that make no sense.
  func extended(to iterations: [Int], after state: TrainingState?) throws -> TrainingConfiguration {
    var result = self
    result.iterations = iterations
    try result.validate()
    guard let state, let current = Stage.allCases.firstIndex(of: state.stage) else { return result }
    let asked = iterations.map(String.init).joined(separator: ",")
    for (stage, (new, old)) in zip(Stage.allCases, zip(iterations, self.iterations)).prefix(current) where new != old {
      throw InputError(
        "--iterations is \(asked), and the \(stage.rawValue) stage of this run is over after \(old); give that number for it."
      )
    }
    guard iterations[current] == self.iterations[current] || iterations[current] > state.iteration else {
      throw InputError(
        "--iterations is \(asked), and this run has done \(state.iteration) of its \(state.stage.rawValue) stage; give more "
          + "than that for it.")
    }
    return result
  }

  /// Refuses to go on with a run that was started with other options than these. How much memory it takes changes no bit, and
  /// what the options leave to the data and the device was decided then.
  ///
  /// - Parameter run: the folder whose options these are.
  /// - Throws: `InputError` naming the options that differ.
  package func requireSame(as asked: TrainingConfiguration, in run: RunFolder) throws {
    let (here, there) = (try Yams.compose(yaml: yaml()), try Yams.compose(yaml: asked.yaml()))
    let differing = CodingKeys.allCases.filter { key in
      let isLeftOpen = key == .context && asked.context == nil || key == .precision && asked.precision == nil
      return key != .memory && !isLeftOpen && here?[key.rawValue] != there?[key.rawValue]
    }
    guard let first = differing.first else { return }
    let more = differing.count > 1 ? ", and \(counted(differing.count - 1, "other option"))" : ""
    let longer =
      differing == [.iterations] ? " --iterations \(asked.iterations.map(String.init).joined(separator: ","))" : ""
    throw InputError(
      "\(run.url.path): holds a run with other options (--\(first.rawValue) is \(onOneLine(here?[first.rawValue])), not "
        + "\(onOneLine(there?[first.rawValue]))\(more)); go on with it by dualnorm train --resume \(run.url.path)\(longer), or "
        + "give a new folder for --output.")
  }
}

extension RunFolder {
  /// The options that a run was started with.
  ///
  /// - Throws: `InputError` naming the file and what in it makes no sense.
  package func readConfiguration() throws -> TrainingConfiguration {
    let read = try TrainingConfiguration(yaml: configuration)
    do {
      try read.validate()
    } catch let error as InputError {
      throw InputError("\(configuration.path): \(error.description)")
    }
    return read
  }
}

/// A value of a file of options as the command line takes it.
package func onOneLine(_ node: Node?) -> String {
  switch node {
  case .scalar(let scalar)?: scalar.string
  case .sequence(let sequence)?: sequence.isEmpty ? "none" : sequence.map { onOneLine($0) }.joined(separator: ",")
  default: "not given"
  }
}
