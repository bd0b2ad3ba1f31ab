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
  let maskKind: MaskKind
  let localStatistics: LocalStatistics

  init(_ scope: Scope, channels: Int, configuration: UNetConfiguration) {
    let hidden = channels / configuration.reduction
    globalNorm = BatchNorm2d(scope / "param_free_norm", channels, affine: false)
    shared = Conv2d(scope / "mlp_shared" / "0", configuration.classes, hidden, kernel: 3, padding: 1)
    gamma = Conv2d(scope / "mlp_gamma", hidden, channels, kernel: 3, padding: 1)
    beta = Conv2d(scope / "mlp_beta", hidden, channels, kernel: 3, padding: 1)
    maskKind = configuration.maskKind
    localStatistics = configuration.localStatistics
  }

  /// x [N, channels, H, W], mask [N, classes, any height, any width] -> [N, channels, H, W].
  func callAsFunction(_ x: Tensor, mask: Tensor, _ mode: Mode) -> Tensor {
    let mask = resized(mask, height: x.size(2), width: x.size(3))
    let hidden = shared(mask).relu()
    let normalized =
      switch localStatistics {
      case .predicted: globalNorm(x, mode)
      case .measured: globalNorm(x, mode).normalized(inRegionsOf: mask)
      }
    return normalized * (1 + gamma(hidden)) + beta(hidden)
  }

  /// Either way the classes of a pixel still add up to one.
  private func resized(_ mask: Tensor, height: Int, width: Int) -> Tensor {
    switch maskKind {
    case .soft: mask.resizedBilinear(height: height, width: width)
    case .hard: mask.resizedNearest(height: height, width: width)
    }
  }
}
