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
    let shapes = Dictionary(state.map { ($0.name, $0.tensor.shape) }, uniquingKeysWith: { first, _ in first })
    func shape(_ name: String, where fits: ([Int]) -> Bool) throws -> [Int] {
      guard let shape = shapes[name], fits(shape) else {
        throw Refusal(
          .input, file, "holds no DualNorm-UNet: \(name) is \(shapes[name].map { "of shape \($0)" } ?? "missing")",
          remedy: "give a checkpoint of the authors' network, or one that train wrote")
      }
      return shape
    }
    func shape(_ name: String, rank: Int) throws -> [Int] { try shape(name) { $0.count == rank } }
    let architecture =
      Architecture.allCases.first { shapes[$0.backbone.input + ".weight"] != nil } ?? .residualUNet
    let first = try shape(architecture.backbone.input + ".weight") {
      (4...5).contains($0.count) && (1...1024).contains($0[0]) && $0[1] > 0
    }
    guard first.count == 4 || architecture == .residualUNet else {
      throw Refusal(
        .input, file, "is a 3-D \(architecture.rawValue), whose poolings its weights do not tell",
        remedy: "give a run folder of it")
    }
    let levels = first.count == 4 ? Levels.slices : try Levels(ofVolumesInferredFrom: shapes, shape)
    let (width, inputChannels) = (first[0], first[1])
    // A network takes memory for its width, so the file must really hold one of this width.
    let deepest = architecture.blocks(depth: levels.depth).last { $0.level == levels.depth }!
    let largest = try shape("\(deepest.name.rawValue).block.conv_0.weight") {
      $0.count == first.count && $0[0] == $0[1] && Array($0.dropFirst(2)) == levels.kernels.last!
        && (levels.dimensions == 3 ? $0[0] <= width << levels.depth : $0[0] == width << levels.depth)
    }[0]
    let classes = try shape("outc.conv.2.weight") {
      $0.count == first.count && (2...256).contains($0[0]) && $0[1] == width
    }[0]
    let blocks = architecture.blocks(depth: levels.depth).map(\.name).filter {
      shapes["\($0.rawValue).block.norm_0_aux.mlp_gamma.weight"] != nil
    }
    var reduction = 2
    if let block = blocks.first {
      let gamma = try shape("\(block.rawValue).block.norm_0_aux.mlp_gamma.weight", rank: first.count)
      reduction = gamma[1] > 0 ? gamma[0] / gamma[1] : 0
    }
    let plainNorm = "\(architecture.blocks[0].name.rawValue).block.norm_0"
    let scale = shapes[plainNorm + ".weight"]
    let sites = (0..<shapes.count).prefix { shapes["\(plainNorm).bns.\($0).running_mean"] != nil }.count
    let norm: PlainNorm =
      sites > 0
      ? .dsbn
      : shapes[plainNorm + ".running_mean"] != nil
        ? .bn : scale == nil ? .in : scale!.count == first.count - 1 ? .ln : .gn
    self.init(
      architecture, levels: levels, classes: classes, inputChannels: inputChannels, width: width,
      largestWidth: levels.dimensions == 3 ? largest : nil, norm: norm,
      dual: blocks.isEmpty ? nil : DualPlan(blocks, maskKind: maskKind, reduction: reduction),
      size: norm == .ln ? Extent(Array(scale!.dropFirst())) : nil,
      sites: max(sites, 1), deepSupervision: shapes["coarse1.conv.2.weight"] != nil)
    do {
      try validate()
    } catch let error as Refusal {
      throw error.about(file)
    }
  }
}

extension Levels {
  /// Reads the levels of a residual U-Net for volumes from the shapes of its weights.
  ///
  /// - Parameter shape: finds a shape that fits, or refuses the file.
  fileprivate init(
    ofVolumesInferredFrom shapes: [String: [Int]], _ shape: (String, ([Int]) -> Bool) throws -> [Int]
  ) throws {
    let depth = (1...20).prefix { shapes["down\($0).maxpool_conv.1.weight"] != nil }.count
    func sides(_ name: String) throws -> [Int] {
      Array(try shape(name) { $0.count == 5 && $0.dropFirst(2).allSatisfy { $0 == 1 || $0 == 3 } }.dropFirst(2))
    }
    // The kernel of a transposed convolution is 1 or 3 where its stride is 1 or 2.
    let poolings = try (0..<depth).map { try sides("up\(depth - $0).up.up.2.weight").map { ($0 + 1) / 2 } }
    let kernels = try (0...depth).map { try sides("\($0 == 0 ? "inc" : "down\($0)").block.conv_0.weight") }
    _ = try shape("down1.maxpool_conv.1.weight") { $0.count == 5 }  // a network has a pooling
    self.init(poolings: poolings, kernels: kernels)
  }
}
