import Basics
import Torch

/// The time a training takes on this machine, estimated from a few timed steps.
package struct TrainingPace: Sendable {
  /// Seconds per step and per validation.
  package struct Times: Equatable, Sendable {
    package let step: Double
    let validation: Double

    package init(step: Double, validation: Double) { (self.step, self.validation) = (step, validation) }
  }

  package let times: [Stage: Times]
  private let validateEvery: Int?

  package init(_ times: [Stage: Times], validateEvery: Int?) {
    (self.times, self.validateEvery) = (times, validateEvery)
  }

  /// Estimates the seconds of stages with these iterations.
  ///
  /// - Parameter done: number of iterations already finished, counted through all stages.
  package func seconds(of stages: [(stage: Stage, iterations: Int)], done: Int = 0) -> Double {
    var (seconds, over) = (0.0, done)
    for (stage, iterations) in stages {
      let left = max(0, iterations - over)
      over = max(0, over - iterations)
      guard let time = times[stage] else { continue }
      let every = TrainingConfiguration.iterationsBetweenValidations(validateEvery, of: iterations)
      seconds += Double(left) * time.step + Double((left + every - 1) / every) * time.validation
    }
    return seconds
  }
}

extension TrainingConfiguration {
  /// `--validate-every`, or else a tenth of the stage, but at least 50.
  static func iterationsBetweenValidations(_ given: Int?, of iterations: Int) -> Int {
    given ?? max(50, (iterations + 9) / 10)
  }
}

extension Trainer {
  /// Times a few steps of each remaining stage on temporary networks, so that the training itself does not change.
  ///
  /// - Parameters:
  ///   - width: a width to use instead of the options'.
  ///   - shouldStop: asked before each step.
  /// - Throws: `StopRequested` if `shouldStop` returns true.
  package func pace(width: Int? = nil, shouldStop: () -> Bool = { false }) throws -> TrainingPace {
    var description = description
    description.network.width = width ?? description.network.width
    var (times, over) = ([Stage: TrainingPace.Times](), finishedIterations)
    for (stage, iterations) in stages {
      if over < iterations { times[stage] = try self.times(of: stage, description, shouldStop) }
      over = max(0, over - iterations)
    }
    return TrainingPace(times, validateEvery: configuration.validateEvery)
  }

  private func times(
    of stage: Stage, _ description: ModelDescription, _ shouldStop: () -> Bool
  ) throws -> TrainingPace.Times {
    let network = try StageStart(configuration, description).network(of: stage, from: .checkpoint)
    let loader = plan.loader(of: stage, batches: 0..<1)
    defer { loader.close() }
    guard let batch = try loader.next() else { return .init(step: 0, validation: 0) }
    let sites = plan.sites(of: stage, batch: 0)
    let optimizer = Adam(network.parameters, learningRate: configuration.learningRate)
    let steps = TrainingSteps(
      network, optimizer, loss: configuration.loss, weighted: configuration.weightedCrossEntropy)
    func time(of count: Int, _ slices: [TrainingExample]) throws -> Double {
      let batch = TrainingBatch(slices, sites: sites, on: network.device)
      return try Self.least(of: count, on: network.device, shouldStop) { _ = steps.take(batch) {} }
    }
    // The time of two slices, scaled to a batch, is an upper bound, and shows at once whether a batch takes long. A GPU
    // needs a few steps before it replays them as a graph.
    let isScaled = network.device == .cpu && sites == nil && batch.count > 2
    let few = isScaled ? Array(batch.prefix(2)) : batch
    var seconds = try time(of: network.device == .cpu ? 2 : 5, few) * Double(batch.count) / Double(few.count)
    if isScaled, seconds < 10 { seconds = min(seconds, try time(of: 2, batch)) }
    let validated = recorder.validationRowCount
    guard validated > 0 else { return .init(step: seconds, validation: 0) }
    let input = TrainingBatch(few, sites: sites, on: network.device)
    let prediction = try Self.least(of: 2, on: network.device, shouldStop) {
      withoutGradients {
        network.forEachPass(over: input.images, sites: sites, reference: input.labels, .evaluation) { _, _ in }
      }
    }
    return .init(step: seconds, validation: prediction / Double(few.count) * Double(validated))
  }

  /// The minimum seconds of `count` calls. The first one also allocates memory, and other programs may use the cores.
  private static func least(
    of count: Int, on device: Device, _ shouldStop: () -> Bool, _ body: () -> Void
  ) throws -> Double {
    try (0..<count).map { _ in
      if shouldStop() { throw StopRequested() }
      return seconds(on: device, body)
    }.min()!
  }

  private static func seconds(on device: Device, _ body: () -> Void) -> Double {
    let duration = ContinuousClock().measure {
      body()
      device.synchronize()
    }
    return Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
  }
}
