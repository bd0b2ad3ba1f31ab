import Torch

extension Tensor {
  /// The number of pixels with the global statistics (mean 0, variance 1) that each region gets besides its own.
  static let regionPseudoPixels = 16.0

  /// Normalizes each region of each image and channel by its own mean and variance, weighted by the mask.
  ///
  /// This tensor x̂, already normalized over the batch, and the result are [N, C, …]. The mask m is [N, K, …] and sums
  /// to one over the regions k. Sums run over the pixels p of image n; n0 = 16:
  ///
  ///     μ_nkc = Σ_p m_nk(p) x̂_nc(p) / (Σ_p m_nk(p) + n0)
  ///     σ²_nkc = (Σ_p m_nk(p) (x̂_nc(p) − μ_nkc)² + n0) / (Σ_p m_nk(p) + n0)
  ///     x̃_nc(p) = Σ_k m_nk(p) (x̂_nc(p) − μ_nkc) / √(σ²_nkc + ε)
  ///
  /// A tiny region thus nearly keeps batch norm's result, and an absent one has no effect. Gradients flow to x̂ and m.
  func normalized(inRegionsOf mask: Tensor) -> Tensor {
    let (n, c, k, voxels) = (size(0), size(1), mask.size(1), count / (size(0) * size(1)))
    // Sums of squares over a region need more than the 8 significant bits of bfloat16.
    let precise = type == .bfloat16 ? converted(to: .float32) : self
    let x = precise.permuted([0] + Array(2..<rank) + [1]).reshaped(n, voxels, c)
    let regions = mask.converted(to: precise.type).reshaped(n, k, voxels)
    let total = regions.sum([2]).reshaped(n, k, 1) + Self.regionPseudoPixels  // T = Σ m + n0
    let mean = regions.matrixProduct(x) / total
    let square = (regions.matrixProduct(x * x) + Self.regionPseudoPixels) / total
    // The variance by matrix products: Σ m (x̂ − μ)² = Σ m x̂² − T μ² − n0 μ². Rounding must not make it negative.
    let shrunk = square - mean * mean * (Self.regionPseudoPixels / total + 1)
    let variance = shrunk.clamped(to: 0...Double.infinity)
    let scale = 1 / (variance + epsilon).squareRoot()
    let pixels = regions.permuted(0, 2, 1)
    let normalized = x * pixels.matrixProduct(scale) - pixels.matrixProduct(mean * scale)
    return normalized.permuted(0, 2, 1).reshaped(like: self)
  }
}

/// The same ε as in batch norm.
private let epsilon = 1e-5
