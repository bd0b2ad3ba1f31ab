import Testing
import Torch

@testable import DualNorm

/// Those that this machine can use: the CPU, and a GPU if there is one.
let devicesAtHand: [Device] = (try? DeviceChoice.auto.resolved()).map { $0 == .cpu ? [.cpu] : [.cpu, $0] } ?? [.cpu]

/// What only a GPU can show. One after the other: nothing else may use a GPU while a graph is noted, and a precision is the
/// process's.
@Suite(.serialized, .enabled(if: devicesAtHand.count > 1, "this machine has no GPU that LibTorch can use"))
struct GPUTests {
  private let device = devicesAtHand.last!
  private let configuration = UNetConfiguration(
    classes: 2, width: 8, dualBlocks: [.inc, .down1], deepSupervision: true)

  private func network(on device: Device, _ precision: Precision = .float32) throws -> (DualNormUNet, Adam) {
    let network = try DualNormUNet(configuration, seed: 1, device: device)
    network.precision = precision
    return (network, Adam(network.parameters, learningRate: 1e-3, weightDecay: 0.01))
  }

  private func batch(_ seed: UInt64, on device: Device) -> (images: Tensor, labels: Tensor) {
    (
      images([4, 3, 64, 64], seed: seed).moved(to: device),
      labels([4, 64, 64], classes: 2, seed: seed + 100).moved(to: device)
    )
  }

  @Test func itsFusedOperationsAreThere() { #expect(device.reasonNotToFuse == nil) }

  @Test(arguments: FusedNetworkTests.configurations) func fusedAndPlainAgree(_ configuration: UNetConfiguration) throws
  {
    try FusedNetworkTests.expectAgreement(configuration, on: device)
  }

  /// To the last bit, in every step, with a learning rate that changes.
  @Test(arguments: Precision.allCases) func stepsOfAGraphAreTheSameSteps(_ precision: Precision) throws {
    let (one, own) = try network(on: device, precision)
    let (all, other) = try network(on: device, precision)
    let steps = TrainingSteps(all, other, loss: .batchDice)
    for seed in 1...6 as ClosedRange<UInt64> {
      let (images, labels) = batch(seed, on: device)
      own.learningRate = 1e-3 / Double(seed)
      other.learningRate = own.learningRate
      let expected = one.trainingStep(images: images, labels: labels, optimizer: own, loss: .batchDice)
      #expect(steps.take(images: images, labels: labels) == expected, "step \(seed)")
    }
    for (a, b) in zip(one.parameters.entries, all.parameters.entries) {
      #expect(a.tensor.values(Double.self) == b.tensor.values(Double.self), "\(a.name)")
    }
    #expect(own.stateDictionary.map(\.tensor.shape) == other.stateDictionary.map(\.tensor.shape))
  }

  @Test func lossesAreThoseOfTheCPU() throws {
    let (here, own) = try network(on: device)
    let (there, other) = try network(on: .cpu)
    for seed in 1...3 as ClosedRange<UInt64> {
      let (images, labels) = batch(seed, on: .cpu)
      let expected = there.trainingStep(images: images, labels: labels, optimizer: other, loss: .batchDice)
      let found = here.trainingStep(
        images: images.moved(to: device), labels: labels.moved(to: device), optimizer: own, loss: .batchDice)
      for (a, b) in zip(found, expected) { #expect(abs(a.value - b.value) < 2e-3, "step \(seed)") }
    }
  }
}
