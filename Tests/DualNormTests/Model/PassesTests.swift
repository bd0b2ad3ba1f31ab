import Testing
import Torch

@testable import DualNorm

@Suite struct PassesTests {
  private let x = images([2, 1, 16, 16], seed: 1)
  private let truth = labels([2, 16, 16], classes: 3, seed: 1)

  init() { LibTorch.configure(threads: 1) }

  private func network(
    _ norm: PlainNorm = .bn, sites: Int = 1, maskSource: MaskSource = .prediction,
    localStatistics: LocalStatistics = .predicted
  ) throws -> DualNormNetwork {
    try DualNormNetwork(
      NetworkPlan(
        classes: 3, inputChannels: 1, width: 2, norm: norm,
        dual: DualPlan([.inc], maskSource: maskSource, localStatistics: localStatistics), sites: sites), seed: 5)
  }

  private func passes(_ network: DualNormNetwork, sites: SiteRows? = nil) -> [Pass: Tensor] {
    var result: [Pass: Tensor] = [:]
    withoutGradients {
      network.forEachPass(over: x, sites: sites, reference: truth, .evaluation) { result[$0] = $1.full }
    }
    return result
  }

  @Test(arguments: MaskSource.allCases) func theFinalPassSeesTheMaskOfItsSource(source: MaskSource) throws {
    let network = try network(maskSource: source)
    let found = passes(network)
    let first = withoutGradients { network(x, .evaluation) }
    #expect(found[.first]!.values(Float.self) == first.values(Float.self))
    let mask =
      switch source {
      case .prediction: first.softmax(1)
      case .uniform: Tensor(repeating: 1 / 3.0, shape: [2, 3, 16, 16])
      case .reference: truth.oneHot(3).permuted(0, 3, 1, 2).converted(to: .float32)
      }
    let final = withoutGradients { network(x, mask: mask, .evaluation) }
    #expect(largestDifference(found[.final]!, final) < 1e-6)
  }

  @Test func theSourcesDiffer() throws {
    let finals = try MaskSource.allCases.map { passes(try network(maskSource: $0))[.final]! }
    #expect(largestDifference(finals[0], finals[1]) > 1e-3)
    #expect(largestDifference(finals[0], finals[2]) > 1e-3)
  }

  @Test func measuredStatisticsChangeTheFinalPassOnly() throws {
    let (predicted, measured) = (passes(try network()), passes(try network(localStatistics: .measured)))
    #expect(predicted[.first]!.values(Float.self) == measured[.first]!.values(Float.self))
    #expect(largestDifference(predicted[.final]!, measured[.final]!) > 1e-2)
  }

  /// The first pass's mean is the final pass's mask.
  @Test func anUnknownSiteGetsTheMeanOfTheBranches() throws {
    let network = try network(.dsbn, sites: 2)
    for entry in network.parameters.entries where entry.name.hasSuffix(".bns.1.running_mean") {
      entry.tensor.assign(Tensor(repeating: 0.5, shape: entry.tensor.shape))
    }
    let input = NetworkInput(
      images: x.values(), labels: nil, sizes: [16, 16], channels: 1, on: .cpu)
    let found = withoutGradients { network.segmenter(ofSite: nil).scores(of: input, .evaluation) }
    func mean(_ mask: Tensor?) -> Tensor {
      withoutGradients {
        let each = (0..<2).map { site in
          network(x, mask: mask, sites: SiteRows(site: site, count: 2), .evaluation).softmax(1)
        }
        #expect(largestDifference(each[0], each[1]) > 1e-3)
        return (each[0] + each[1]) / 2
      }
    }
    let first = mean(nil)
    #expect(largestDifference(found[.first]!.probabilities, first) < 1e-6)
    #expect(largestDifference(found[.final]!.probabilities, mean(first)) < 1e-6)
    let named = passes(network, sites: SiteRows(site: 1, count: 2))
    #expect(largestDifference(named[.first]!.softmax(1), found[.first]!.probabilities) > 1e-3)
  }
}
