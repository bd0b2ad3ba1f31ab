import Testing
import Torch

@testable import DualNorm

/// The devices of this machine: the CPU, and a GPU if there is one.
let devicesAtHand: [Device] = (try? DeviceChoice.auto.resolved()).map { $0 == .cpu ? [.cpu] : [.cpu, $0] } ?? [.cpu]

/// Tests that need a GPU, run one after another.
///
/// No other work may use the GPU during a capture, and the precision is a setting of the process.
@Suite(.serialized, .enabled(if: devicesAtHand.count > 1, "this machine has no GPU that LibTorch can use"))
struct GPUTests {
  private let device = devicesAtHand.last!
  private let configuration = NetworkPlan(
    classes: 2, width: 8, dual: [.inc, .down1], deepSupervision: true)

  private func network(
    _ configuration: NetworkPlan, on device: Device, _ precision: Precision = .float32
  ) throws -> (DualNormNetwork, Adam) {
    let network = try DualNormNetwork(configuration, seed: 1, device: device)
    network.precision = precision
    return (network, Adam(network.parameters, learningRate: 1e-3, weightDecay: 0.01))
  }

  private func batch(
    _ seed: UInt64, _ configuration: NetworkPlan, on device: Device
  ) -> (images: Tensor, labels: Tensor) {
    (
      images([4, configuration.inputChannels, 64, 64], seed: seed).moved(to: device),
      labels([4, 64, 64], classes: configuration.classes, seed: seed + 100).moved(to: device)
    )
  }

  @Test func itsFusedOperationsAreThere() { #expect(device.reasonNotToFuse == nil) }

  @Test(arguments: FusedNetworkTests.configurations) func fusedAndPlainAgree(_ configuration: NetworkPlan) throws {
    try FusedNetworkTests.expectAgreement(configuration, on: device)
  }

  @Test(arguments: Precision.allCases) func stepsOfAGraphAreTheSameSteps(_ precision: Precision) throws {
    try expectTheSameSteps(configuration, precision)
  }

  /// Norms and masks that use other operations.
  @Test(
    arguments: FusedNetworkTests.configurations + [
      NetworkPlan(classes: 2, width: 16, norm: .gn, dual: [.inc]),
      NetworkPlan(classes: 2, width: 8, norm: .ln, dual: [.inc], size: Extent(height: 64, width: 64)),
      NetworkPlan(classes: 3, width: 8, dual: DualPlan([.inc], maskSource: .reference)),
      NetworkPlan(classes: 3, width: 8, dual: DualPlan([.inc], maskSource: .uniform)),
      NetworkPlan(classes: 12, width: 8),
    ])
  func stepsOfAGraphAreTheSameSteps(_ configuration: NetworkPlan) throws {
    try expectTheSameSteps(configuration, .float32)
  }

  /// The rows of the sites change from step to step and then repeat.
  @Test func sitesThatRotate() throws {
    let rows = [SiteRows([0, 0, 1, 1]), SiteRows([0, 0, 0, 1]), SiteRows([0, 0, 1, 1]), SiteRows([0, 0, 1, 1])]
    try expectTheSameSteps(NetworkPlan(classes: 2, width: 8, norm: .dsbn, dual: [.inc], sites: 2), .float32) {
      $0 < 5 ? rows[$0 - 1] : rows[$0 % 2 * 2 + 1]
    }
  }

  /// Compares every step to the last bit, with a changing learning rate.
  private func expectTheSameSteps(
    _ configuration: NetworkPlan, _ precision: Precision, sites: (Int) -> SiteRows? = { _ in nil }
  ) throws {
    let (one, own) = try network(configuration, on: device, precision)
    let (all, other) = try network(configuration, on: device, precision)
    let weighted = configuration.classes > 2
    let kind = weighted ? LossKind.published : .batchDice
    let steps = TrainingSteps(all, other, loss: kind, weighted: weighted)
    for step in 1...8 {
      let (images, labels) = batch(UInt64(step), configuration, on: device)
      own.learningRate = 1e-3 / Double(step)
      other.learningRate = own.learningRate
      let expected = one.trainingStep(
        images: images, labels: labels, sites: sites(step), optimizer: own, loss: kind, weighted: weighted)
      #expect(steps.take(images: images, labels: labels, sites: sites(step)) == expected, "step \(step)")
    }
    for (a, b) in zip(one.parameters.entries, all.parameters.entries) {
      #expect(a.tensor.values(Double.self) == b.tensor.values(Double.self), "\(a.name)")
    }
    #expect(own.stateDictionary.map(\.tensor.shape) == other.stateDictionary.map(\.tensor.shape))
  }

  @Test func lossesAreThoseOfTheCPU() throws {
    let (here, own) = try network(configuration, on: device)
    let (there, other) = try network(configuration, on: .cpu)
    for seed in 1...3 as ClosedRange<UInt64> {
      let (images, labels) = batch(seed, configuration, on: .cpu)
      let expected = there.trainingStep(images: images, labels: labels, optimizer: other, loss: .batchDice)
      let found = here.trainingStep(
        images: images.moved(to: device), labels: labels.moved(to: device), optimizer: own, loss: .batchDice)
      for (a, b) in zip(found, expected) { #expect(abs(a.value - b.value) < 2e-3, "step \(seed)") }
    }
  }
}
