import Basics

/// A network's backbone.
public enum Architecture: String, Codable, Sendable, CaseIterable {
  /// The pre-activation residual U-Net of the paper.
  case residualUNet = "residual-unet"
  /// UNet++ (Zhou et al., DLMIA 2018).
  case nestedUNet = "unet++"

  var backbone: any Backbone.Type {
    switch self {
    case .residualUNet: ResidualUNet.self
    case .nestedUNet: NestedUNet.self
    }
  }

  package var blocks: [Block] { backbone.blocks }

  /// The number of halvings of the input at the deepest level.
  package var depth: Int { backbone.depth }

  /// The sides of padded inputs are multiples of this.
  package var sizeMultiple: Int { 1 << depth }

  /// The default dual blocks of training: the encoder's, except the deepest.
  package var standardDualBlocks: [BlockName] {
    switch self {
    case .residualUNet: [.inc, .down1, .down2, .down3]
    case .nestedUNet: ["x0_0", "x1_0", "x2_0", "x3_0"]
    }
  }

  /// The refusal of a dual block that this backbone does not have; nil for one that it has.
  ///
  /// - Parameter file: the file that names the block, if one does.
  func fault(of name: BlockName, in file: String? = nil) -> Refusal? {
    guard block(name) == nil else { return nil }
    let known = blocks.map(\.name.rawValue)
    return Refusal(
      .input, file ?? "",
      "\(file == nil ? "The" : "the") dual block \"\(quoted(name.rawValue))\" is no block of \(rawValue)",
      detail: "the nearest is \(nearest(to: name.rawValue, among: known)) of \(listed(known, atMost: 20))")
  }

  /// Finds a block by its name; nil if this backbone has none.
  package func block(_ name: BlockName) -> Block? { blocks.first { $0.name == name } }
}
