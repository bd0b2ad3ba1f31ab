import Torch

/// The building block of backbones: convolution(ReLU(norm(x))) + residual.
///
/// The first pass uses the plain norm. The final pass uses the dual norm if there is one.
struct NormReLUConvolution<Layer: FusableConvolution> {
  private let norm: BlockNorm
  private let convolution: Layer

  /// Combines existing layers, because the order of their creation decides their initial weights.
  init(_ norm: BlockNorm, _ convolution: Layer) { (self.norm, self.convolution) = (norm, convolution) }

  var dual: DualNormLayer? { norm.dual }

  /// Computes the unit for x [N, channels, …]; the residual has the shape of the result.
  func callAsFunction(_ x: Tensor, adding residual: Tensor? = nil, _ context: ForwardContext) -> Tensor {
    if context.fuses, let y = norm.fused(x, with: convolution, adding: residual, context) { return y }
    let y = convolution(norm(x, context).relu(), context)
    return residual.map { $0 + y } ?? y
  }
}

extension FusableConvolution {
  /// Runs the convolution, fused or not as the context asks.
  func callAsFunction(_ x: Tensor, _ context: ForwardContext) -> Tensor { context.fuses ? fused(x) : self(x) }
}

extension Convolution {
  /// Convolves two tensors as if their channels were concatenated; a fused operation does not store the concatenation.
  func callAsFunction(_ a: Tensor, _ b: Tensor, _ context: ForwardContext) -> Tensor {
    context.fuses ? fused(a, b) : self(.concatenate([a, b], dimension: 1))
  }
}

extension Tensor {
  /// Max-pools by the stride of each axis, fused or not as the context asks.
  func maxPooled(_ strides: [Int], _ context: ForwardContext) -> Tensor {
    context.fuses && strides == [2, 2] ? halvedByMaximum() : maxPooled(strides)
  }
}
