import Torch

/// The paper's pre-activation residual U-Net: a residual block on each level of encoder and decoder.
///
/// For slices it has four poolings, as published. For volumes `Levels` gives poolings and kernels; that form is ours.
/// Parameters have the names, shapes, order and initial values of the authors' PyTorch code after
/// `torch.manual_seed(seed)`.
struct ResidualUNet: Backbone {
  static func blocks(depth: Int) -> [Block] { .encoderAndDecoder(depth: depth, hasMiddle: true) }

  /// The name of the convolution that the images enter.
  static let input = "inc.conv.0"

  private let blocks: [Block]
  private let poolings: [[Int]]
  private let input: Convolution
  private let inputBlock: ResidualBlock
  private let down: [(convolution: Convolution, block: ResidualBlock)]
  private let middle: ResidualBlock
  private let up: [Up]
  private let output: ClassOutput
  /// Outputs of the levels between the first and the deepest; none without deep supervision.
  private let coarseOutputs: [ClassOutput]

  init(_ scope: Scope, _ plan: NetworkPlan) {
    let (blocks, kernels, depth) = (plan.blocks, plan.levels.kernels, plan.levels.depth)
    (self.blocks, poolings) = (blocks, plan.levels.poolings)
    func block(_ index: Int) -> ResidualBlock {
      ResidualBlock(scope / blocks[index].name.rawValue / "block", blocks[index], plan)
    }
    input = Convolution(
      scope / "inc" / "conv" / "0", plan.inputChannels, plan.channels(0), kernel: kernels[0].map { _ in 1 })
    inputBlock = block(0)
    down = (1...depth).map { level in
      let place = scope / "down\(level)" / "maxpool_conv" / "1"
      return (Convolution(place, plan.channels(level - 1), plan.channels(level), kernel: kernels[level]), block(level))
    }
    middle = block(depth + 1)
    up = (1...depth).map { step in
      Up(scope / "up\(step)", toLevel: depth - step, plan) { block(depth + 1 + step) }
    }
    output = ClassOutput(scope / "outc", level: 0, plan)
    coarseOutputs = ClassOutput.coarse(scope, plan)
  }

  func callAsFunction(_ images: Tensor, _ context: ForwardContext) -> [Tensor] {
    var x = inputBlock(input(images, context), context)
    var skips: [Tensor] = []
    for ((convolution, block), pooling) in zip(down, poolings) {
      skips.append(x)
      x = block(convolution(x.maxPooled(pooling, context), context), context)
    }
    let levels = context.decoded(middle(x, context), &skips, by: up)
    return [output(levels[0], context)] + zip(coarseOutputs, levels.dropFirst()).map { $0($1, context) }
  }

  var dualNorms: [(block: Block, norms: [DualNormLayer])] {
    let blocks = [inputBlock] + down.map(\.block) + [middle] + up.map(\.block)
    return zip(self.blocks, blocks).compactMap { $1.dualNorms.isEmpty ? nil : ($0, $1.dualNorms) }
  }
}

/// Norm, ReLU and upsampling; concatenation to the skip connection; convolution to fewer channels; residual block.
private struct Up: DecoderStep {
  private let upsampling: NormReLUConvolution<TransposedConvolution>
  private let convolution: Convolution
  let block: ResidualBlock

  init(_ scope: Scope, toLevel level: Int, _ plan: NetworkPlan, block: () -> ResidualBlock) {
    let (inputs, outputs) = (plan.channels(level + 1), plan.channels(level))
    let place = scope / "up" / "up"
    let norm = NormLayer(place / "0", level: level + 1, plan)
    upsampling = NormReLUConvolution(
      BlockNorm(norm), TransposedConvolution(place / "2", inputs, outputs, strides: plan.levels.poolings[level]))
    convolution = Convolution(
      scope / "conv" / "0", 2 * outputs, outputs, kernel: plan.levels.kernels[level])
    self.block = block()
  }

  func callAsFunction(_ x: Tensor, skip: Tensor, _ context: ForwardContext) -> Tensor {
    let larger = upsampling(x, context)
    return block(convolution(skip, larger.padded(like: skip), context), context)
  }
}

extension BlockName {
  package static let inc: Self = "inc"
  package static let down1: Self = "down1"
  package static let down2: Self = "down2"
  package static let down3: Self = "down3"
  package static let down4: Self = "down4"
  package static let mid: Self = "mid"
  package static let up1: Self = "up1"
  package static let up2: Self = "up2"
  package static let up3: Self = "up3"
  package static let up4: Self = "up4"
}
