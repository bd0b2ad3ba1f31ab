import Basics
import DualNorm
import Foundation
import Torch

/// A network and a batch of noise for timing.
final class Benchmark {
  enum Task: String, CaseIterable {
    case train, predict, convolve, augment

    var title: String {
      switch self {
      case .train: "training step"
      case .predict: "prediction of a batch"
      case .convolve: "convolution of half the size"
      case .augment: "augmenting a batch, 1 thread"
      }
    }
  }

  private let network: DualNormNetwork
  private let steps: TrainingSteps
  private let images: Tensor
  private let labels: Tensor
  private let probe: Tensor
  private let convolution: Conv2d
  private let slices: [TrainingSlice]
  private let augmentation: Augmentation
  private var generator = SeededGenerator(seed: 1)

  init(
    _ plan: NetworkPlan, batchSize: Int, size: ImageSize, precision: Precision, fused: Bool,
    device: Device
  ) throws {
    network = try DualNormNetwork(plan, seed: 1, device: device)
    network.precision = precision
    network.fusesOperations = fused
    steps = TrainingSteps(network, Adam(network.parameters, learningRate: 1e-3, fuses: fused))
    func noise(_ shape: Int...) -> Tensor {
      let tensor = Tensor(repeating: 0, shape: shape)
      tensor.fillUniform(-1, 1, Generator(seed: 1))
      return tensor.channelsLast().moved(to: device)
    }
    images = noise(batchSize, plan.inputChannels, size.height, size.width)
    let count = batchSize * size.height * size.width
    labels = Tensor(
      (0..<count).map { $0 / 64 % plan.classes }, shape: [batchSize, size.height, size.width]
    ).moved(to: device)
    let values = images.values(Float.self)
    let slice = plan.inputChannels * size.height * size.width
    slices = (0..<batchSize).map { index in
      TrainingSlice(
        image: Array(values[index * slice..<(index + 1) * slice]),
        labels: (0..<size.height * size.width).map { UInt8($0 / 64 % plan.classes) },
        channels: plan.inputChannels, size: size)
    }
    augmentation = Augmentation(Set(Augmentation.Part.allCases), classes: plan.classes)
    let channels = 2 * plan.width
    probe = noise(batchSize, channels, size.height / 2, size.width / 2)
    convolution = Conv2d(Scope(Parameters(seed: 1, device: device)), channels, channels, kernel: 3, padding: 1)
  }

  /// Measures the seconds that a task takes.
  func time(of task: Task) -> Double {
    let clock = ContinuousClock()
    let duration = clock.measure {
      switch task {
      case .train: _ = steps.take(images: images, labels: labels)
      case .predict:
        withoutGradients {
          network.forEachPass(over: images, .evaluation) { pass, logits in
            if pass == network.passes.last { _ = logits.full.largestChannel() }
          }
        }
      case .augment: for slice in slices { _ = augmentation.apply(to: slice, using: &generator) }
      case .convolve:
        withoutGradients { withPrecision(network.precision, on: network.device) { _ = convolution(probe) } }
      }
      network.device.synchronize()
    }
    return Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
  }
}
