import Torch

/// U-Net (Ronneberger et al. 2015; Çiçek et al. 2016 for volumes) and Attention U-Net (Oktay et al. 2018).
///
/// Convolutions keep the size, and each has a norm. A level has two units, an up-convolution enlarges, and a gate scales
/// each skip connection of Attention U-Net.
struct UNet: Backbone {
  static func blocks(depth: Int) -> [Block] { .encoderAndDecoder(depth: depth, hasMiddle: false) }

  private let blocks: [Block]
  private let encoder: PooledEncoder
  private let up: [Up]
  private let output: ClassConvolutions

  init(_ scope: Scope, _ plan: NetworkPlan) {
    blocks = plan.blocks
    encoder = PooledEncoder(scope, plan)
    up = plan.blocks[(plan.levels.depth + 1)...].map { Up(scope / $0.name.rawValue, $0, plan) }
    output = ClassConvolutions(scope, plan, channels: plan.channels)
  }

  func callAsFunction(_ images: Tensor, _ context: ForwardContext) -> [Tensor] {
    var levels = encoder(images, context)
    return output(context.decoded(levels.removeLast(), &levels, by: up), context)
  }

  var dualNorms: [(block: Block, norms: [DualNormLayer])] {
    zip(blocks, encoder.dualNorms + up.map(\.block.dualNorms)).filter { !$1.isEmpty }.map { ($0, $1) }
  }
}

/// Up-convolution, concatenation behind the skip connection, two units.
private struct Up: DecoderStep {
  private let gate: AttentionGate?
  private let upsampling: UpConvolution
  let block: ConvolutionUnits

  init(_ scope: Scope, _ block: Block, _ plan: NetworkPlan) {
    let (inputs, outputs) = (plan.channels(block.level + 1), plan.channels(block.level))
    gate = plan.architecture == .attentionUNet ? AttentionGate(scope / "gate", block.level, plan) : nil
    upsampling = UpConvolution(scope / "up", inputs, outputs, strides: plan.levels.poolings[block.level])
    self.block = ConvolutionUnits(scope / "block", block, inputs: 2 * outputs, plan)
  }

  func callAsFunction(_ x: Tensor, skip: Tensor, _ context: ForwardContext) -> Tensor {
    let skip = gate.map { $0(skip, below: x, context) } ?? skip
    return block(skip, upsampling(x).padded(like: skip), context)
  }
}

/// The attention gate of Oktay et al. (equations 1 and 2), which scales each position of a skip connection x:
///
///     α = σ(ψ(ReLU(W_x x + W_g g + b_g)) + b_ψ)
///
/// g is the level below. W_x has the pooling as its stride; α is enlarged linearly with aligned corners.
private struct AttentionGate {
  private let x: StridedConvolution
  private let g, psi: Convolution

  init(_ scope: Scope, _ level: Int, _ plan: NetworkPlan) {
    let (channels, pooling) = (plan.channels(level), plan.levels.poolings[level])
    let (hidden, point) = (max(channels / 2, 1), pooling.map { _ in 1 })
    x = StridedConvolution(scope / "x", channels, hidden, kernel: pooling, strides: pooling, bias: false)
    g = Convolution(scope / "g", plan.channels(level + 1), hidden, kernel: point)
    psi = Convolution(scope / "psi", hidden, 1, kernel: point)
  }

  func callAsFunction(_ skip: Tensor, below: Tensor, _ context: ForwardContext) -> Tensor {
    let alpha = psi((x(skip) + g(below, context)).relu(), context).sigmoid()
    return alpha.resizedLinearly(like: skip) * skip
  }
}
