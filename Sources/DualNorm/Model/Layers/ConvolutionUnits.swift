import Torch

/// Units ReLU(norm(convolution(x))) one after the other; the first changes the number of channels.
///
/// The activation comes last, unlike in the paper's residual block. Each norm is dual where the plan names the block.
struct ConvolutionUnits {
  private let first: Convolution
  /// The norm of each unit with the convolution of the next, since these are one operation.
  private let next: [NormReLUConvolution<Convolution>]
  private let last: NormReLUConvolution<NoConvolution>

  init(_ scope: Scope, _ block: Block, inputs: Int, count: Int = 2, _ plan: NetworkPlan) {
    let (channels, kernel) = (plan.channels(block.level), plan.levels.kernels[block.level])
    let units = (0..<count).map { index in
      let place = scope / "\(index)"
      let convolution = Convolution(place / "conv", index == 0 ? inputs : channels, channels, kernel: kernel)
      return (convolution: convolution, norm: BlockNorm(place, block, plan))
    }
    first = units[0].convolution
    next = zip(units, units.dropFirst()).map { NormReLUConvolution($0.norm, $1.convolution) }
    last = NormReLUConvolution(units[count - 1].norm, NoConvolution())
  }

  /// Maps x [N, inputs, …] to [N, channels, …] of the same size.
  func callAsFunction(_ x: Tensor, _ context: ForwardContext) -> Tensor { rest(first(x, context), context) }

  /// Computes the same of two tensors with their channels concatenated.
  func callAsFunction(_ a: Tensor, _ b: Tensor, _ context: ForwardContext) -> Tensor {
    rest(first(a, b, context), context)
  }

  private func rest(_ x: Tensor, _ context: ForwardContext) -> Tensor {
    last(next.reduce(x) { $1($0, context) }, context)
  }

  /// The dual norms of all units, or none.
  var dualNorms: [DualNormLayer] { next.compactMap(\.dual) + [last.dual].compactMap { $0 } }
}

/// An encoder of units at each level, with max-pooling in between.
struct PooledEncoder {
  private let poolings: [[Int]]
  private let levels: [ConvolutionUnits]

  /// Creates the units of the plan's first blocks, one for each level.
  init(_ scope: Scope, _ plan: NetworkPlan) {
    poolings = plan.levels.poolings
    levels = (0...plan.levels.depth).map { level in
      let block = plan.blocks[level]
      let inputs = level == 0 ? plan.inputChannels : plan.channels(level - 1)
      return ConvolutionUnits(scope / block.name.rawValue / "block", block, inputs: inputs, plan)
    }
  }

  /// Maps images to the outputs of all levels, the first level first.
  func callAsFunction(_ images: Tensor, _ context: ForwardContext) -> [Tensor] {
    var outputs = [levels[0](images, context)]
    for (units, pooling) in zip(levels.dropFirst(), poolings) {
      outputs.append(units(outputs.last!.maxPooled(pooling, context), context))
    }
    return outputs
  }

  /// The dual norms of each level.
  var dualNorms: [[DualNormLayer]] { levels.map(\.dualNorms) }
}
