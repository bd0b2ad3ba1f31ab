import Foundation
import MedicalImaging
import Testing
import Torch

@testable import Basics
@testable import Datasets
@testable import DualNorm
@testable import Scores

@Suite struct DomainBatchNormTests {
  init() { LibTorch.configure(threads: 1) }

  private func network(_ norm: PlainNorm, sites: Int = 1, dual: DualPlan? = [.inc, .up4]) throws -> DualNormNetwork {
    try DualNormNetwork(
      NetworkPlan(classes: 2, inputChannels: 1, width: 2, norm: norm, dual: dual, sites: sites),
      seed: 3)
  }

  @Test func rowsOfASiteAreRuns() {
    let rows = SiteRows([1, 1, 0, 2, 2, 2])
    #expect(rows.runs == [.init(site: 1, rows: 0..<2), .init(site: 0, rows: 2..<3), .init(site: 2, rows: 3..<6)])
    #expect(SiteRows([4, 4]) == SiteRows(site: 4, count: 2))
  }

  @Test func namesAreThoseOfTheModuleList() throws {
    let names = try network(.dsbn, sites: 2).parameters.entries.map(\.name)
    let expected = [0, 1].flatMap { branch in
      ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"].map { "bns.\(branch).\($0)" }
    }
    #expect(names.filter { $0.hasPrefix("inc.block.norm_0.") }.map { String($0.dropFirst(17)) } == expected)
    #expect(names.filter { $0.hasPrefix("outc.conv.0.") }.count == 10)
    #expect(names.contains("inc.block.norm_0_aux.param_free_norm.running_mean"))
  }

  /// Compares initial values, losses and all tensors after three steps.
  @Test func oneSiteIsBatchNormToTheBit() throws {
    let networks = [try network(.bn), try network(.dsbn)]
    func values(_ network: DualNormNetwork) -> [(String, StoredTensor)] {
      network.parameters.stateDictionary.map { ($0.name.replacingOccurrences(of: ".bns.0", with: ""), $0.tensor) }
    }
    func expectEqual() {
      for (a, b) in zip(values(networks[0]), values(networks[1])) { #expect(a == b, "\(a.0)") }
    }
    #expect(values(networks[0]).count == values(networks[1]).count)
    expectEqual()
    let (x, y) = (images([4, 1, 32, 32], seed: 1), labels([4, 32, 32], classes: 2, seed: 1))
    let losses = networks.map { network in
      let optimizer = Adam(network.parameters, learningRate: 1e-2)
      return (0..<3).map { _ in
        network.trainingStep(images: x, labels: y, sites: SiteRows(site: 0, count: 4), optimizer: optimizer)
      }
    }
    #expect(losses[0] == losses[1])
    expectEqual()
  }

  @Test func branchesSeeOnlyTheirRows() {
    let parameters = Parameters(seed: 1)
    let norm = DomainBatchNorm(Scope(parameters) / "norm", 3, sites: 3)
    let x = images([5, 3, 4, 4], seed: 2)
    let found = norm(x, sites: SiteRows([2, 2, 2, 0, 0]), .training)
    for (branch, rows) in [(2, 0..<3), (0, 3..<5)] {
      let alone = Parameters(seed: 1)
      let expected = BatchNorm(Scope(alone) / "norm", 3)(x.narrowed(0, to: rows), .training)
      #expect(found.narrowed(0, to: rows).values(Float.self) == expected.values(Float.self))
      for name in ["running_mean", "running_var", "num_batches_tracked"] {
        #expect(parameters["norm.bns.\(branch).\(name)"]!.stored == alone["norm.\(name)"]!.stored)
      }
    }
    // A site without rows changes no statistics and gets no gradients.
    #expect(parameters["norm.bns.1.num_batches_tracked"]!.item == 0)
    #expect(parameters["norm.bns.1.running_mean"]!.values(Float.self) == [0, 0, 0])
    (found * found).sum().backward()
    #expect(parameters["norm.bns.1.weight"]!.gradient == nil && parameters["norm.bns.0.weight"]!.gradient != nil)
  }

  /// The dual layers see the whole batch, including the other site's images.
  @Test func dualLayersKeepTheirGlobalStatistics() throws {
    let network = try network(.dsbn, sites: 2, dual: [.inc])
    let x = images([4, 1, 16, 16], seed: 1)
    network.forEachPass(over: x, sites: SiteRows([0, 0, 1, 1]), .training) { _, _ in }
    func mean(_ norm: String) -> [Float] { network.parameters["inc.block.\(norm).running_mean"]!.values() }
    let branches = (0..<2).map { mean("norm_0.bns.\($0)") }
    let both = mean("norm_0_aux.param_free_norm")
    // Both have the same input, and sites have the same number of rows.
    for channel in 0..<2 { #expect(abs((branches[0][channel] + branches[1][channel]) / 2 - both[channel]) < 1e-6) }
    #expect(branches[0] != branches[1])
  }

  @Test func sitesAreReadOffACheckpoint() throws {
    let network = try network(.dsbn, sites: 3)
    let found = try NetworkPlan(
      inferredFrom: network.parameters.stateDictionary, maskKind: .soft, file: "weights")
    #expect(found == network.plan)
    #expect(found.norm == .dsbn && found.sites == 3)
  }

  @Test func slicesOfASiteComeTogether() throws {
    func item(_ site: String) throws -> PreparedCase {
      let image = try PreparedVolume(
        images: [noise(Geometry(size: [16, 16, 3]), seed: 1)], labels: nil, plan: PreparationPlan(), names: [site])
      return PreparedCase(source: Case(name: site, site: site, images: [], mask: nil), volume: image)
    }
    let cases = try ["C", "A", "B"].map(item)
    var description = ModelDescription(
      network: NetworkPlan(classes: 2, norm: .dsbn, sites: 3), preparation: try PreparationPlan(),
      labels: LabelScheme(groups: [[1]]), modalities: ["image"], sites: ["A", "B", "C"])
    let slices = [0, 1, 2, 0, 1].map { SliceSampler.Slice(volume: $0, z: $0) }
    let batches = try SiteBatches(cases, description)
    #expect(batches.ordered(slices).map(\.place) == [1, 4, 2, 0, 3])
    #expect(batches.rows(slices) == SiteRows([0, 0, 1, 2, 2]))
    description.sites = ["A", "B"]
    #expect(
      throws: Refusal(.input, sentence: "C/C: is of a site that the model has no batch norm for; it has A and B.")
    ) {
      _ = try SiteBatches(cases, description)
    }
    description.network.norm = .bn
    let plain = try SiteBatches(cases, description)
    #expect(plain.ordered(slices).map(\.place) == Array(0..<5) && plain.rows(slices) == nil)
  }
}
