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
      $0.count == 4 && (1...1024).contains($0[0]) && $0[1] > 0
    }
    let (width, inputChannels) = (first[0], first[1])
    // A network takes memory for its width, so the file must really hold one of this width.
    let deepest = architecture.blocks.last { $0.level == architecture.depth }!
    _ = try shape("\(deepest.name.rawValue).block.conv_0.weight") {
      $0 == [width << deepest.level, width << deepest.level, 3, 3]
    }
    let classes = try shape("outc.conv.2.weight") { $0.count == 4 && (2...256).contains($0[0]) && $0[1] == width }[0]
    let blocks = architecture.blocks.map(\.name).filter {
      shapes["\($0.rawValue).block.norm_0_aux.mlp_gamma.weight"] != nil
    }
    var reduction = 2
    if let block = blocks.first {
      let gamma = try shape("\(block.rawValue).block.norm_0_aux.mlp_gamma.weight", rank: 4)
      reduction = gamma[1] > 0 ? gamma[0] / gamma[1] : 0
    }
    let plainNorm = "\(architecture.blocks[0].name.rawValue).block.norm_0"
    let scale = shapes[plainNorm + ".weight"]
    let sites = (0..<shapes.count).prefix { shapes["\(plainNorm).bns.\($0).running_mean"] != nil }.count
    let norm: PlainNorm =
      sites > 0
      ? .dsbn
      : shapes[plainNorm + ".running_mean"] != nil ? .bn : scale == nil ? .in : scale!.count == 3 ? .ln : .gn
    self.init(
      architecture, classes: classes, inputChannels: inputChannels, width: width, norm: norm,
      dual: blocks.isEmpty ? nil : DualPlan(blocks, maskKind: maskKind, reduction: reduction),
      size: norm == .ln ? ImageSize(height: scale![1], width: scale![2]) : nil,
      sites: max(sites, 1), deepSupervision: shapes["coarse1.conv.2.weight"] != nil)
    do {
      try validate()
    } catch let error as Refusal {
      throw error.about(file)
    }
  }
}
