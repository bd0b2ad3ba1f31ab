import Basics

/// A network's backbone.
public enum Architecture: String, Codable, Sendable, CaseIterable {
  /// The pre-activation residual U-Net of the paper.
  case residualUNet = "residual-unet"
  /// U-Net (Ronneberger et al. 2015; Çiçek et al. 2016).
  case unet
  /// UNet++ (Zhou et al., DLMIA 2018).
  case nestedUNet = "unet++"
  /// Attention U-Net (Oktay et al. 2018).
  case attentionUNet = "attention-unet"
  /// V-Net (Milletari et al., 3DV 2016).
  case vnet
  /// TransUNet (Chen et al., arXiv 2102.04306), with a small transformer.
  case transUNet = "transunet"
  /// nnU-Net's PlainConvUNet (Isensee et al. 2021).
  case nnunet
  /// nnU-Net's ResidualEncoderUNet (Isensee et al. 2024).
  case nnunetResidual = "nnunet-residual"

  var backbone: any Backbone.Type {
    switch self {
    case .residualUNet: ResidualUNet.self
    case .unet, .attentionUNet: UNet.self
    case .nestedUNet: NestedUNet.self
    case .vnet: VNet.self
    case .transUNet: TransUNet.self
    case .nnunet, .nnunetResidual: NNUNet.self
    }
  }

  /// Tells whether it is a network of nnU-Net.
  package var isNNUNet: Bool { self == .nnunet || self == .nnunetResidual }

  /// The blocks of a network with `depth` poolings, from input to output.
  package func blocks(depth: Int) -> [Block] { backbone.blocks(depth: depth) }

  /// The blocks of networks for slices.
  package var blocks: [Block] { blocks(depth: Levels.slices.depth) }

  /// The sides of padded slices are multiples of this.
  package var sizeMultiple: Int { Levels.slices.multiples[0] }

  /// The default dual blocks of training: the encoder's, except the deepest.
  package var standardDualBlocks: [BlockName] { standardDualBlocks(depth: Levels.slices.depth) }

  package func standardDualBlocks(depth: Int) -> [BlockName] {
    // An encoder goes down level by level, and its blocks are the first of each level.
    (0..<depth).map { level in blocks(depth: depth).first { $0.level == level }!.name }
  }

  /// The refusal of a dual block that this backbone does not have; nil for one that it has.
  ///
  /// - Parameter file: the file that names the block, if one does.
  func fault(of name: BlockName, depth: Int = Levels.slices.depth, in file: String? = nil) -> Refusal? {
    let known = blocks(depth: depth).map(\.name.rawValue)
    guard !known.contains(name.rawValue) else { return nil }
    return Refusal(
      .input, file ?? "",
      "\(file == nil ? "The" : "the") dual block \"\(quoted(name.rawValue))\" is no block of \(rawValue)",
      detail: "the nearest is \(nearest(to: name.rawValue, among: known)) of \(listed(known, atMost: 20))")
  }
}
