import Torch

/// The network of one stage and the training state beside its weights.
struct Learner {
  let network: DualNormNetwork
  let optimizer: Adam
  /// Moving average of the weights; nil without averaging.
  let average: MovingAverage?

  init(_ network: DualNormNetwork, _ configuration: TrainingConfiguration) {
    self.network = network
    optimizer = Adam(
      network.parameters, learningRate: configuration.learningRate, weightDecay: configuration.weightDecay)
    average = configuration.averaging > 0 ? MovingAverage(of: network.parameters, decay: configuration.averaging) : nil
  }

  /// Runs `body` while the network has its averaged weights, if there are any.
  func averaged<Result>(_ body: () throws -> Result) rethrows -> Result { try average?.applied(body) ?? body() }

  /// Loads the weights, moments and averages of a checkpoint.
  ///
  /// - Throws: `Refusal` if the checkpoint belongs to another network.
  func load(_ checkpoint: Checkpoint, file: String) throws {
    try network.parameters.load(checkpoint.model, file: file)
    try optimizer.load(checkpoint.optimizer, file: file)
    try average?.load(checkpoint.average, file: file)
  }
}
