import Testing

@testable import DualNorm
@testable import Torch

/// The network with fused operations against the same network without them.
@Suite struct FusedNetworkTests {
  init() { LibTorch.configure(threads: 1) }

  static let configurations = [
    NetworkPlan(classes: 2, width: 8, dual: [.inc, .down1, .down2, .down3]),
    NetworkPlan(classes: 3, width: 4, dual: DualPlan([.mid, .up4], maskKind: .hard)),
    NetworkPlan(classes: 2, width: 8, dual: DualPlan([.inc], localStatistics: .measured)),
    NetworkPlan(classes: 2, width: 8, norm: .in, dual: [.inc, .down1]),
    NetworkPlan(classes: 2, width: 16, norm: .gn, dual: [.inc]),
    NetworkPlan(classes: 2, width: 8, norm: .ln, dual: [.inc], size: Extent([40, 48])),
    NetworkPlan(classes: 2, width: 8, norm: .dsbn, dual: [.inc], sites: 2),
    NetworkPlan(classes: 2, width: 16, dual: [.inc, .up4]),
    NetworkPlan(classes: 3, width: 8, dual: [.inc], deepSupervision: true),
    // With one channel, the first convolution's result is not channels-last.
    NetworkPlan(classes: 2, inputChannels: 1, width: 16, dual: [.inc]),
    NetworkPlan(.nestedUNet, classes: 3, width: 8, dual: ["x0_0", "x1_1", "x4_0"], deepSupervision: true),
  ]

  @Test(arguments: configurations) func gradientsAndPredictionsAgree(_ configuration: NetworkPlan) throws {
    try Self.expectAgreement(configuration, on: .cpu)
  }

  /// The GPU kernels and their launches, run on the CPU.
  @Test func emulatedGPU() throws {
    try withEmulatedGPU {
      try Self.expectAgreement(
        NetworkPlan(classes: 2, width: 4, dual: [.inc, .down1, .up4], deepSupervision: true), on: .cpu, height: 16,
        width: 32)
    }
  }

  /// Compares both ways with the same weights, in training and then in evaluation with the statistics of one step.
  static func expectAgreement(
    _ configuration: NetworkPlan, on device: Device, height: Int = 40, width: Int = 48
  ) throws {
    let images = images([3, configuration.inputChannels, height, width], seed: 5).moved(to: device)
    let labels = labels([3, height, width], classes: configuration.classes, seed: 6).moved(to: device)
    let network = try DualNormNetwork(configuration, seed: 1, device: device)
    let sites = SiteRows(configuration.sites == 1 ? [0, 0, 0] : [1, 1, 0])
    let optimizer = Adam(network.parameters, learningRate: 1e-3)
    _ = network.trainingStep(images: images, labels: labels, sites: sites, optimizer: optimizer)
    let predictions = [true, false].map { fuses in
      network.fusesOperations = fuses
      var prediction: [Double] = []
      withoutGradients {
        network.forEachPass(over: images, sites: sites, .evaluation) {
          prediction = $1.full.softmax(1).values(Double.self)
        }
      }
      return prediction
    }
    let differences = zip(predictions[0], predictions[1]).map { abs($0 - $1) }
    #expect(differences.reduce(0, +) / Double(differences.count) < 1e-5)
    let results = [true, false].map { fuses in
      network.fusesOperations = fuses
      optimizer.clearGradients()
      var losses: [Double] = []
      network.forEachPass(over: images, sites: sites, reference: labels, .training) { _, logits in
        let loss = SegmentationLoss(logits, labels: labels, kind: .published, weighted: false, fused: fuses)
        losses.append(loss.value.item)
        loss.value.backward()
      }
      return (losses, network.parameters.trainable.map { $0.tensor.gradient!.values(Double.self) })
    }
    let ((fusedLosses, fused), (losses, plain)) = (results[0], results[1])
    for (a, b) in zip(fusedLosses, losses) { #expect(abs(a - b) < 1e-5) }
    let norms = plain.map { $0.reduce(0) { $0 + $1 * $1 }.squareRoot() }
    // Biases before a norm have gradient 0 up to rounding. Rounding may also flip a ReLU or a hard mask: noise of 1e-6 on
    // the images moved gradients of separate operations by up to 2.4e-3 of the norm of all.
    let floor = 0.1 * norms.reduce(0) { $0 + $1 * $1 }.squareRoot()
    for (index, entry) in network.parameters.trainable.enumerated() {
      let difference = zip(fused[index], plain[index]).map { $0 - $1 }.reduce(0) { $0 + $1 * $1 }.squareRoot()
      #expect(difference < 2e-2 * max(norms[index], floor), "\(entry.name)")
    }
  }

  @Test(arguments: [2, 4], [(LossKind.published, false), (.published, true), (.batchDice, false)])
  func lossesOfSumsTakenInOnePass(classes: Int, loss: (kind: LossKind, weighted: Bool)) {
    let logits = (normal([3, classes, 10, 12], seed: 1) * 3).channelsLast()
    // No image has the last class, so its sums are 0.
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

  /// Logits so large that exp alone would overflow, and a probability of 0 for the true class.
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
