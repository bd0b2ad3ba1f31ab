import Basics
package import Torch

/// The structure of a network. The published one is a residual U-Net of width 32 with four dual blocks.
public struct NetworkPlan: Equatable, Sendable {
  package var architecture: Architecture
  /// Number of output classes, background included; at least 2.
  package var classes: Int
  /// Number of context slices × number of modalities.
  package var inputChannels: Int
  /// Number of channels of the first level; each deeper level has twice as many, up to `largestWidth`.
  package var width: Int
  /// The most channels of a level. Networks for slices have no limit, as published.
  package var largestWidth: Int
  package var levels: Levels
  package var norm: PlainNorm
  /// The dual norms, their blocks in the order of the network; nil for a network with a single pass.
  package var dual: DualPlan?
  /// The only input size the network works for; layer norm needs it.
  package var size: Extent?
  /// Number of domain-specific batch norm's branches, one per training site; 1 for other norms.
  package var sites: Int
  /// Tells whether coarser levels have outputs of their own, which only training uses.
  package var deepSupervision: Bool
  /// The stages of nnU-Net's networks; nil for others.
  package var stages: Stages?
  /// The transformer; only TransUNet has it.
  package var transformer = TransformerPlan()

  public init(
    _ architecture: Architecture = .residualUNet, levels: Levels = .slices, classes: Int, inputChannels: Int = 3,
    width: Int = 32, largestWidth: Int? = nil, norm: PlainNorm = .bn, dual: DualPlan? = nil, size: Extent? = nil,
    sites: Int = 1, deepSupervision: Bool = false
  ) {
    self.levels = levels
    let limit = architecture.isNNUNet ? Self.largestWidthOfNNUNet : .max
    self.largestWidth = largestWidth ?? (levels.dimensions == 3 ? Self.largestWidthOfVolumes : limit)
    self.architecture = architecture
    self.classes = classes
    self.inputChannels = inputChannels
    self.width = width
    self.norm = norm
    self.dual = dual?.inOrder(of: architecture.blocks(depth: levels.depth))
    self.size = size
    self.sites = sites
    self.deepSupervision = deepSupervision
    guard architecture.isNNUNet else { return }
    stages = Stages(
      defaultsOf: (0...levels.depth).map { min(max(width, 0) << $0, self.largestWidth) },
      isResidual: architecture == .nnunetResidual)
  }

  /// The default of `largestWidth` in networks for volumes, as in nnU-Net.
  static let largestWidthOfVolumes = 320

  /// The default of `largestWidth` in nnU-Net's networks for slices.
  private static let largestWidthOfNNUNet = 512

  /// Number of channels of a level.
  func channels(_ level: Int) -> Int { stages?.channels[level] ?? min(width << level, largestWidth) }

  /// The blocks that can have dual norms, from input to output.
  package var blocks: [Block] { architecture.blocks(depth: levels.depth) }

  /// A lower bound of the number of weights, known before any memory is allocated.
  var leastWeightCount: Double {
    let planes = norm == .ln ? size?.sizes.reduce(1) { $0 * Double($1) } ?? 0 : 0
    let kernel = Double(levels.kernels.last!.reduce(1, *))
    if let stages { return stages.leastWeightCount(levels) }
    let deepest = min(Double(width) * Double(1 << levels.depth), Double(largestWidth))
    let width = Double(width)
    let transformer = architecture == .transUNet ? 12 * deepest * deepest * Double(self.transformer.layers) : 0
    // Convolutions of the deepest block, the first and the last convolution, and a norm of the first level.
    return transformer + kernel * deepest * deepest
      + width * (Double(inputChannels) + Double(classes) + Double(sites) + planes)
  }

  /// - Parameters:
  ///   - weights: of a file, for this network.
  ///   - source: the file that holds the plan.
  /// - Throws: `Refusal` for far fewer numbers than the network has, before it takes memory.
  package func requireWeights(_ weights: StateDictionary, in file: String, planOf source: String) throws {
    let found = weights.reduce(0.0) { $0 + $1.tensor.shape.reduce(1.0) { $0 * Double($1) } }
    guard found < leastWeightCount else { return }
    throw Refusal(
      .input, file, "holds \(Int(found)) numbers, far fewer than the network of \(source) has",
      remedy: "restore both files from the same run")
  }

