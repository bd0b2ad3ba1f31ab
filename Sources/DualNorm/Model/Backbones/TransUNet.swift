import Torch

/// TransUNet (Chen et al., arXiv 2102.04306): a transformer at the deepest level of a U-Net.
///
/// The encoder is that of `UNet` in place of a pretrained ResNet-50. A token is a position of the deepest level. The
/// decoder enlarges linearly and takes a skip connection at each level.
struct TransUNet: Backbone {
  static func blocks(depth: Int) -> [Block] { .encoderAndDecoder(depth: depth, hasMiddle: true) }

  private let blocks: [Block]
  private let encoder: PooledEncoder
  private let transformer: Transformer
  private let middle: ConvolutionUnits
  private let up: [Up]
  private let output: ClassConvolutions

  init(_ scope: Scope, _ plan: NetworkPlan) {
    let depth = plan.levels.depth
    blocks = plan.blocks
    func units(_ block: Block, inputs: Int, count: Int = 2) -> ConvolutionUnits {
      ConvolutionUnits(scope / block.name.rawValue / "block", block, inputs: inputs, count: count, plan)
    }
    encoder = PooledEncoder(scope, plan)
    transformer = Transformer(scope / "vit", plan)
    middle = units(plan.blocks[depth + 1], inputs: plan.channels(depth), count: 1)
    up = plan.blocks[(depth + 2)...].map {
      Up(block: units($0, inputs: plan.channels($0.level) + plan.channels($0.level + 1)))
    }
    output = ClassConvolutions(scope, plan, channels: plan.channels)
  }

  func callAsFunction(_ images: Tensor, _ context: ForwardContext) -> [Tensor] {
    var levels = encoder(images, context)
    let deepest = middle(transformer(levels.removeLast(), context), context)
    return output(context.decoded(deepest, &levels, by: up), context)
  }

  var dualNorms: [(block: Block, norms: [DualNormLayer])] {
    let norms = encoder.dualNorms + ([middle] + up.map(\.block)).map(\.dualNorms)
    return zip(blocks, norms).filter { !$1.isEmpty }.map { ($0, $1) }
  }
}

private struct Up: DecoderStep {
  let block: ConvolutionUnits

  func callAsFunction(_ x: Tensor, skip: Tensor, _ context: ForwardContext) -> Tensor {
    block(skip, x.resizedLinearly(like: skip), context)
  }
}
