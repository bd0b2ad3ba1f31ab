import Torch

/// The building block of backbones: convolution(ReLU(norm(x))) + residual.
///
/// The first pass uses the plain norm. The final pass uses the dual norm if there is one.
struct NormReLUConvolution<Layer: FusableConvolution> {
  private let plain: NormLayer
  let dual: DualNormLayer?
  private let convolution: Layer

  /// Combines existing layers, because the order of their creation decides their initial weights.
  init(_ plain: NormLayer, dual: DualNormLayer? = nil, _ convolution: Layer) {
    (self.plain, self.dual, self.convolution) = (plain, dual, convolution)
  }

  /// Computes the unit for x [N, channels, …]; the residual has the shape of the result.
  func callAsFunction(_ x: Tensor, adding residual: Tensor? = nil, _ context: ForwardContext) -> Tensor {
    if context.fuses, let y = fused(x, adding: residual, context) { return y }
    let y = convolution(normalized(x, context).relu(), context)
    return residual.map { $0 + y } ?? y
  }

  private func normalized(_ x: Tensor, _ context: ForwardContext) -> Tensor {
    guard let dual, let mask = context.mask else { return plain(x, context) }
    return dual(x, mask: mask.resized(to: x.spatialShape), context)
  }

  /// Runs the unit as one operation, equal up to rounding; nil on a device without it.
  private func fused(_ x: Tensor, adding residual: Tensor?, _ context: ForwardContext) -> Tensor? {
    guard let dual, let mask = context.mask else {
      return plain.fused(x, with: convolution, adding: residual, context)
    }
    let resized = mask.resized(to: x.spatialShape)
    return dual.fused(x, mask: resized, with: convolution, adding: residual, context.mode)
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
