import Foundation
import MedicalImaging
import Testing
import Torch

@testable import DualNorm

@Suite struct AdaptationTests {
  init() { LibTorch.configure(threads: 1) }

  private func network(
    _ norm: PlainNorm, dual: DualPlan? = [.inc], sites: Int = 1
  ) throws -> DualNormNetwork {
    let size = Extent(height: 16, width: 16)
    return try DualNormNetwork(
      NetworkPlan(
        classes: 2, inputChannels: 3, width: 2, norm: norm, dual: dual, size: norm == .ln ? size : nil, sites: sites),
      seed: 5)
  }

  /// A volume whose contrast is inverted for a negative `slope`; z-score normalization undoes any other linear change.
  private func volume(slope: Float = 1, slices: Int = 11) throws -> PreparedVolume {
    let image = noise(Geometry(size: [16, 16, slices]), seed: 3)
    let skewed = Image(voxels: image.voxels.map { $0 * $0 * slope + 7 }, geometry: image.geometry)
    return try PreparedVolume(images: [skewed], labels: nil, plan: PreparationPlan(), names: ["scan"])
  }

  private func statistics(of network: DualNormNetwork) -> [StoredTensor] {
    network.parameters.entries.filter { !$0.isTrainable }.map(\.tensor.stored)
  }

  @Test func groupsAreSpreadOverAll() {
    #expect(spread(11, atMost: 8) == [[0, 2, 4, 6, 8, 10], [1, 3, 5, 7, 9]])
    #expect(spread(3, atMost: 8) == [[0, 1, 2]])
    #expect(spread(17, atMost: 8).map(\.count) == [6, 6, 5])
  }

  @Test(arguments: [PlainNorm.bn, .dsbn, .gn]) func aDistortedCaseIsPredictedAnewAndTheStatisticsComeBack(
    norm: PlainNorm
  ) throws {
    var configuration = try network(.bn).plan
    (configuration.norm, configuration.width) = (norm, norm == .gn ? 16 : 2)
    let network = try DualNormNetwork(configuration, seed: 5)
    let reference = network.batchStatistics(of: [try volume()], site: 0)
    let scan = try volume(slope: -2)
    let before = statistics(of: network)
    // The network behaves as if trained on the undistorted case.
    reference.applied {
      let plain = network.probabilities(of: scan, passes: [.first, .final])
      let adapted = network.batchStatistics(of: [scan], site: 0)
      let found = adapted.applied { network.probabilities(of: scan, passes: [.first, .final]) }
      func difference(_ pass: Pass) -> Float { zip(found[pass]![1], plain[pass]![1]).map { abs($0 - $1) }.max()! }
      #expect(difference(.final) > 1e-3)
      // Group norm's first pass has no batch statistics.
      #expect((difference(.first) > 1e-3) == (norm != .gn))
      #expect(network.probabilities(of: scan, passes: [.first, .final]) == plain)
    }
    #expect(statistics(of: network) == before)
  }

  @Test(arguments: [PlainNorm.in, .ln]) func withoutBatchNormNothingChanges(norm: PlainNorm) throws {
    let network = try network(norm, dual: nil)
    #expect(!network.plan.usesBatchNorm)
    let scan = try volume(slope: -2)
    let adapted = network.batchStatistics(of: [scan], site: nil)
    #expect(adapted.isEmpty && adapted.smallestCount == nil)
    let plain = network.probabilities(of: scan)
    let found = adapted.applied { network.probabilities(of: scan) }
    #expect(found == plain)
  }

  /// The first norm's input is the first convolution of all slices.
  @Test func statisticsAreThoseOfAllSlices() throws {
    let network = try network(.bn)
    let volumes = [try volume(), try volume(slope: -2, slices: 3)]
    let statistics = network.batchStatistics(of: volumes, site: nil)
    let whole = BatchStatistics()
    withoutGradients { _ = network(network.input(volumes).images, .measurement(whole)) }
    func first(_ statistics: BatchStatistics) -> [Float] {
      statistics.applied {
        ["running_mean", "running_var"].flatMap {
          network.parameters["inc.block.norm_0.\($0)"]!.values(Float.self)
        }
      }
    }
    for (a, b) in zip(first(statistics), first(whole)) { #expect(abs(a - b) < 1e-5) }
  }

  @Test func onlyTheBranchOfTheSiteIsMeasured() throws {
    let network = try network(.dsbn, sites: 2)
    let volume = try volume()
    func changed(site: Int?) -> [Bool] {
      let before = (0..<2).map { network.parameters["outc.conv.0.bns.\($0).running_mean"]!.stored }
      return network.batchStatistics(of: [volume], site: site).applied {
        (0..<2).map { network.parameters["outc.conv.0.bns.\($0).running_mean"]!.stored != before[$0] }
      }
    }
    #expect(changed(site: 0) == [true, false])
    #expect(changed(site: 1) == [false, true])
    #expect(changed(site: nil) == [true, true])
  }

  @Test func progressCountsBatchesAndCanStop() throws {
    let network = try network(.bn)
    var seen: [[Int]] = []
    _ = network.batchStatistics(of: [try volume()], site: nil) { seen.append([$0, $1]) }
    #expect(seen == [[1, 2], [2, 2]])
    struct Stop: Error {}
    #expect(throws: Stop.self) {
      _ = try network.batchStatistics(of: [try volume()], site: nil) { _, _ in throw Stop() }
    }
  }
}
