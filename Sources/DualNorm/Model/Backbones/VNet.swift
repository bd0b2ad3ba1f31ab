import Torch

/// V-Net (Milletari et al., 3DV 2016): residual stages of one to three units, PReLU, convolutions in place of pooling.
///
/// The kernels of stages have 5 where those of other networks have 3. Ours adds norms, and a 1×1 convolution before the
/// first stage.
struct VNet: Backbone {
  static func blocks(depth: Int) -> [Block] { .encoderAndDecoder(depth: depth, hasMiddle: false) }

  private let blocks: [Block]
  private let input: Convolution
  private let inputStage: VNetStage
  private let down: [Down]
  private let up: [Up]
  private let output: ClassConvolutions

  init(_ scope: Scope, _ plan: NetworkPlan) {
    let depth = plan.levels.depth
    blocks = plan.blocks
    input = Convolution(
      scope / "inc" / "conv", plan.inputChannels, plan.channels(0), kernel: plan.levels.kernels[0].map { _ in 1 })
    inputStage = VNetStage(scope / "inc" / "stage", blocks[0], plan.channels(0), plan)
    down = plan.blocks[1...depth].map { Down(scope / $0.name.rawValue, $0, plan) }
    up = plan.blocks[(depth + 1)...].map { Up(scope / $0.name.rawValue, $0, plan) }
    output = ClassConvolutions(scope, plan) { 2 * plan.channels($0) }
  }

  func callAsFunction(_ images: Tensor, _ context: ForwardContext) -> [Tensor] {
    var levels = [inputStage(input(images, context), context)]
    for block in down { levels.append(block.stage(block.resampling(levels.last!, context), context)) }
    return output(context.decoded(levels.removeLast(), &levels, by: up), context)
  }

  var dualNorms: [(block: Block, norms: [DualNormLayer])] {
    let stages = [inputStage] + down.map(\.stage) + up.map(\.stage)
    return zip(blocks, stages.map(\.dualNorms)).filter { !$1.isEmpty }.map { ($0, $1) }
  }
}

/// Units PReLU(norm(convolution(x))); the input is added before the last PReLU.
private struct VNetStage {
  private let units: [(convolution: Convolution, norm: BlockNorm, activation: ParametricReLU)]

  init(_ scope: Scope, _ block: Block, _ channels: Int, _ plan: NetworkPlan) {
    let kernel = plan.levels.kernels[block.level].map { $0 == 3 ? 5 : 1 }
    units = (0..<min(block.level + 1, 3)).map { index in
      let place = scope / "\(index)"
      return (
        Convolution(place / "conv", channels, channels, kernel: kernel),
        BlockNorm(place, block, channels: channels, plan), ParametricReLU(place / "act", channels)
      )
    }
  }

  func callAsFunction(_ x: Tensor, _ context: ForwardContext) -> Tensor {
    var y = x
    for (index, unit) in units.enumerated() {
      let normalized = unit.norm(unit.convolution(y, context), context)
      y = unit.activation(index == units.count - 1 ? x + normalized : normalized)
    }
    return y
  }

  var dualNorms: [DualNormLayer] { units.compactMap(\.norm.dual) }
}

/// PReLU(norm(x)) of a level, after a convolution from another level.
private struct Resampled {
  private let norm: NormLayer
  private let activation: ParametricReLU

  init(_ scope: Scope, _ level: Int, _ plan: NetworkPlan) {
    norm = NormLayer(scope / "norm", level: level, plan)
    activation = ParametricReLU(scope / "act", plan.channels(level))
  }

  func callAsFunction(_ x: Tensor, _ context: ForwardContext) -> Tensor { activation(norm(x, context)) }
}

private struct Down {
  private let convolution: StridedConvolution
  private let resampled: Resampled
  let stage: VNetStage

  init(_ scope: Scope, _ block: Block, _ plan: NetworkPlan) {
    let (channels, pooling) = (plan.channels(block.level), plan.levels.poolings[block.level - 1])
    convolution = StridedConvolution(
      scope / "down" / "conv", plan.channels(block.level - 1), channels, kernel: pooling, strides: pooling)
    resampled = Resampled(scope / "down", block.level, plan)
    stage = VNetStage(scope / "stage", block, channels, plan)
  }

  func resampling(_ x: Tensor, _ context: ForwardContext) -> Tensor { resampled(convolution(x), context) }
}

private struct Up: DecoderStep {
  private let convolution: UpConvolution
  private let resampled: Resampled
  let stage: VNetStage

  init(_ scope: Scope, _ block: Block, _ plan: NetworkPlan) {
    let (level, channels) = (block.level, plan.channels(block.level))
    // All stages of the decoder are twice as wide as their level, since they take the skip connection in.
    let inputs = plan.channels(level + 1) * (level + 1 == plan.levels.depth ? 1 : 2)
    convolution = UpConvolution(scope / "up" / "conv", inputs, channels, strides: plan.levels.poolings[level])
    resampled = Resampled(scope / "up", level, plan)
    stage = VNetStage(scope / "stage", block, 2 * channels, plan)
  }

  func callAsFunction(_ x: Tensor, skip: Tensor, _ context: ForwardContext) -> Tensor {
    let larger = resampled(convolution(x), context).padded(like: skip)
    return stage(.concatenate([skip, larger], dimension: 1), context)
  }
}
