import Testing
import Torch

@testable import DualNorm

/// The network with fused operations against the network as it reads.
@Suite struct FusedNetworkTests {
  init() { LibTorch.configure(threads: 1) }

  private static let configurations = [
    UNetConfiguration(classes: 2, width: 8, dualBlocks: [.inc, .down1, .down2, .down3]),
    UNetConfiguration(classes: 3, width: 4, dualBlocks: [.mid, .up4], maskKind: .hard),
    UNetConfiguration(classes: 2, width: 8, dualBlocks: [.inc], localStatistics: .measured),
    UNetConfiguration(classes: 2, width: 8, norm: .in, dualBlocks: [.inc, .down1]),
  ]

  @Test(arguments: configurations) func lossesAndPredictionsAgree(_ configuration: UNetConfiguration) throws {
    let images = images([3, 3, 40, 48], seed: 5)
    let labels = labels([3, 40, 48], classes: configuration.classes, seed: 6)
    let results = try [true, false].map { fuses in
      let network = try DualNormUNet(configuration, seed: 1)
      network.fusesOperations = fuses
      let optimizer = Adam(network.parameters, learningRate: 1e-3)
      let losses = (0..<3).flatMap { _ in
        network.trainingStep(images: images, labels: labels, optimizer: optimizer).map(\.value)
      }
      var last: Tensor?
      withoutGradients { network.forEachPass(over: images, .evaluation) { last = $1.softmax(1) } }
      return (losses: losses, prediction: last!)
    }
    #expect(abs(results[0].losses[0] - results[1].losses[0]) < 1e-6)
    // Three steps multiply what rounding began with.
    for (fused, plain) in zip(results[0].losses, results[1].losses) { #expect(abs(fused - plain) < 2e-4) }
    let predictions = results.map { $0.prediction.values(Double.self) }
    let difference = zip(predictions[0], predictions[1]).map { abs($0 - $1) }.reduce(0, +)
    #expect(difference / Double(predictions[0].count) < 2e-3)
    #expect(results[0].losses.first! != results[0].losses.last!)
  }

  @Test(arguments: [2, 4], [(LossKind.published, false), (.published, true), (.batchDice, false)])
  func lossesOfSumsTakenInOnePass(classes: Int, loss: (kind: LossKind, weighted: Bool)) {
    let logits = (normal([3, classes, 10, 12], seed: 1) * 3).channelsLast()
    // The last class is in no image: its sums are 0.
    let labels = labels([3, 10, 12], classes: classes - 1, seed: 2)
    let results = [true, false].map { fused in
      logits.clearGradient()
      logits.requireGradient()
      let result = SegmentationLoss(
        logits: logits, labels: labels, kind: loss.kind, weighted: loss.weighted, fused: fused)
      result.value.backward()
      return (loss: result, gradient: logits.gradient!)
    }
    #expect(abs(results[0].loss.value.item - results[1].loss.value.item) < 1e-12)
    #expect(abs(results[0].loss.hardDice.item - results[1].loss.hardDice.item) < 1e-12)
    #expect(largestDifference(results[0].gradient, results[1].gradient) < 1e-14)
    #expect(results[0].gradient.values(Double.self).contains { abs($0) > 1e-5 })
  }

  /// Logits of which exp alone would overflow, and a probability of 0 at the true class.
  @Test func extremeLogits() {
    let logits = Tensor([900, -900, 900, 0, -900, 900, 900, 0] as [Float], shape: [2, 2, 1, 2]).channelsLast()
    let labels = Tensor([1, 0, 0, 1], shape: [2, 1, 2])
    logits.requireGradient()
    for kind in LossKind.allCases {
      let loss = SegmentationLoss(logits: logits, labels: labels, kind: kind)
      loss.value.backward()
      #expect(loss.value.item.isFinite)
      #expect(logits.gradient!.values(Float.self).allSatisfy { $0.isFinite })
    }
  }
}
