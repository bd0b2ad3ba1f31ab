import Torch

/// A segmentation network for one pass; its context has the mask, if there is one.
///
/// Every norm of a block is a `BlockNorm`, alone or in a `NormReLUConvolution`. It is plain in the first pass, and dual in
/// the final pass if the plan names the block.
protocol Backbone {
  /// The blocks that can have dual norms in a network with `depth` poolings, from input to output.
  static func blocks(depth: Int) -> [Block]

  /// Creates the layers. The order of their creation decides their initial weights.
  init(_ scope: Scope, _ plan: NetworkPlan)

  /// Maps images [N, inputChannels, H, W] to logits [N, classes, H, W]; volumes have the axes D, H and W.
  ///
  /// Coarser logits follow in training with deep supervision, the finest first.
  func callAsFunction(_ images: Tensor, _ context: ForwardContext) -> [Tensor]

  /// The dual norms of each block that has any, from input to output.
  var dualNorms: [(block: Block, norms: [DualNormLayer])] { get }
}

/// A part of a backbone that can have dual norms.
package struct Block: Hashable, Sendable {
  /// The prefix of its parameters' names.
  package let name: BlockName
  /// The number of poolings before this block.
  package let level: Int

  init(_ name: BlockName, level: Int) { (self.name, self.level) = (name, level) }
}

/// The name of a block, such as `down1`. Each backbone has its own.
public struct BlockName: RawRepresentable, Hashable, Codable, Sendable, ExpressibleByStringLiteral {
  public let rawValue: String

  public init(rawValue: String) { self.rawValue = rawValue }

  public init(stringLiteral name: String) { rawValue = name }
}
