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

  /// The blocks of a network with `depth` poolings, from input to output.
  package func blocks(depth: Int) -> [Block] { backbone.blocks(depth: depth) }

  /// The blocks of networks for slices.
  package var blocks: [Block] { blocks(depth: Levels.slices.depth) }

  /// The sides of padded slices are multiples of this.
  package var sizeMultiple: Int { Levels.slices.multiples[0] }

  /// The default dual blocks of training: the encoder's, except the deepest.
  package var standardDualBlocks: [BlockName] { standardDualBlocks(depth: Levels.slices.depth) }

  package func standardDualBlocks(depth: Int) -> [BlockName] {
    (0..<depth).map { level in
      switch self {
      case .residualUNet: level == 0 ? .inc : BlockName(rawValue: "down\(level)")
      case .nestedUNet: BlockName(rawValue: "x\(level)_0")
      }
    }
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
