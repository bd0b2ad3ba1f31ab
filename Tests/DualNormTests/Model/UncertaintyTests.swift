import Foundation
import MedicalImaging
import Testing

@testable import DualNorm
@testable import Torch

@Suite struct UncertaintyTests {
  init() { LibTorch.configure(threads: 1) }

  private func image(_ voxels: [Float]) -> Image {
    Image(voxels: voxels, geometry: Geometry(size: [voxels.count, 1, 1]))
  }

  /// Four voxels in two slabs, three classes, by hand.
  @Test func entropyAndExpectedDice() {
    var sums = UncertaintySums(classes: 3)
    sums.add([[0.5, 1], [0.5, 0], [0, 0]], [0, 0], disagreement: [])
    sums.add([[0.25, 0.1], [0.75, 0.3], [0, 0.6]], [1, 2], disagreement: [])
    let found = sums.uncertainty(image)
    func entropy(_ p: Double...) -> Double { -p.reduce(0) { $0 + $1 * log($1) } }
    let expected: [Double] = [log(2.0), 0, entropy(0.25, 0.75), entropy(0.1, 0.3, 0.6)]
    #expect(zip(found.entropy.voxels, expected).allSatisfy { abs(Double($0) - $1) < 1e-6 })
    // Class 1: Σ p 1.55, Σ p h 0.75, Σ h 1. Class 2: 0.6, 0.6, 1.
    let dice = (2 * 0.75 / 2.55 + 2 * 0.6 / 1.6) / 2
    #expect(abs(found.ofCase! - (1 - dice)) < 1e-6)
    #expect(found.disagreement == nil)
  }

  /// A class that is not found counts neither way, and nothing found has no number.
  @Test func absentClasses() {
    var one = UncertaintySums(classes: 3)
    one.add([[0, 0.9], [1, 0.1], [0, 0]], [1, 0], disagreement: [])
    #expect(abs(one.ofCase! - (1 - 2 / 2.1)) < 1e-6)
    var none = UncertaintySums(classes: 2)
    none.add([[0.9, 0.8], [0.1, 0.2]], [0, 0], disagreement: [])
    #expect(none.ofCase == nil)
  }

  /// The entropy of the mean is that of the members plus what they disagree in.
  @Test func disagreementOfMembers() throws {
    let networks = try [1, 2].map {
      try DualNormNetwork(NetworkPlan(classes: 3, inputChannels: 1, width: 4, dual: [.inc]), seed: $0)
    }
    let input = NetworkInput(
      images: images([2, 1, 16, 16], seed: 1).values(), labels: nil, sizes: [16, 16], channels: 1, on: .cpu)
    func scores(_ seeds: [Int], axes: [MirrorAxis] = []) -> ClassScores {
      withoutGradients {
        Ensemble(count: seeds.count, keepsEntropy: true) { index in
          let one = networks[seeds[index]].segmenter(ofSite: nil)
          return axes.isEmpty ? one : Mirrored(base: one, axes: axes, keepsEntropy: true)
        }.scores(of: input, .evaluation)[.final]!
      }
    }
    func entropies(_ scores: ClassScores) -> [Double] {
      let maps = scores.probabilitiesByClass
      return maps[0].indices.map { voxel in
        maps.reduce(0) { $0 - Double($1[voxel]) * log(Double($1[voxel])) }
      }
    }
    let alone = [0, 1].map { entropies(scores([$0])) }
    let both = scores([0, 1])
    let members = try #require(both.further).values(Double.self)
    #expect(both.probabilitiesByClass.count == 3)
    for voxel in members.indices {
      #expect(abs(members[voxel] - (alone[0][voxel] + alone[1][voxel]) / 2) < 1e-5)
    }
    let disagreement = zip(entropies(both), members).map { $0 - $1 }
    #expect(disagreement.allSatisfy { $0 > -1e-5 } && disagreement.max()! > 1e-3)
    // Equal members agree.
    let twice = scores([0, 0])
    #expect(zip(entropies(twice), twice.further!.values(Double.self)).allSatisfy { abs($0 - $1) < 1e-5 })
    // Mirror images are members too.
    let mirrored = scores([0], axes: [.x])
    #expect(zip(entropies(mirrored), mirrored.further!.values(Double.self)).contains { $0 - $1 > 1e-4 })
  }
}
