import MedicalImaging
import Testing

@testable import Basics
@testable import DualNorm
@testable import Scores
@testable import Torch

/// Means over networks and mirror images.
@Suite struct EnsembleTests {
  init() { LibTorch.configure(threads: 1) }

  private func network(seed: UInt64, volumes: Bool = false, dual: Bool = true) throws -> DualNormNetwork {
    let plan = NetworkPlan(
      levels: volumes ? .volumes(poolings: 2) : .slices, classes: 3, inputChannels: 1, width: 4,
      dual: dual ? DualPlan([.inc, .down1]) : nil)
    return try DualNormNetwork(plan, seed: seed)
  }

  private func input(_ shape: [Int], seed: UInt64 = 1) -> NetworkInput {
    NetworkInput(
      images: images(shape, seed: seed).values(), labels: nil, sizes: Array(shape.dropFirst(2)), channels: 1, on: .cpu)
  }

  private func scores(_ segmenter: any Segmenter, _ input: NetworkInput) -> [Pass: Tensor] {
    withoutGradients { segmenter.scores(of: input, .evaluation).mapValues(\.probabilities) }
  }

  /// The final pass of each member sees the mask of its own first pass.
  @Test func theMeanOfBothPasses() throws {
    let networks = try [1, 2, 3].map { try network(seed: $0) }
    let input = input([2, 1, 16, 32])
    let each = networks.map { scores($0.segmenter(ofSite: nil), input) }
    let found = scores(Ensemble(count: 3) { networks[$0].segmenter(ofSite: nil) }, input)
    for pass in Pass.allCases {
      let mean = (each[0][pass]! + each[1][pass]! + each[2][pass]!) / 3
      #expect(largestDifference(found[pass]!, mean) < 1e-6)
      #expect(largestDifference(found[pass]!, each[0][pass]!) > 1e-3)
    }
  }

  /// The only pass of a plain network counts for both.
  @Test func plainNetworksAreMembersToo() throws {
    let (plain, dual) = (try network(seed: 1, dual: false), try network(seed: 2))
    let input = input([1, 1, 16, 16])
    let (a, b) = (scores(plain.segmenter(ofSite: nil), input), scores(dual.segmenter(ofSite: nil), input))
    let found = scores(Ensemble(count: 2) { [plain, dual][$0].segmenter(ofSite: nil) }, input)
    #expect(a[.final] == nil)
    #expect(largestDifference(found[.final]!, (a[.first]! + b[.final]!) / 2) < 1e-6)
    let plainOnly = scores(Ensemble(count: 2) { _ in plain.segmenter(ofSite: nil) }, input)
    #expect(plainOnly[.final] == nil && largestDifference(plainOnly[.first]!, a[.first]!) < 1e-6)
  }

  /// Members with branches for sites take that of the site, or the mean of their own for another site.
  @Test func membersHaveBranchesForSites() throws {
    let networks = try [1, 2].map { seed in
      try DualNormNetwork(
        NetworkPlan(classes: 3, inputChannels: 1, width: 4, norm: .dsbn, dual: [.inc], sites: 2), seed: seed)
    }
    withoutGradients {
      // The branches of both sites get statistics of their own.
      let one = images([2, 1, 16, 32], seed: 5)
      let both = Tensor.concatenate([one, one * 4 + 2], dimension: 0)
      for network in networks {
        for _ in 0..<10 { _ = network(both, sites: SiteRows([0, 0, 1, 1]), .training) }
      }
    }
    let input = input([2, 1, 16, 32])
    var bySite: [Tensor] = []
    for site in [0, 1, nil] {
      let each = networks.map { scores($0.segmenter(ofSite: site), input) }
      let found = scores(Ensemble(count: 2) { networks[$0].segmenter(ofSite: site) }, input)
      for pass in Pass.allCases {
        #expect(largestDifference(found[pass]!, (each[0][pass]! + each[1][pass]!) / 2) < 1e-6)
      }
      bySite.append(found[.final]!)
    }
    #expect(largestDifference(bySite[0], bySite[1]) > 1e-3 && largestDifference(bySite[0], bySite[2]) > 1e-3)
  }

