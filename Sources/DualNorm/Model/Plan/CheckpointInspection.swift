import Basics
package import Torch

extension NetworkPlan {
  /// Infers a network's plan from the names and shapes of a `state_dict`.
  ///
  /// - Parameters:
  ///   - maskKind: the kind to assume, since it leaves no trace in the weights. Mask source and local statistics leave
  ///     none either and get their defaults.
  ///   - file: the file's name, for errors.
  /// - Throws: `Refusal` if the weights belong to no such network.
  package init(inferredFrom state: StateDictionary, maskKind: MaskKind, file: String) throws {
    let shapes = CheckpointShapes(state, file: file)
    if let other = shapes.otherBackbone {
      throw Refusal(
        .input, file, "is a \(other.rawValue), whose options its weights do not tell",
        remedy: other.isNNUNet ? "give its run folder, or the model's folder of nnU-Net" : "give its run folder")
    }
    let isNested = shapes[NestedUNet.input + ".weight"] != nil
    let architecture = isNested ? Architecture.nestedUNet : .residualUNet
    let first = try shapes.required((isNested ? NestedUNet.input : ResidualUNet.input) + ".weight") {
      (4...5).contains($0.count) && (1...1024).contains($0[0]) && $0[1] > 0
    }
    let (rank, width) = (first.count, first[0])
    let levels = rank == 4 ? Levels.slices : try shapes.levels(of: architecture)
    let blocks = architecture.blocks(depth: levels.depth)
    // A network takes memory for its width, so the file must really hold one of this width.
    let deepest = blocks.last { $0.level == levels.depth }!
    let largest = try shapes.required("\(deepest.name.rawValue).block.conv_0.weight") {
      $0.count == rank && $0[0] == $0[1] && Array($0.dropFirst(2)) == levels.kernels.last!
        && (rank == 5 ? $0[0] <= width << levels.depth : $0[0] == width << levels.depth)
    }[0]
    let classes = try shapes.required("outc.conv.2.weight") {
      $0.count == rank && (2...256).contains($0[0]) && $0[1] == width
    }[0]
    let plain = shapes.plainNorm(of: blocks[0], rank: rank)
    self.init(
      architecture, levels: levels, classes: classes, inputChannels: first[1], width: width,
      largestWidth: rank == 5 ? largest : nil, norm: plain.norm,
      dual: try shapes.dualPlan(among: blocks, maskKind, rank: rank), size: plain.size, sites: plain.sites,
      deepSupervision: shapes["coarse1.conv.2.weight"] != nil)
    do {
      try validate()
    } catch let error as Refusal {
      throw error.about(file)
    }
  }
}

extension Architecture {
  /// The backbone of a `state_dict` that does not tell its plan; nil for others.
  package init?(ofWeightsWithoutPlan state: StateDictionary) {
    guard let found = CheckpointShapes(state, file: "").otherBackbone else { return nil }
    self = found
  }
}

/// Shapes of a checkpoint's tensors by their names.
private struct CheckpointShapes {
  private let shapes: [String: [Int]]
  private let file: String

  init(_ state: StateDictionary, file: String) {
    shapes = Dictionary(state.map { ($0.name, $0.tensor.shape) }, uniquingKeysWith: { first, _ in first })
    self.file = file
  }

  subscript(name: String) -> [Int]? { shapes[name] }

  /// A backbone of which weights alone do not tell everything; nil for the others.
  var otherBackbone: Architecture? {
    let first: [(String, Architecture)] = [
      ("vit.position", .transUNet), ("up1.gate.psi.weight", .attentionUNet), ("inc.block.0.conv.weight", .unet),
      ("inc.stage.0.conv.weight", .vnet), ("encoder.stem.convs.0.conv.weight", .nnunetResidual),
      ("encoder.stages.0.0.convs.0.conv.weight", .nnunet),
    ]
    return first.first { shapes[$0.0] != nil }?.1
  }

  /// - Throws: `Refusal` if the tensor is missing or has another shape.
  func required(_ name: String, where fits: ([Int]) -> Bool) throws -> [Int] {
    guard let shape = shapes[name], fits(shape) else {
      throw Refusal(
        .input, file, "holds no DualNorm-UNet: \(name) is \(shapes[name].map { "of shape \($0)" } ?? "missing")",
        remedy: "give a checkpoint of the authors' network, or one that train wrote")
    }
    return shape
  }

  /// The levels of a network for volumes.
  func levels(of architecture: Architecture) throws -> Levels {
    guard architecture == .residualUNet else {
      throw Refusal(
        .input, file, "is a 3-D \(architecture.rawValue), whose poolings its weights do not tell",
        remedy: "give a run folder of it")
    }
    let depth = (1...20).prefix { shapes["down\($0).maxpool_conv.1.weight"] != nil }.count
    func sides(_ name: String) throws -> [Int] {
      Array(try required(name) { $0.count == 5 && $0.dropFirst(2).allSatisfy { $0 == 1 || $0 == 3 } }.dropFirst(2))
    }
    _ = try sides("down1.maxpool_conv.1.weight")  // a network has a pooling
    // The kernel of a transposed convolution is 1 or 3 where its stride is 1 or 2.
    return Levels(
      poolings: try (0..<depth).map { try sides("up\(depth - $0).up.up.2.weight").map { ($0 + 1) / 2 } },
      kernels: try (0...depth).map { try sides("\($0 == 0 ? "inc" : "down\($0)").block.conv_0.weight") })
  }

  /// The dual norms; nil if there are none.
  func dualPlan(among blocks: [Block], _ maskKind: MaskKind, rank: Int) throws -> DualPlan? {
    func gamma(_ block: Block) -> String { "\(block.name.rawValue).block.norm_0_aux.mlp_gamma.weight" }
    let dual = blocks.filter { shapes[gamma($0)] != nil }
    guard let first = dual.first else { return nil }
    let shape = try required(gamma(first)) { $0.count == rank }
    return DualPlan(dual.map(\.name), maskKind: maskKind, reduction: shape[1] > 0 ? shape[0] / shape[1] : 0)
  }

  /// The plain norm, by that of the first block; layer norm's size; and the number of sites.
  func plainNorm(of block: Block, rank: Int) -> (norm: PlainNorm, size: Extent?, sites: Int) {
    let name = "\(block.name.rawValue).block.norm_0"
    let sites = (0..<shapes.count).prefix { shapes["\(name).bns.\($0).running_mean"] != nil }.count
    if sites > 0 { return (.dsbn, nil, sites) }
    if shapes[name + ".running_mean"] != nil { return (.bn, nil, 1) }
    guard let scale = shapes[name + ".weight"] else { return (.in, nil, 1) }
    return scale.count == rank - 1 ? (.ln, Extent(Array(scale.dropFirst())), 1) : (.gn, nil, 1)
  }
}
