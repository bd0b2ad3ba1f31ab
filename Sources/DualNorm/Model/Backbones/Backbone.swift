import Torch

/// A segmentation network without passes: its context says whether there is a mask.
///
/// Backbones are made of `NormReLUConvolution`s. Those take a plain norm in the first pass, and a dual norm in the final
/// pass where the block has one.
protocol Backbone {
  /// How often the deepest level has halved the input. The sides of inputs are multiples of `1 << depth`, or are padded.
  static var depth: Int { get }
  /// The blocks that can have dual norms, from input to output.
  static var blocks: [Block] { get }

  /// The name of the convolution that the images enter.
  static var input: String { get }

  /// Creates the layers. The order of their creation decides their initial weights.
  init(_ scope: Scope, _ plan: NetworkPlan)

  /// images [N, inputChannels, H, W] -> logits [N, classes, H, W].
  ///
  /// In training with deep supervision, coarser logits follow, the finest first.
  func callAsFunction(_ images: Tensor, _ context: ForwardContext) -> [Tensor]

  /// The dual norms of each block that has them, from input to output.
  var dualNorms: [(block: Block, norms: [DualNormLayer])] { get }
}

/// A place in a backbone that can have dual norms.
package struct Block: Hashable, Sendable {
  /// The prefix of its parameters' names.
  package let name: BlockName
  /// How often the input is halved there.
  package let level: Int

  init(_ name: BlockName, level: Int) { (self.name, self.level) = (name, level) }
}

/// The name of a block, such as `down1`. Each backbone has its own.
public struct BlockName: RawRepresentable, Hashable, Codable, Sendable, ExpressibleByStringLiteral {
  public let rawValue: String

  public init(rawValue: String) { self.rawValue = rawValue }

  public init(stringLiteral name: String) { rawValue = name }
}
