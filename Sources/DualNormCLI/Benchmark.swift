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
  private let convolution: Convolution
  private let examples: [TrainingExample]
  private let augmentation: Augmentation
  private var generator = SeededGenerator(seed: 1)

  init(
    _ plan: NetworkPlan, batchSize: Int, size: Extent, precision: Precision, fused: Bool,
    device: Device
  ) throws {
    network = try DualNormNetwork(plan, seed: 1, device: device)
    network.precision = precision
    network.fusesOperations = fused
    steps = TrainingSteps(network, Adam(network.parameters, learningRate: 1e-3, fuses: fused))
    func noise(_ shape: [Int]) -> Tensor {
      let tensor = Tensor(repeating: 0, shape: shape)
      tensor.fillUniform(-1, 1, Generator(seed: 1))
      return tensor.channelsLast().moved(to: device)
    }
    images = noise([batchSize, plan.inputChannels] + size.sizes)
    let voxels = size.sizes.reduce(1, *)
    let classes: [Int] = (0..<batchSize * voxels).map { $0 / 64 % plan.classes }
    labels = Tensor(classes, shape: [batchSize] + size.sizes).moved(to: device)
    let values = images.values(Float.self)
    let count = plan.inputChannels * voxels
    examples = (0..<batchSize).map { index in
      TrainingExample(
        image: Array(values[index * count..<(index + 1) * count]),
        labels: classes.prefix(voxels).map { UInt8($0) }, channels: plan.inputChannels, extent: size)
    }
    augmentation = Augmentation(Set(Augmentation.Part.allCases), classes: plan.classes)
    let channels = 2 * plan.width
    probe = noise([batchSize, channels] + size.sizes.map { $0 / 2 })
    convolution = Convolution(
      Scope(Parameters(seed: 1, device: device)), channels, channels, kernel: size.sizes.map { _ in 3 })
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
      case .augment: for example in examples { _ = augmentation.apply(to: example, using: &generator) }
      case .convolve:
        withoutGradients { withPrecision(network.precision, on: network.device) { _ = convolution(probe) } }
      }
      network.device.synchronize()
    }
    return Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
  }
}
