import Torch

/// The paper's pre-activation residual U-Net: four poolings, and a residual block on each level of encoder and decoder.
///
/// Parameters have the names, shapes, order and initial values of the authors' PyTorch code after
/// `torch.manual_seed(seed)`.
struct ResidualUNet: Backbone {
  static let depth = 4
  static let blocks = [
    Block(.inc, level: 0), Block(.down1, level: 1), Block(.down2, level: 2), Block(.down3, level: 3),
    Block(.down4, level: 4), Block(.mid, level: 4), Block(.up1, level: 3), Block(.up2, level: 2), Block(.up3, level: 1),
    Block(.up4, level: 0),
  ]

  static let input = "inc.conv.0"

  private let input: Conv2d
  private let inputBlock: ResidualBlock
  private let down: [(convolution: Conv2d, block: ResidualBlock)]
  private let middle: ResidualBlock
  private let up: [Up]
  private let output: ClassOutput
  /// Outputs of up3, up2 and up1; none without deep supervision.
  private let coarseOutputs: [ClassOutput]

  init(_ scope: Scope, _ plan: NetworkPlan) {
    let widths = (0...Self.depth).map { plan.width << $0 }
    func block(_ index: Int) -> ResidualBlock {
      let block = Self.blocks[index]
      return ResidualBlock(scope / block.name.rawValue / "block", block, channels: widths[block.level], plan)
    }
    input = Conv2d(scope / "inc" / "conv" / "0", plan.inputChannels, widths[0], kernel: 1)
    inputBlock = block(0)
    down = (1...Self.depth).map { level in
      let place = scope / "down\(level)" / "maxpool_conv" / "1"
      return (Conv2d(place, widths[level - 1], widths[level], kernel: 3, padding: 1), block(level))
    }
    middle = block(Self.depth + 1)
    up = (1...Self.depth).map { step in
      Up(scope / "up\(step)", toLevel: Self.depth - step, plan) { block(Self.depth + 1 + step) }
    }
    output = ClassOutput(scope / "outc", level: 0, plan)
    coarseOutputs = ClassOutput.coarse(scope, plan)
  }

  func callAsFunction(_ images: Tensor, _ context: ForwardContext) -> [Tensor] {
    var x = inputBlock(input(images, context), context)
    var skips: [Tensor] = []
    for (convolution, block) in down {
      skips.append(x)
      x = block(convolution(x.maxPooled(context), context), context)
    }
    x = middle(x, context)
    var levels: [Tensor] = []
    for up in self.up {
      x = up(x, skip: skips.removeLast(), context)
      // Prediction frees each level after its last use.
      if case .training = context.mode { levels.insert(x, at: 0) }
    }
    return [output(x, context)] + zip(coarseOutputs, levels.dropFirst()).map { $0($1, context) }
  }

  var dualNorms: [(block: Block, norms: [DualNormLayer])] {
    let blocks = [inputBlock] + down.map(\.block) + [middle] + up.map(\.block)
    return zip(Self.blocks, blocks).compactMap { $1.dualNorms.isEmpty ? nil : ($0, $1.dualNorms) }
  }
}

/// Norm, ReLU and upsampling by 2; concatenation to the skip connection; convolution to fewer channels; residual block.
private struct Up {
  private let doubling: NormReLUConvolution<DoublingConvTranspose2d>
  private let convolution: Conv2d
  let block: ResidualBlock

  init(_ scope: Scope, toLevel level: Int, _ plan: NetworkPlan, block: () -> ResidualBlock) {
    let (inputs, outputs) = (plan.width << (level + 1), plan.width << level)
    let place = scope / "up" / "up"
    let norm = NormLayer(place / "0", channels: inputs, level: level + 1, plan)
    doubling = NormReLUConvolution(norm, DoublingConvTranspose2d(place / "2", inputs, inputs / 2))
    convolution = Conv2d(scope / "conv" / "0", inputs, outputs, kernel: 3, padding: 1)
    self.block = block()
  }

  func callAsFunction(_ x: Tensor, skip: Tensor, _ context: ForwardContext) -> Tensor {
    let larger = doubling(x, context)
    // Pooling an odd size drops a row or column; the skip connection still has it.
    let missing = (height: skip.size(2) - larger.size(2), width: skip.size(3) - larger.size(3))
    let fitted =
      missing == (0, 0)
      ? larger
      : larger.padded(
        top: missing.height / 2, bottom: missing.height - missing.height / 2, left: missing.width / 2,
        right: missing.width - missing.width / 2)
    return block(convolution(skip, fitted, context), context)
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
