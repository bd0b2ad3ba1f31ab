import Torch

/// The unit of backbones: convolution(ReLU(norm(x))) + residual.
///
/// The norm is plain in the first pass. In the final pass it is the dual one, if there is one.
struct NormReLUConvolution<Convolution: FusableConvolution> {
  private let plain: NormLayer
  let dual: DualNormLayer?
  private let convolution: Convolution

  /// Joins layers that exist, because the order of their creation decides their initial weights.
  init(_ plain: NormLayer, dual: DualNormLayer? = nil, _ convolution: Convolution) {
    (self.plain, self.dual, self.convolution) = (plain, dual, convolution)
  }

  /// x [N, channels, H, W]; residual, of the shape of the result, is added to it.
  func callAsFunction(_ x: Tensor, adding residual: Tensor? = nil, _ context: ForwardContext) -> Tensor {
    if context.fuses, let y = fused(x, adding: residual, context) { return y }
    let y = convolution(normalized(x, context).relu(), context)
    return residual.map { $0 + y } ?? y
  }

  private func normalized(_ x: Tensor, _ context: ForwardContext) -> Tensor {
    guard let dual, let mask = context.mask else { return plain(x, context) }
    return dual(x, mask: mask.resized(height: x.size(2), width: x.size(3)), context)
  }

  /// The unit as one operation, equal up to rounding; nil for norms that have none.
  private func fused(_ x: Tensor, adding residual: Tensor?, _ context: ForwardContext) -> Tensor? {
    guard let dual, let mask = context.mask else {
      return plain.fused(x, with: convolution, adding: residual, context)
    }
    let resized = mask.resized(height: x.size(2), width: x.size(3))
    return dual.fused(x, mask: resized, with: convolution, adding: residual, context.mode)
  }
}

extension FusableConvolution {
  /// The convolution by the operations that the context asks for.
  func callAsFunction(_ x: Tensor, _ context: ForwardContext) -> Tensor { context.fuses ? fused(x) : self(x) }
}

extension Conv2d {
  /// The convolution of two tensors whose channels are concatenated, which a fused operation does not store.
  func callAsFunction(_ a: Tensor, _ b: Tensor, _ context: ForwardContext) -> Tensor {
    context.fuses ? fused(a, b) : self(.concatenate([a, b], dimension: 1))
  }
}

extension Tensor {
  /// Max-pools by 2 × 2 by the operation that the context asks for.
  func maxPooled(_ context: ForwardContext) -> Tensor { context.fuses ? halvedByMaximum() : maxPooled(2) }
}
