import Basics
import Foundation
import Torch

/// The two stages of a run.
package enum Stage: String, Codable, Sendable, CaseIterable {
  /// Plain norms everywhere, one pass.
  case plain
  /// Region-wise norms in the dual blocks, two passes.
  case dual
}

/// Everything that a run's next step depends on, besides weights and optimizer.
struct TrainingState: Codable, Equatable {
  var stage: Stage
  /// Number of finished iterations of the stage.
  var iteration = 0
  var schedule: LearningRateSchedule
  /// Best validation Dice of the stage so far.
  var bestDice: Double?
  /// The iteration with the best Dice; nil in checkpoints of versions that wrote the best weights first.
  ///
  /// If it equals `iteration`, this checkpoint holds the best weights. Their own file is written later and may be
  /// missing.
  var bestIteration: Int?
  /// Classes that the best weights found in no validation case that has them; nil before a validation.
  var unfoundInValidation: [String]?
  /// Classes that no validation case has and that the run's last weights did not find in training cases.
  var unfoundInTraining: [String]?
  /// Hash of each prepared case by name; a resumed run must find the same. nil in checkpoints of versions without this
  /// check.
  var cases: [String: String]?

  init(stage: Stage, schedule: LearningRateSchedule) {
    self.stage = stage
    self.schedule = schedule
  }

  /// Counts a finished iteration, and updates the learning rate.
  ///
  /// - Parameters:
  ///   - losses: the losses of the iteration's passes.
  ///   - total: number of iterations of the stage.
  mutating func finish(_ losses: [StepLoss], of total: Int) {
    iteration += 1
    schedule.finish(iteration: iteration, of: total, hardDiceLoss: losses.last!.hardDice)
  }
}

/// Weights, optimizer and state in one file, so that they cannot come apart.
struct Checkpoint {
  let state: TrainingState
  let model: StateDictionary
  let optimizer: StateDictionary
  /// Moving average of the weights; empty without averaging.
  let average: StateDictionary

  init(_ state: TrainingState, _ learner: Learner) {
    self.state = state
    model = learner.network.parameters.stateDictionary
    optimizer = learner.optimizer.stateDictionary
    average = learner.average?.stateDictionary ?? []
  }

  static let modelPrefix = "model/"

  /// The state of a run folder's checkpoint; nil if there is none yet.
  ///
  /// - Throws: the errors of `init(contentsOf:)`.
  static func state(of run: RunFolder) throws -> TrainingState? {
    FileManager.default.fileExists(atPath: run.last.path) ? try Checkpoint(contentsOf: run.last).state : nil
  }

  /// - Throws: `Refusal` if the file is not a checkpoint.
  init(contentsOf url: URL) throws {
    let file = try Safetensors.read(url)
    func part(_ prefix: String) -> StateDictionary {
      file.tensors.filter { $0.name.hasPrefix(prefix) }.map { (String($0.name.dropFirst(prefix.count)), $0.tensor) }
    }
    guard let json = file.metadata["state"],
      let state = try? JSONDecoder().decode(TrainingState.self, from: Data(json.utf8)),
      (0...1_000_000_000_000).contains(state.iteration)
    else { throw Refusal(.input, url.path, "holds no training state", remedy: "give a run folder that train wrote") }
    self.state = state
    model = part(Self.modelPrefix)
    optimizer = part("optimizer/")
    average = part("average/")
  }

  func write(to url: URL) throws {
    let parts = [(Self.modelPrefix, model), ("optimizer/", optimizer), ("average/", average)]
    let tensors = parts.flatMap { prefix, part in part.map { (prefix + $0.name, $0.tensor) } }
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let json = String(decoding: try encoder.encode(state), as: UTF8.self)
    try Safetensors(tensors: tensors, metadata: ["state": json]).write(to: url)
  }
}
