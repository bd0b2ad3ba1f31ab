import Testing
import Torch

@testable import DualNorm

/// Each backbone with each norm. `ParityTests` compares them with PyTorch.
@Suite struct BackboneTests {
  private static let networks = Architecture.allCases

  /// A network of width 16 for slices of 32 × 32.
  private func network(_ architecture: Architecture, _ norm: PlainNorm) throws -> DualNormNetwork {
    let blocks = architecture.standardDualBlocks
    return try DualNormNetwork(
      NetworkPlan(
        architecture, classes: 3, inputChannels: 1, width: 16, norm: norm, dual: DualPlan(blocks),
        size: Extent(height: 32, width: 32), sites: norm == .dsbn ? 2 : 1, deepSupervision: true), seed: 3)
  }

  @Test(arguments: networks, PlainNorm.allCases)
  func learnsAndFusesWithEveryNorm(_ architecture: Architecture, _ norm: PlainNorm) throws {
    let images = normal([4, 1, 32, 32], seed: 1).converted(to: .float32).channelsLast()
    let labels = Tensor(Array(repeating: UInt8(1), count: 4 * 32 * 32), shape: [4, 32, 32]).converted(to: .int64)
    let sites = SiteRows([0, 0, 1, 1])
    var logits: [[Float]] = []
    for fuses in [false, true] {
      let network = try network(architecture, norm)
      network.fusesOperations = fuses
      var shapes: [[Int]] = []
      network.forEachPass(over: images, sites: sites, .training) { _, found in
        shapes += ([found.full] + found.coarse).map(\.shape)
        let loss = SegmentationLoss(logits: found.full, labels: labels, weighted: false, fused: fuses)
        loss.value.backward()
      }
      #expect(shapes == Array(repeating: [4, 3, 32, 32], count: 8), "4 levels in both passes")
      // Coarse outputs have no part in this loss.
      for entry in network.parameters.trainable
      where !entry.name.contains("coarse") && !entry.name.contains("seg_layers") {
        #expect(entry.tensor.gradient != nil, "\(entry.name) has no gradient")
      }
      withoutGradients {
        network.forEachPass(over: images, sites: sites, .evaluation) {
          if $0 == .final { logits.append($1.full.values()) }
        }
      }
    }
    let difference = zip(logits[0], logits[1]).map { abs($0 - $1) }.max()!
    #expect(difference < 2e-3 * max(1, logits[0].map(abs).max()!))
  }

  /// The report's maps of γ and β come from these.
  @Test(arguments: networks) func namesTheDualNormsOfItsBlocks(_ architecture: Architecture) throws {
    let blocks = architecture.blocks.map(\.name)
    let plan = NetworkPlan(architecture, classes: 2, inputChannels: 1, width: 16, dual: DualPlan(blocks))
    let found = try DualNormNetwork(plan, seed: 1).dualNorms
    #expect(found.map(\.block.name) == blocks)
    #expect(found.allSatisfy { !$0.norms.isEmpty })
  }
}
