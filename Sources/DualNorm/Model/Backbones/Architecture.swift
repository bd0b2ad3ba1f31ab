/// The backbones that a network can have.
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

  /// How often the deepest level has halved the input.
  package var depth: Int { backbone.depth }

  /// The sides of padded inputs are multiples of it.
  package var sizeMultiple: Int { 1 << depth }

  /// The block of a name; nil where this backbone has none.
  package func block(_ name: BlockName) -> Block? { blocks.first { $0.name == name } }
}