  /// Compares with images that are mirrored by hand, for slices and volumes.
  @Test(arguments: [([2, 1, 16, 32], [MirrorAxis.x]), ([2, 1, 16, 32], [.x, .y]), ([2, 1, 8, 16, 12], [.y, .z])])
  func mirrorImagesAreMirroredBack(shape: [Int], axes: [MirrorAxis]) throws {
    let network = try network(seed: 1, volumes: shape.count == 5)
    let base = network.segmenter(ofSite: nil)
    let values = images(shape, seed: 1)
    /// Mirrors values [N, C, …] number by number.
    func mirrored(_ tensor: Tensor, _ axes: [MirrorAxis]) -> Tensor {
      let (shape, old) = (tensor.shape, tensor.values(Float.self))
      var new = old
      for place in old.indices {
        var (rest, index) = (place, [Int]())
        for side in shape.reversed() {
          index.append(rest % side)
          rest /= side
        }
        for axis in axes {
          let last = axis == .x ? 0 : axis == .y ? 1 : 2
          index[last] = shape[shape.count - 1 - last] - 1 - index[last]
        }
        let source = zip(index.reversed(), shape).reduce(0) { $0 * $1.1 + $1.0 }
        new[place] = old[source]
      }
      return Tensor(new, shape: shape)
    }
    func run(_ image: Tensor) -> [Pass: Tensor] {
      scores(
        base,
        NetworkInput(images: image.values(), labels: nil, sizes: Array(shape.dropFirst(2)), channels: 1, on: .cpu))
    }
    let choices: [[MirrorAxis]] = axes.count == 1 ? [[], axes] : [[], [axes[0]], [axes[1]], axes]
    let found = scores(Mirrored(base: base, axes: axes), input(shape))
    for pass in Pass.allCases {
      let parts = choices.map { choice -> Tensor in
        let scores = run(mirrored(values, choice))[pass]!
        guard shape.count == 5 else { return mirrored(scores, choice) }
        // The slices of both volumes follow each other.
        let volumes = scores.reshaped([shape[0], shape[2]] + scores.shape.dropFirst()).permuted(0, 2, 1, 3, 4)
        return mirrored(volumes, choice).permuted(0, 2, 1, 3, 4).reshaped(scores.shape)
      }
      let mean = parts.dropFirst().reduce(parts[0], +) / Double(parts.count)
      #expect(largestDifference(found[pass]!, mean) < 1e-5)
      #expect(largestDifference(found[pass]!, parts[0]) > 1e-4)
    }
  }

  private func description(
    kept: [Bool], sites: [String], mirrorAxes: [MirrorAxis]? = [.x, .y],
    _ change: (inout ModelDescription) -> Void = { _ in }
  ) throws -> ModelDescription {
    var result = ModelDescription(
      network: NetworkPlan(classes: 3, inputChannels: 3, width: 2), preparation: try PreparationPlan(),
      labels: LabelScheme(groups: [[1], [2]]), modalities: ["image"], sites: sites,
      largestComponents: .validated(classes: kept.map { .init(kept: $0, gain: $0 ? 0.02 : -0.01) }, cases: 4),
      mirrorAxes: mirrorAxes)
    change(&result)
    return result
  }

  @Test func anEnsembleKnowsWhatItsMembersKnow() throws {
    let joined = try ModelDescription.ensemble([
      ("a", description(kept: [true, true], sites: ["A", "B"])),
      ("b", description(kept: [true, false], sites: ["B", "C"], mirrorAxes: [.y])),
      ("c", description(kept: [false, false], sites: ["A", "C"])),
    ])
    #expect(joined.sites == ["A", "B", "C"] && joined.mirrorAxes == [.y])
    // Most members keep only the largest component of class 1.
    #expect(joined.largestComponentClasses(.asInModel) == [1])
    guard case .validated(let classes, 12) = joined.largestComponents else {
      Issue.record("12 validation cases")
      return
    }
    #expect(abs(classes[0].gain! - 0.01) < 1e-12 && abs(classes[1].gain!) < 1e-12)
    #expect(joined.networks.count == 3 && joined.passes == [.first])
    let dual = try description(kept: [true, true], sites: ["A"]) { $0.network.dual = DualPlan([.inc]) }
    #expect(try ModelDescription.ensemble([("a", joined), ("b", dual)]).passes == [.first, .final])
    let published = try description(kept: [true, true], sites: ["A"]) { $0.largestComponents = .published }
    #expect(
      try ModelDescription.ensemble([("a", published), ("b", published)]).largestComponentSummary()
        == "kept of all classes, as published")
    let alone = try description(kept: [true, true], sites: ["A"])
    #expect(try ModelDescription.ensemble([("a", alone)]) == alone)
  }

  @Test func membersOfOtherTasksAreRefused() throws {
    let first = try description(kept: [true, true], sites: ["A"])
    func refusal(_ change: (inout ModelDescription) throws -> Void) throws -> String {
      var other = first
      try change(&other)
      do {
        _ = try ModelDescription.ensemble([("RUN-A", first), ("RUN-B", other)])
        return ""
      } catch {
        return "\(error)"
      }
    }
    let remedy = "; give models of one task, such as the folds of a cross-validation."
    #expect(
      try refusal { $0.labels = LabelScheme(groups: [[1], [3]]) }
        == "RUN-B: has the classes 1 label 1, 3 label 3, and RUN-A has 1 label 1, 2 label 2" + remedy)
    #expect(
      try refusal { $0.modalities = ["t1", "t2"] } == "RUN-B: has the modalities t1, t2, and RUN-A has image" + remedy)
    #expect(try refusal { $0.preparation = try PreparationPlan(resampling: .spacingMM(x: 1, y: 0.5)) } == "")
  }

  @Test func modelsWithoutMirroredTraining() throws {
    let path = "RUN"
    #expect(try description(kept: [true, true], sites: []).usableMirrorAxes(of: path) == [.x, .y])
    for (axes, sentence) in [
      (
        nil,
        "RUN: does not say along which axes its training mirrored its images; train again with this version, or leave "
      ),
      ([], "RUN: was trained without mirrored images, so they would be strange to it; train with "),
    ] as [([MirrorAxis]?, String)] {
      let model = try description(kept: [true, true], sites: [], mirrorAxes: axes)
      let error = #expect(throws: Refusal.self) { try model.usableMirrorAxes(of: path) }
      #expect("\(error!)".hasPrefix(sentence))
    }
  }
}
