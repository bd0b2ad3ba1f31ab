import Torch

extension Tensor {
  /// How many pixels of the global statistics (mean 0, variance 1) every region is given beside its own.
  static let regionPseudoPixels = 16.0

  /// Normalizes every region of each image and channel by its own mean and variance, weighted by the mask.
  ///
  /// With this tensor x̂ [N, C, H, W], normalized over the batch before; the mask m [N, K, H, W], one in the sum over the
  /// regions k; sums over the pixels p of image n; and n0 = 16:
  ///
  ///     μ_nkc = Σ_p m_nk(p) x̂_nc(p) / (Σ_p m_nk(p) + n0)
  ///     σ²_nkc = (Σ_p m_nk(p) (x̂_nc(p) − μ_nkc)² + n0) / (Σ_p m_nk(p) + n0)
  ///     x̃_nc(p) = Σ_k m_nk(p) (x̂_nc(p) − μ_nkc) / √(σ²_nkc + ε)
  ///
  /// So an absent or tiny region is left as batch norm made it. Differentiable in both. Returns [N, C, H, W].
  func normalized(inRegionsOf mask: Tensor) -> Tensor {
    let (n, c, h, w) = (size(0), size(1), size(2), size(3))
    let k = mask.size(1)
    // Sums of squares over a region need more than the 8 bits of bfloat16.
    let precise = type == .bfloat16 ? converted(to: .float32) : self
    let x = precise.permuted(0, 2, 3, 1).reshaped(n, h * w, c)
    let regions = mask.converted(to: precise.type).reshaped(n, k, h * w)
    let total = regions.sum([2]).reshaped(n, k, 1) + Self.regionPseudoPixels  // T = Σ m + n0
    let mean = regions.matrixProduct(x) / total
    let square = (regions.matrixProduct(x * x) + Self.regionPseudoPixels) / total
    // The variance as one product with the mask: Σ m (x̂ − μ)² = Σ m x̂² − T μ² − n0 μ². Rounding must not make it negative.
    let shrunk = square - mean * mean * (Self.regionPseudoPixels / total + 1)
    let variance = shrunk.clamped(to: 0...Double.infinity)
    let scale = 1 / (variance + epsilon).squareRoot()
    let pixels = regions.permuted(0, 2, 1)
    let normalized = x * pixels.matrixProduct(scale) - pixels.matrixProduct(mean * scale)
    return normalized.reshaped(n, h, w, c).permuted(0, 3, 1, 2)
  }
}

/// Batch norm's.
private let epsilon = 1e-5
