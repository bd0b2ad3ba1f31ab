import MedicalImaging
import Testing
import Torch

@testable import Basics
@testable import DualNorm

@Suite struct DualMapsTests {
  private func network(_ configuration: (inout NetworkPlan) -> Void = { _ in }) throws -> DualNormNetwork {
    var asked = NetworkPlan(classes: 3, inputChannels: 1, width: 4, dual: [.inc, .down2])
    configuration(&asked)
    return try DualNormNetwork(asked, seed: 3)
  }

  private func volume() throws -> PreparedVolume {
    var generator = SeededGenerator(seed: 4)
    let image = Image(
      voxels: (0..<32 * 48 * 2).map { _ in Float(generator.uniform()) }, geometry: Geometry(size: [48, 32, 2]))
    return try PreparedVolume(
      images: [image], labels: nil, plan: PreparationPlan(contextSlices: 1), names: ["image"])
  }

  @Test func aMapForEachDualLayerOfItsSize() throws {
    let maps = try network().dualMaps(of: volume(), slice: 1)
    #expect(maps.map(\.block.name) == [.inc, .inc, .down2, .down2] && maps.map(\.index) == [0, 1, 0, 1])
    #expect(maps.map(\.channels) == [4, 4, 16, 16])
    #expect(maps[0].size == ImageSize(height: 32, width: 48) && maps[2].size == ImageSize(height: 8, width: 12))
    for map in maps {
      let plane = map.size.height * map.size.width
      #expect(map.gamma.count == map.channels * plane && map.beta.count == map.channels * plane)
      let sums = (0..<plane).map { map.mask[$0] + map.mask[plane + $0] + map.mask[2 * plane + $0] }
      #expect(sums.allSatisfy { abs($0 - 1) < 1e-5 })
    }
  }

  /// The layer computes y = x̂ · (1 + γ) + β before ReLU and convolution.
  @Test(arguments: [true, false]) func theyAreWhatTheLayerUses(fuses: Bool) throws {
    let parameters = Parameters(seed: 7)
    let scope = Scope(parameters)
    let plain = NormLayer(scope / "plain", level: 0, NetworkPlan(classes: 2, width: 8))
    let layer = DualNormLayer(scope / "norm", channels: 8, classes: 2, kernel: [3, 3], [.inc])
    let convolution = Convolution(scope / "conv", 8, 8, kernel: [3, 3])
    let unit = NormReLUConvolution(BlockNorm(plain, dual: layer), convolution)
    var generator = SeededGenerator(seed: 8)
    func random(_ channels: Int) -> Tensor {
      let values = (0..<channels * 16 * 16).map { _ in Float(generator.uniform()) }
      return Tensor(values, shape: [1, channels, 16, 16]).channelsLast()
    }
    let x = random(8)
    let mask = MaskLevels(random(2).softmax(1), .soft)
    withoutGradients {
      let context = ForwardContext(mask: mask, sites: nil, mode: .evaluation, fuses: fuses)
      let found = unit(x, context).values(Float.self)
      let (gamma, beta) = layer.modulation(by: mask.resized(like: x))
      let expected = convolution((layer.globalNorm(x, .evaluation) * (1 + gamma) + beta).relu()).values(Float.self)
      #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 1e-4 })
      #expect(gamma.values(Float.self).contains { abs($0) > 1e-3 })
    }
  }

  @Test func aUniformMaskGivesTheSameEverywhereButAtTheBorder() throws {
    let map = try network { $0.dual?.maskSource = .uniform }.dualMaps(of: volume(), slice: 0)[0]
    for y in 2..<30 {
      for x in 2..<46 { #expect(abs(map.gamma[y * 48 + x] - map.gamma[2 * 48 + 2]) < 1e-6) }
    }
    #expect(abs(map.gamma[0] - map.gamma[2 * 48 + 2]) > 1e-6)
  }

  @Test func noneWithoutDualBlocks() throws {
    #expect(try network { $0.dual = nil }.dualMaps(of: volume(), slice: 0).isEmpty)
  }
}
