import Foundation
import Torch

/// Keeps what a stage has reached, in an order in which a process may be killed anywhere: rows of the log, then the checkpoint,
/// then the best weights, which the checkpoint holds too as long as it is of their iteration.
final class Saver {
  private let run: RunFolder
  private let stage: Stage
  private let log: TrainingLog
  private let network: DualNormNetwork
  private let optimizer: Adam
  private let average: MovingAverage?
  private var last = Date()

  init(
    _ run: RunFolder, _ stage: Stage, _ log: TrainingLog, _ network: DualNormNetwork, _ optimizer: Adam,
    _ average: MovingAverage?
  ) {
    self.run = run
    self.stage = stage
    self.log = log
    self.network = network
    self.optimizer = optimizer
    self.average = average
  }

  var secondsSinceLast: TimeInterval { Date().timeIntervalSince(last) }

  /// - Throws: `WeightsError` if the checkpoint is of another network.
  func load(_ checkpoint: Checkpoint) throws -> TrainingState {
    try network.parameters.load(checkpoint.model, file: run.last.path)
    try optimizer.load(checkpoint.optimizer, file: run.last.path)
    try average?.load(checkpoint.average, file: run.last.path)
    try keepIfBest(checkpoint.state)
    return checkpoint.state
  }

  func save(_ state: TrainingState) throws {
    try log.sync()
    try Checkpoint(state: state, network: network, optimizer: optimizer, average: average).write(to: run.last)
    try keepIfBest(state)
    last = Date()
  }

  private func keepIfBest(_ state: TrainingState) throws {
    guard state.bestIteration == state.iteration else { return }
    try averaged { try Safetensors(tensors: network.parameters.stateDictionary).write(to: run.best(stage)) }
  }

  /// Runs `body` while the network has its averaged weights, if there are any.
  func averaged<Result>(_ body: () throws -> Result) rethrows -> Result { try average?.applied(body) ?? body() }
}
