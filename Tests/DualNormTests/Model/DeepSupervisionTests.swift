import Testing
import Torch

@testable import DualNorm

@Suite struct DeepSupervisionTests {
  // Odd sizes in the encoder: 44, 22, 11, 5 rows.
  private let x = images([2, 3, 44, 48], seed: 3)
  private let truth = labels([2, 44, 48], classes: 3, seed: 4)

  init() { LibTorch.configure(threads: 1) }

  private func network(_ norm: PlainNorm = .bn, supervised: Bool = true, size: Extent? = nil) throws
    -> DualNormNetwork
  {
    try DualNormNetwork(
      NetworkPlan(
        classes: 3, width: 16, norm: norm, dual: [.inc], size: size, deepSupervision: supervised), seed: 5)
  }

  @Test(arguments: PlainNorm.allCases) func threeLevelsMoreAreOfFullSize(norm: PlainNorm) throws {
    let network = try network(norm, size: norm == .ln ? Extent(height: 44, width: 48) : nil)
    var shapes: [Pass: [[Int]]] = [:]
    network.forEachPass(over: x, sites: SiteRows(site: 0, count: 2), .training) { pass, logits in
      shapes[pass] = ([logits.full] + logits.coarse).map(\.shape)
    }
    let four = [[Int]](repeating: [2, 3, 44, 48], count: 4)
    #expect(shapes == [.first: four, .final: four])
  }

  /// 44 rows become 22, 11, 5 and 2, so doubling does not restore the sizes.
  @Test func ofUNetPlusPlusToo() throws {
    let network = try DualNormNetwork(
      NetworkPlan(.nestedUNet, classes: 3, width: 2, norm: .in, dual: ["x0_4"], deepSupervision: true), seed: 5)
    network.forEachPass(over: x, .training) { _, logits in
      #expect(([logits.full] + logits.coarse).map(\.shape) == Array(repeating: [2, 3, 44, 48], count: 4))
    }
  }

  /// The weights of the additional outputs are drawn last, so they change no other weight.
  @Test func predictionDoesNotKnowOfIt() throws {
    let (with, without) = (try network(), try network(supervised: false))
    #expect(with.parameters.entries.count > without.parameters.entries.count)
    withoutGradients {
      with.forEachPass(over: x, .evaluation) { #expect($1.coarse.isEmpty, "\($0)") }
      #expect(with(x, .evaluation).values(Float.self) == without(x, .evaluation).values(Float.self))
    }
  }

  @Test func theLossIsTheWeightedMeanOverTheLevels() {
    let levels = (0..<4).map { images([2, 3, 44, 48], seed: UInt64($0)) }
    let values = levels.map { SegmentationLoss(logits: $0, labels: truth, kind: .batchDice).value.item }
    let loss = SegmentationLoss(
      PassLogits(full: levels[0], coarse: Array(levels.dropFirst())), labels: truth, kind: .batchDice, weighted: false,
      fused: true)
    let mean = (8 * values[0] + 4 * values[1] + 2 * values[2] + values[3]) / 15
    #expect(abs(loss.value.item - mean) < 1e-6)
    let hard = SegmentationLoss(logits: levels[0], labels: truth).hardDice.item
    #expect(loss.hardDice.item == hard)
  }

  @Test func everyOutputLearns() throws {
    let network = try network()
    let before = network.parameters.trainable.map { $0.tensor.values(Float.self) }
    let optimizer = Adam(network.parameters, learningRate: 1e-3)
    _ = network.trainingStep(images: x, labels: truth, optimizer: optimizer, loss: .batchDice)
    let outputs = zip(network.parameters.trainable, before).filter { $0.0.name.hasPrefix("coarse") }
    #expect(outputs.count == 3 * 4)
    for (entry, old) in outputs { #expect(entry.tensor.values(Float.self) != old, "\(entry.name)") }
  }
}
