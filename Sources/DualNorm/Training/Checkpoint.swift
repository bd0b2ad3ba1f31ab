import Foundation
import Torch

/// The two stages of a run.
public enum Stage: String, Codable, Sendable, CaseIterable {
  /// Plain norms everywhere, one pass.
  case plain
  /// Region-wise norms in the dual blocks, two passes.
  case dual
}

/// What the next step of a run depends on, besides weights and optimizer.
struct TrainingState: Codable, Equatable {
  var stage: Stage
  /// Finished iterations of the stage.
  var iteration = 0
  var schedule: LearningRateSchedule
  /// Best validation Dice of the stage so far.
  var bestDice: Double?

  init(stage: Stage, schedule: LearningRateSchedule) {
    self.stage = stage
    self.schedule = schedule
  }
}

/// Weights, optimizer and state in one file, so that they cannot come apart.
struct Checkpoint {
  let state: TrainingState
  let model: StateDictionary
  let optimizer: StateDictionary
  /// Of the weights; empty without averaging.
  let average: StateDictionary

  init(state: TrainingState, network: DualNormUNet, optimizer: Adam, average: MovingAverage?) {
    self.state = state
    model = network.parameters.stateDictionary
    self.optimizer = optimizer.stateDictionary
    self.average = average?.stateDictionary ?? []
  }

  /// - Throws: `WeightsError` or `InputError` if the file is not a checkpoint.
  init(contentsOf url: URL) throws {
    let file = try Safetensors.read(url)
    func part(_ prefix: String) -> StateDictionary {
      file.tensors.filter { $0.name.hasPrefix(prefix) }.map { (String($0.name.dropFirst(prefix.count)), $0.tensor) }
    }
    guard let json = file.metadata["state"],
      let state = try? JSONDecoder().decode(TrainingState.self, from: Data(json.utf8))
    else { throw InputError("\(url.path): holds no training state; give a run folder that train wrote.") }
    self.state = state
    model = part("model/")
    optimizer = part("optimizer/")
    average = part("average/")
  }

  func write(to url: URL) throws {
    let parts = [("model/", model), ("optimizer/", optimizer), ("average/", average)]
    let tensors = parts.flatMap { prefix, part in part.map { (prefix + $0.name, $0.tensor) } }
    let json = String(decoding: try JSONEncoder().encode(state), as: UTF8.self)
    try Safetensors(tensors: tensors, metadata: ["state": json]).write(to: url)
  }
}
