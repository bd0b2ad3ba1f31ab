import Torch

/// UNet++ (Zhou et al., DLMIA 2018), a U-Net with nested skip connections.
///
/// Node x(i, j) of level i concatenates all earlier nodes of its level and the upsampled node x(i + 1, j − 1). Each
/// node is a 3×3 convolution and a residual block. Upsampling is bilinear with aligned corners.
struct NestedUNet: Backbone {
  static let depth = 4
  /// Nodes column by column, in the order of computation.
  static let blocks = (0...depth).flatMap { column in
    (0...depth - column).map { Block(BlockName(rawValue: "x\($0)_\(column)"), level: $0) }
  }

  static let input = "x0_0.conv"

  private let nodes: [(convolution: Conv2d, block: ResidualBlock)]
  private let output: ClassOutput
  /// Outputs of x(1, 3), x(2, 2) and x(3, 1), the last nodes of their levels; none without deep supervision.
  private let coarseOutputs: [ClassOutput]

  init(_ scope: Scope, _ plan: NetworkPlan) {
    var column = -1
    nodes = Self.blocks.map { block in
      let level = block.level
      if level == 0 { column += 1 }
      let above = level == 0 ? plan.inputChannels : plan.width << (level - 1)
      let inputs = column == 0 ? above : (column + 2) * (plan.width << level)
      let place = scope / block.name.rawValue
      return (
        Conv2d(place / "conv", inputs, plan.width << level, kernel: 3, padding: 1),
        ResidualBlock(place / "block", block, channels: plan.width << level, plan)
      )
    }
    output = ClassOutput(scope / "outc", level: 0, plan)
    coarseOutputs = ClassOutput.coarse(scope, plan)
  }

  func callAsFunction(_ images: Tensor, _ context: ForwardContext) -> [Tensor] {
    var levels: [[Tensor]] = Array(repeating: [], count: Self.depth + 1)
    for ((convolution, block), place) in zip(nodes, Self.blocks) {
      let level = place.level
      let input =
        if !levels[level].isEmpty { concatenated(levels[level], below: levels[level + 1].last!) } else {
          level == 0 ? images : levels[level - 1][0].maxPooled(context)
        }
      levels[level].append(block(convolution(input, context), context))
    }
    guard case .training = context.mode else { return [output(levels[0].last!, context)] }
    return [output(levels[0].last!, context)] + zip(coarseOutputs, levels.dropFirst()).map { $0($1.last!, context) }
  }

  private func concatenated(_ earlier: [Tensor], below: Tensor) -> Tensor {
    let (height, width) = (earlier[0].size(2), earlier[0].size(3))
    return .concatenate(earlier + [below.resizedBilinear(height: height, width: width)], dimension: 1)
  }

  var dualNorms: [(block: Block, norms: [DualNormLayer])] {
    zip(Self.blocks, nodes).compactMap { $1.block.dualNorms.isEmpty ? nil : ($0, $1.block.dualNorms) }
  }
}
