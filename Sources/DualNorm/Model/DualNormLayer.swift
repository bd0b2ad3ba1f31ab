import Torch

/// The paper's normalization: global batch statistics, then a scale and shift of every pixel predicted from a mask.
///
///     x̂ = (x − μ_batch) / σ_batch
///     h = ReLU(conv3×3(resize(mask)))
///     y = x̂ · (1 + conv3×3_γ(h)) + conv3×3_β(h)
///
/// With measured local statistics x̂ is also normalized within each region of the mask before it is scaled and shifted.
struct DualNormLayer {
  let globalNorm: BatchNorm2d
  let shared: Conv2d
  let gamma: Conv2d
  let beta: Conv2d
  let localStatistics: LocalStatistics

  init(_ scope: Scope, channels: Int, configuration: UNetConfiguration) {
    let hidden = channels / configuration.reduction
    globalNorm = BatchNorm2d(scope / "param_free_norm", channels, affine: false)
    shared = Conv2d(scope / "mlp_shared" / "0", configuration.classes, hidden, kernel: 3, padding: 1)
    gamma = Conv2d(scope / "mlp_gamma", hidden, channels, kernel: 3, padding: 1)
    beta = Conv2d(scope / "mlp_beta", hidden, channels, kernel: 3, padding: 1)
    localStatistics = configuration.localStatistics
  }

  /// γ and β of every pixel, [N, channels, height, width] each: all that the layer takes from the mask, unless it measures.
  func modulation(by mask: MaskLevels, height: Int, width: Int) -> (gamma: Tensor, beta: Tensor) {
    let hidden = shared(mask.resized(height: height, width: width)).relu()
    return (gamma(hidden), beta(hidden))
  }

  /// convolution(ReLU(y)) + residual; x [N, channels, H, W]
  func rectified(
    _ x: Tensor, mask: MaskLevels, by convolution: Conv2d, adding residual: Tensor? = nil, _ context: ForwardContext
  ) -> Tensor {
    let mask = mask.resized(height: x.size(2), width: x.size(3))
    func apply(_ convolution: Conv2d, _ x: Tensor) -> Tensor { context.fuses ? convolution.fused(x) : convolution(x) }
    let hidden = apply(shared, mask).relu()
    if context.fuses, localStatistics == .predicted {
      let map = gamma.fused(hidden, joinedWith: beta)
      return globalNorm.rectified(x, map: map, by: convolution, adding: residual, context.mode)
    }
    let normalized =
      switch localStatistics {
      case .predicted: globalNorm(x, context.mode)
      case .measured: globalNorm(x, context.mode).normalized(inRegionsOf: mask)
      }
    let modulated = normalized * (1 + apply(gamma, hidden)) + apply(beta, hidden)
    let y = apply(convolution, modulated.relu())
    return residual.map { $0 + y } ?? y
  }
}
