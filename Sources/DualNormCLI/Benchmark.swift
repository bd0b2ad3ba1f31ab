import DualNorm
import Foundation
import Torch

/// A network with a batch of noise, ready to be timed.
final class Benchmark {
  enum Task: String, CaseIterable {
    case train, predict, convolve

    var title: String {
      switch self {
      case .train: "training step"
      case .predict: "prediction of a batch"
      case .convolve: "convolution of half the size"
      }
    }
  }

  private let network: DualNormUNet
  private let optimizer: Adam
  private let images: Tensor
  private let labels: Tensor
  private let probe: Tensor
  private let convolution: Conv2d

  init(_ configuration: UNetConfiguration, batchSize: Int, size: ImageSize, precision: Precision, fused: Bool) throws {
    network = try DualNormUNet(configuration, seed: 1)
    network.precision = precision
    network.fusesOperations = fused
    optimizer = Adam(network.parameters, learningRate: 1e-3)
    func noise(_ shape: Int...) -> Tensor {
      let tensor = Tensor(repeating: 0, shape: shape)
      tensor.fillUniform(-1, 1, Generator(seed: 1))
      return tensor.channelsLast()
    }
    images = noise(batchSize, configuration.inputChannels, size.height, size.width)
    let count = batchSize * size.height * size.width
    labels = Tensor(
      (0..<count).map { $0 / 64 % configuration.classes }, shape: [batchSize, size.height, size.width])
    let channels = 2 * configuration.width
    probe = noise(batchSize, channels, size.height / 2, size.width / 2)
    convolution = Conv2d(Scope(Parameters(seed: 1)), channels, channels, kernel: 3, padding: 1)
  }

  /// Seconds that a task takes.
  func time(of task: Task) -> Double {
    let clock = ContinuousClock()
    let duration = clock.measure {
      switch task {
      case .train: network.trainingStep(images: images, labels: labels, optimizer: optimizer)
      case .predict:
        withoutGradients {
          network.forEachPass(over: images, .evaluation) { pass, logits in
            if pass == network.passes.last { _ = logits.softmax(1).argmax(1) }
          }
        }
      case .convolve: withoutGradients { withPrecision(network.precision) { _ = convolution(probe) } }
      }
    }
    return Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
  }
}
