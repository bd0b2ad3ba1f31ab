import Torch

/// The paper's normalization: global batch statistics, then a scale and a shift of each pixel, predicted from a mask.
///
///     x̂ = (x − μ_batch) / σ_batch
///     h = ReLU(conv(resize(mask)))
///     y = x̂ · (1 + conv_γ(h)) + conv_β(h)
///
/// For slices x is [N, C, H, W], and the convolutions are 3×3 (equations 2 to 4 of the paper). For volumes x is
/// [N, C, D, H, W]. The statistics then run over N, D, H and W, the mask is resized along all three axes, and the
/// convolutions have the level's kernel. That form is this project's; none was found published.
///
/// Measured local statistics also normalize x̂ within each region of the mask, before the scale and shift.
struct DualNormLayer {
  let globalNorm: BatchNorm
  private let shared: Convolution
  private let gamma: Convolution
  private let beta: Convolution
  private let localStatistics: LocalStatistics

  init(_ scope: Scope, channels: Int, classes: Int, kernel: [Int], _ plan: DualPlan) {
    let hidden = channels / plan.reduction
    globalNorm = BatchNorm(scope / "param_free_norm", channels, affine: false)
    shared = Convolution(scope / "mlp_shared" / "0", classes, hidden, kernel: kernel)
    gamma = Convolution(scope / "mlp_gamma", hidden, channels, kernel: kernel)
    beta = Convolution(scope / "mlp_beta", hidden, channels, kernel: kernel)
    localStatistics = plan.localStatistics
  }

  /// Creates the dual norm of a block that the plan names; nil for others.
  init?(_ scope: Scope, _ block: Block, channels: Int, _ plan: NetworkPlan) {
    guard let dual = plan.dual, dual.blocks.contains(block.name) else { return nil }
    self.init(
      scope, channels: channels, classes: plan.classes, kernel: plan.levels.kernels[block.level], dual)
  }

  /// Computes y. The mask is [N, classes] and the axes of x; the result has the shape of x.
  func callAsFunction(_ x: Tensor, mask: Tensor, _ context: ForwardContext) -> Tensor {
    let hidden = shared(mask, context).relu()
    return normalized(x, mask, context.mode) * (1 + gamma(hidden, context)) + beta(hidden, context)
  }

  private func normalized(_ x: Tensor, _ mask: Tensor, _ mode: Mode) -> Tensor {
    switch localStatistics {
    case .predicted: globalNorm(x, mode)
    case .measured: globalNorm(x, mode).normalized(inRegionsOf: mask)
    }
  }

  /// Computes convolution(ReLU(y)) + residual as one operation, equal up to rounding.
  func fused(
    _ x: Tensor, mask: Tensor, with convolution: some FusableConvolution, adding residual: Tensor?, _ mode: Mode
  ) -> Tensor {
    let map = gamma.fused(shared.fused(mask).relu(), joinedWith: beta)
    switch localStatistics {
    case .predicted: return globalNorm.fused(x, map: map, into: convolution, adding: residual, mode)
    case .measured:
      let measured = globalNorm(x, mode).normalized(inRegionsOf: mask).converted(to: x.type)
      return globalNorm.fused(normalized: measured, map: map, into: convolution, adding: residual)
    }
  }

  /// γ and β of each pixel, [N, channels, …] each, of a mask [N, classes, …]. Only measured statistics take more than
  /// these from the mask.
  func modulation(by mask: Tensor) -> (gamma: Tensor, beta: Tensor) {
    let hidden = shared(mask).relu()
    return (gamma(hidden), beta(hidden))
  }
}
