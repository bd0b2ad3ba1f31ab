import Basics

/// Exponential moving average of a network's weights and running statistics (Polyak & Juditsky 1992).
///
/// It often generalizes better than the weights of any one step. The warm-up is TensorFlow's.
///
///     average ← average + (1 − d) (value − average),  d = min(decay, (1 + t) / (10 + t)) after t updates
public final class MovingAverage {
  public let decay: Double
  public private(set) var updates = 0
  private let parameters: Parameters
  private let averages: [Tensor]

  /// Starts from the current values.
  ///
  /// - Parameter decay: from 0 (the last values) to below 1.
  public init(of parameters: Parameters, decay: Double) {
    precondition((0..<1).contains(decay), "a decay of \(decay)")
    self.decay = decay
    self.parameters = parameters
    averages = withoutGradients { parameters.entries.map { $0.tensor.copy() } }
  }

  public func update() {
    updates += 1
    let decay = min(self.decay, Double(1 + updates) / Double(10 + updates))
    for (average, entry) in zip(averages, parameters.entries) {
      if average.type == .int64 {
        average.assign(entry.tensor)
      } else {
        average.lerp(to: entry.tensor, weight: 1 - decay)
      }
    }
  }

  /// Runs `body` with the averages as the network's weights.
  public func applied<Result>(_ body: () throws -> Result) rethrows -> Result {
    let own = withoutGradients { parameters.entries.map { $0.tensor.copy() } }
    for (entry, average) in zip(parameters.entries, averages) { entry.tensor.assign(average) }
    defer { for (entry, value) in zip(parameters.entries, own) { entry.tensor.assign(value) } }
    return try body()
  }

  /// The averages under the parameters' names, and the number of updates.
  public var stateDictionary: StateDictionary {
    zip(parameters.entries, averages).map { ($0.name, $1.stored) }
      + [("updates", Tensor([updates], shape: []).stored)]
  }

  /// Restores a state of `stateDictionary`.
  ///
  /// - Throws: `Refusal` if it is not of this network.
  public func load(_ state: StateDictionary, file: String) throws {
    let given = Dictionary(state.map { ($0.name, $0.tensor) }, uniquingKeysWith: { first, _ in first })
    for (entry, average) in zip(parameters.entries, averages) {
      guard let value = given[entry.name], value.shape == average.shape else {
        throw Refusal(
          .weights, file, "its moving average of \(entry.name) is not of this network", remedy: "start the run anew")
      }
      average.assign(Tensor(value))
    }
    guard let count = given["updates"].flatMap({ Tensor($0).count(below: 1e15) }) else {
      throw Refusal(.weights, file, "its moving average has no number of updates", remedy: "start the run anew")
    }
    updates = count
  }
}
