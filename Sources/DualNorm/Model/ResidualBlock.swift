import Torch

/// x + conv(ReLU(norm_1(conv(ReLU(norm_0(x)))))), with a second pair of norms for the pass that has a mask.
struct ResidualBlock {
  private let norms: (NormLayer, NormLayer)
  let dualNorms: (DualNormLayer, DualNormLayer)?
  private let convolutions: (Conv2d, Conv2d)

  /// The block `name` with `channels` channels; registers the names of the published checkpoints.
  init(_ scope: Scope, _ name: BlockName, channels: Int, configuration: UNetConfiguration) {
    func norm(_ part: String) -> NormLayer {
      NormLayer(scope / part, channels: channels, level: name.level, configuration: configuration)
    }
    func dualNorm(_ part: String) -> DualNormLayer {
      DualNormLayer(scope / part, channels: channels, configuration: configuration)
    }
    norms = (norm("norm_0"), norm("norm_1"))
    dualNorms = configuration.dualBlocks.contains(name) ? (dualNorm("norm_0_aux"), dualNorm("norm_1_aux")) : nil
    convolutions = (
      Conv2d(scope / "conv_0", channels, channels, kernel: 3, padding: 1),
      Conv2d(scope / "conv_1", channels, channels, kernel: 3, padding: 1)
    )
  }

  /// x [N, channels, H, W] -> the same shape. A block without dual norms ignores the mask.
  func callAsFunction(_ x: Tensor, _ context: ForwardContext) -> Tensor {
    if let mask = context.mask, let dualNorms {
      let y = dualNorms.0.rectified(x, mask: mask, by: convolutions.0, context)
      return dualNorms.1.rectified(y, mask: mask, by: convolutions.1, adding: x, context)
    }
    let y = norms.0.rectified(x, by: convolutions.0, context)
    return norms.1.rectified(y, by: convolutions.1, adding: x, context)
  }
}
