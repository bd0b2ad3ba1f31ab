import Torch

/// The paper's normalization: global batch statistics, then a scale and a shift of each pixel, predicted from a mask.
///
///     x̂ = (x − μ_batch) / σ_batch
///     h = ReLU(conv3×3(resize(mask)))
///     y = x̂ · (1 + conv3×3_γ(h)) + conv3×3_β(h)
///
/// Measured local statistics also normalize x̂ within each region of the mask, before the scale and shift.
struct DualNormLayer {
  let globalNorm: BatchNorm2d
  private let shared: Conv2d
  private let gamma: Conv2d
  private let beta: Conv2d
  private let localStatistics: LocalStatistics

  init(_ scope: Scope, channels: Int, classes: Int, _ plan: DualPlan) {
    let hidden = channels / plan.reduction
    globalNorm = BatchNorm2d(scope / "param_free_norm", channels, affine: false)
    shared = Conv2d(scope / "mlp_shared" / "0", classes, hidden, kernel: 3, padding: 1)
    gamma = Conv2d(scope / "mlp_gamma", hidden, channels, kernel: 3, padding: 1)
    beta = Conv2d(scope / "mlp_beta", hidden, channels, kernel: 3, padding: 1)
    localStatistics = plan.localStatistics
  }

  /// Computes y. x is [N, channels, H, W], the mask [N, classes, H, W]; the result has the shape of x.
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

  /// Computes convolution(ReLU(y)) + residual as one operation, equal up to rounding; nil with measured statistics.
  func fused(
    _ x: Tensor, mask: Tensor, with convolution: some FusableConvolution, adding residual: Tensor?, _ mode: Mode
  ) -> Tensor? {
    guard localStatistics == .predicted else { return nil }
    let map = gamma.fused(shared.fused(mask).relu(), joinedWith: beta)
    return globalNorm.fused(x, map: map, into: convolution, adding: residual, mode)
  }

  /// γ and β of each pixel, [N, channels, height, width] each. Only measured statistics take more than these from the
  /// mask.
  func modulation(by mask: MaskLevels, height: Int, width: Int) -> (gamma: Tensor, beta: Tensor) {
    let hidden = shared(mask.resized(height: height, width: width)).relu()
    return (gamma(hidden), beta(hidden))
  }
}
