import Torch

/// The paper's residual block: x + conv(ReLU(norm_1(conv(ReLU(norm_0(x)))))).
///
/// A dual block of the plan has a second pair of norms, for the final pass.
struct ResidualBlock {
  private let first, second: NormReLUConvolution<Convolution>

  /// Creates a block; its parameters have the names of the published checkpoints.
  init(_ scope: Scope, _ block: Block, _ plan: NetworkPlan) {
    let (channels, kernel) = (plan.channels(block.level), plan.levels.kernels[block.level])
    // The plain norms come before the dual ones, as in the published checkpoints.
    let plain = ["norm_0", "norm_1"].map { NormLayer(scope / $0, level: block.level, plan) }
    let dual = ["norm_0_aux", "norm_1_aux"].map { DualNormLayer(scope / $0, block, channels: channels, plan) }
    let norms = zip(plain, dual).map(BlockNorm.init)
    let convolutions = ["conv_0", "conv_1"].map { Convolution(scope / $0, channels, channels, kernel: kernel) }
    first = NormReLUConvolution(norms[0], convolutions[0])
    second = NormReLUConvolution(norms[1], convolutions[1])
  }

  /// Maps x [N, channels, H, W] or [N, channels, D, H, W] to the same shape.
  func callAsFunction(_ x: Tensor, _ context: ForwardContext) -> Tensor {
    second(first(x, context), adding: x, context)
  }

  /// Both dual norms, or none.
  var dualNorms: [DualNormLayer] { [first.dual, second.dual].compactMap { $0 } }
}