  /// Tells whether any part of the network depends on batch statistics.
  package var usesBatchNorm: Bool { norm == .bn || norm == .dsbn || dual != nil }

  /// Tells whether the deepest level depends on batch statistics.
  var usesBatchNormAtTheBottom: Bool {
    norm == .bn || norm == .dsbn
      || dual?.blocks.contains { name in blocks.contains { $0.name == name && $0.level == levels.depth } } ?? false
  }

  /// - Throws: `Refusal` naming the invalid value.
  package func validate() throws {
    func require(_ condition: Bool, _ found: String, remedy: String = "", detail: String = "") throws {
      if !condition { throw Refusal(.input, found, detail: detail, remedy: remedy) }
    }
    try require(classes >= 2, "A network needs at least 2 classes (background and one more), not \(classes)")
    try require(inputChannels >= 1, "A network needs at least 1 input channel, not \(inputChannels)")
    let widest = min(1024, largestWidth)
    try require((1...widest).contains(width), "The width is \(width)", remedy: "choose 1 to \(widest)")
    try require(
      norm != .gn || width % PlainNorm.groups == 0,
      "Group norm works on \(PlainNorm.groups) groups, so the width must be a multiple of it, not \(width)")
    try require(
      norm != .ln || size != nil, "Layer norm works for one slice size only",
      remedy: "give the network's size (\(Setting.size))")
    try require(
      sites >= 1 && (sites == 1 || norm == .dsbn),
      "The network has \(sites) sites",
      detail: "domain-specific batch norm (dsbn) has at least 1, every other norm exactly 1")
    try require(
      levels.areValid && (architecture.isNNUNet || levels.dimensions == 3 || levels == .slices)
        && (stages.map { $0.fit(depth: levels.depth) } ?? true) && (stages != nil) == architecture.isNNUNet,
      "The network's levels do not fit together", remedy: "make it again with train")
    try require(
      dual == nil || levels.dimensions == 3 || levels.kernels.allSatisfy { $0[0] == $0[1] },
      "A dual network of slices needs square kernels", remedy: "leave the dual blocks out")
    let (heads, deepest) = (transformer.heads, channels(levels.depth))
    try require(
      architecture != .transUNet
        || ((1...64).contains(transformer.layers) && (1...64).contains(heads) && deepest % heads == 0),
      "A transformer of \(transformer.layers) layers and \(heads) heads does not fit \(deepest) channels of the deepest "
        + "level", remedy: "choose 1 to 64 layers, and heads that divide \(deepest)")
    try require(
      norm != .gn || stages.map { $0.channels.allSatisfy { $0 % PlainNorm.groups == 0 } } ?? true,
      "Group norm works on \(PlainNorm.groups) groups, which do not divide the channels of every stage")
    try require(
      size.map { $0.sizes.count == levels.dimensions } ?? true, "The network's size has other axes than its kernels")
    try dual?.validate(width: width, architecture, levels)
  }
}

extension DualPlan {
  /// The same norms with their blocks in the order of the network, as weights tell them; what it lacks comes last.
  fileprivate func inOrder(of blocks: [Block]) -> Self {
    var plan = self
    let known = blocks.map(\.name)
    plan.blocks =
      known.flatMap { name in plan.blocks.filter { $0 == name } } + plan.blocks.filter { !known.contains($0) }
    return plan
  }

  fileprivate func validate(width: Int, _ architecture: Architecture, _ levels: Levels) throws {
    guard reduction >= 1 && reduction <= width else {
      throw Refusal(
        .input, "The reduction is \(reduction)",
        remedy: "choose 1 to the width, \(width), so that a dual layer keeps a hidden channel")
    }
    for (index, name) in blocks.enumerated() {
      if let fault = architecture.fault(of: name, depth: levels.depth) { throw fault }
      guard !blocks[..<index].contains(name) else {
        throw Refusal(.input, "The dual block \(name.rawValue) is named twice", remedy: "name each block once")
      }
    }
    guard !blocks.isEmpty else {
      throw Refusal(.input, "A dual network has no dual block", remedy: "name at least one")
    }
  }
}
