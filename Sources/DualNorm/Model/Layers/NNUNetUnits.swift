import Torch

/// A part of a stage: a unit or a residual block.
protocol NNUNetPart {
  func callAsFunction(_ x: Tensor, _ context: ForwardContext) -> Tensor
  var dualNorms: [DualNormLayer] { get }
}

/// LeakyReLU(norm(convolution(x))).
struct NNUNetUnit: NNUNetPart {
  private let convolution: StridedConvolution
  private let norm: BlockNorm

  /// - Parameters:
  ///   - strides: of the convolution; nil for 1.
  ///   - kernel: nil for the level's.
  init(
    _ scope: Scope, _ block: Block, inputs: Int, strides: [Int]? = nil, kernel: [Int]? = nil, bias: Bool = true,
    _ plan: NetworkPlan
  ) {
    let kernel = kernel ?? plan.levels.kernels[block.level]
    convolution = StridedConvolution(
      scope / "conv", inputs, plan.channels(block.level), kernel: kernel, strides: strides ?? kernel.map { _ in 1 },
      bias: bias)
    norm = BlockNorm(scope, block, plan)
  }

  func callAsFunction(_ x: Tensor, _ context: ForwardContext) -> Tensor { activated(normalized(x, context)) }

  func normalized(_ x: Tensor, _ context: ForwardContext) -> Tensor {
    norm(context.fuses ? convolution.fused(x) : convolution(x), context)
  }

  var dualNorms: [DualNormLayer] { [norm.dual].compactMap { $0 } }
}

private func activated(_ x: Tensor) -> Tensor { x.leakyReLU(slope: 0.01) }

/// LeakyReLU(norm(convolution(unit(x))) + skip(x)); the skip connection pools and has a 1×1 convolution where needed.
struct NNUNetResidualBlock: NNUNetPart {
  private let first, second: NNUNetUnit
  private let pooling: [Int]?
  private let projection: NNUNetUnit?

  init(_ scope: Scope, _ block: Block, _ inputs: Int, _ strides: [Int]?, _ plan: NetworkPlan) {
    let channels = plan.channels(block.level)
    first = NNUNetUnit(scope / "conv1", block, inputs: inputs, strides: strides, plan)
    second = NNUNetUnit(scope / "conv2", block, inputs: channels, plan)
    pooling = strides
    projection =
      inputs == channels
      ? nil
      : NNUNetUnit(
        scope / "skip" / (strides == nil ? "0" : "1"), Block("skip", level: block.level), inputs: inputs,
        kernel: plan.levels.kernels[block.level].map { _ in 1 }, bias: false, plan)
  }

  func callAsFunction(_ x: Tensor, _ context: ForwardContext) -> Tensor {
    let pooled = pooling.map(x.averagePooled) ?? x
    let skip = projection.map { $0.normalized(pooled, context) } ?? pooled
    return activated(second.normalized(first(x, context), context) + skip)
  }

  var dualNorms: [DualNormLayer] { first.dualNorms + second.dualNorms }
}
