import Torch

/// A norm of a block: plain in the first pass, dual in the final pass if the plan names the block.
struct BlockNorm {
  private let plain: NormLayer
  let dual: DualNormLayer?

  /// Combines existing layers, because the order of their creation decides their initial weights.
  init(_ plain: NormLayer, dual: DualNormLayer? = nil) { (self.plain, self.dual) = (plain, dual) }

  /// Creates the plain norm `norm` and then, in a dual block, the dual norm `norm_aux`.
  ///
  /// - Parameter channels: nil for those of the block's level.
  init(_ scope: Scope, _ block: Block, channels: Int? = nil, _ plan: NetworkPlan) {
    let channels = channels ?? plan.channels(block.level)
    plain = NormLayer(scope / "norm", level: block.level, channels: channels, plan)
    dual = DualNormLayer(scope / "norm_aux", block, channels: channels, plan)
  }

  /// Normalizes x [N, channels, …].
  func callAsFunction(_ x: Tensor, _ context: ForwardContext) -> Tensor {
    guard let dual, let mask = context.mask else { return plain(x, context) }
    return dual(x, mask: mask.resized(like: x), context)
  }

  /// Computes convolution(ReLU(norm(x))) + residual as one operation; nil on a device without it.
  func fused(
    _ x: Tensor, with convolution: some FusableConvolution, adding residual: Tensor?, _ context: ForwardContext
  ) -> Tensor? {
    guard let dual, let mask = context.mask else {
      return plain.fused(x, with: convolution, adding: residual, context)
    }
    let resized = mask.resized(like: x)
    return dual.fused(x, mask: resized, with: convolution, adding: residual, context.mode)
  }
}
