import Torch

/// The networks of nnU-Net (Isensee et al. 2021 and 2024): PlainConvUNet and ResidualEncoderUNet.
///
/// Units are LeakyReLU(norm(convolution(x))); the first convolution of a level has its stride. Parameters have the names
/// of PyPI's dynamic-network-architectures, so that weights trained by nnU-Net load as they are.
struct NNUNet: Backbone {
  static func blocks(depth: Int) -> [Block] {
    (0...depth).map { Block(BlockName(rawValue: "enc\($0)"), level: $0) }
      + (0..<depth).reversed().map { Block(BlockName(rawValue: "dec\($0)"), level: $0) }
  }

  private let blocks: [Block]
  /// The first unit of the residual network.
  private let stem: NNUNetUnit?
  private let encoder: [[any NNUNetPart]]
  private let decoder: [Up]
  /// Outputs of the first level, then with deep supervision of those between the first and the deepest.
  private let outputs: [Convolution]

  init(_ scope: Scope, _ plan: NetworkPlan) {
    let (stages, depth) = (plan.stages!, plan.levels.depth)
    blocks = plan.blocks
    stem =
      stages.isResidual
      ? NNUNetUnit(
        scope / "encoder" / "stem" / "convs" / "0", Block("stem", level: 0), inputs: plan.inputChannels, plan) : nil
    encoder = (0...depth).map { level in
      let place = scope / "encoder" / "stages" / "\(level)"
      let first = level == 0 ? (stages.isResidual ? plan.channels(0) : plan.inputChannels) : plan.channels(level - 1)
      return (0..<stages.encoder[level]).map { index in
        let inputs = index == 0 ? first : plan.channels(level)
        let strides = index == 0 && level > 0 ? plan.levels.poolings[level - 1] : nil
        return stages.isResidual
          ? NNUNetResidualBlock(place / "blocks" / "\(index)", plan.blocks[level], inputs, strides, plan)
          : NNUNetUnit(place / "0" / "convs" / "\(index)", plan.blocks[level], inputs: inputs, strides: strides, plan)
      }
    }
    let place = scope / "decoder"
    decoder = (0..<depth).map { step in Up(place, step: step, plan.blocks[depth + 1 + step], plan) }
    outputs = (0..<(plan.deepSupervision ? depth : 1)).map { level in
      Convolution(
        place / "seg_layers" / "\(depth - 1 - level)", plan.channels(level), plan.classes,
        kernel: plan.levels.kernels[level].map { _ in 1 })
    }
  }

  func callAsFunction(_ images: Tensor, _ context: ForwardContext) -> [Tensor] {
    var x = stem.map { $0(images, context) } ?? images
    var levels: [Tensor] = []
    for stage in encoder {
      x = stage.reduce(x) { $1($0, context) }
      levels.append(x)
    }
    return zip(outputs, context.decoded(levels.removeLast(), &levels, by: decoder)).map { $0($1, context) }
  }

  var dualNorms: [(block: Block, norms: [DualNormLayer])] {
    let parts = encoder.map { $0.flatMap(\.dualNorms) } + decoder.map { $0.units.flatMap(\.dualNorms) }
    return zip(blocks, parts).filter { !$1.isEmpty }.map { ($0, $1) }
  }
}

/// Up-convolution, concatenation before the skip connection, units.
private struct Up: DecoderStep {
  private let upsampling: UpConvolution
  let units: [NNUNetUnit]

  init(_ scope: Scope, step: Int, _ block: Block, _ plan: NetworkPlan) {
    let (level, channels) = (block.level, plan.channels(block.level))
    upsampling = UpConvolution(
      scope / "transpconvs" / "\(step)", plan.channels(level + 1), channels, strides: plan.levels.poolings[level])
    units = (0..<plan.stages!.decoder[step]).map { index in
      NNUNetUnit(
        scope / "stages" / "\(step)" / "convs" / "\(index)", block, inputs: index == 0 ? 2 * channels : channels, plan)
    }
  }

  func callAsFunction(_ x: Tensor, skip: Tensor, _ context: ForwardContext) -> Tensor {
    let larger = upsampling(x).padded(like: skip)
    return units.reduce(.concatenate([larger, skip], dimension: 1)) { $1($0, context) }
  }
}
