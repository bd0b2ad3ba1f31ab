import Torch

/// UNet++ (Zhou et al., DLMIA 2018), a U-Net with nested skip connections.
///
/// Node x(i, j) of level i concatenates all earlier nodes of its level and the upsampled node x(i + 1, j − 1). Each
/// node is a convolution and a residual block. Upsampling is linear with aligned corners.
struct NestedUNet: Backbone {
  /// Nodes column by column, in the order of computation.
  static func blocks(depth: Int) -> [Block] {
    (0...depth).flatMap { column in
      (0...depth - column).map { Block(BlockName(rawValue: "x\($0)_\(column)"), level: $0) }
    }
  }

  /// The name of the convolution that the images enter.
  static let input = "x0_0.conv"

  private let blocks: [Block]
  private let levels: Levels
  private let nodes: [(convolution: Convolution, block: ResidualBlock)]
  private let output: ClassOutput
  /// Outputs of the last nodes of the levels between the first and the deepest; none without deep supervision.
  private let coarseOutputs: [ClassOutput]

  init(_ scope: Scope, _ plan: NetworkPlan) {
    (blocks, levels) = (plan.blocks, plan.levels)
    var column = -1
    nodes = plan.blocks.map { block in
      let level = block.level
      if level == 0 { column += 1 }
      let above = level == 0 ? plan.inputChannels : plan.channels(level - 1)
      // All earlier nodes of the level, and the node below.
      let inputs = column == 0 ? above : column * plan.channels(level) + plan.channels(level + 1)
      let place = scope / block.name.rawValue
      return (
        Convolution(place / "conv", inputs, plan.channels(level), kernel: plan.levels.kernels[level]),
        ResidualBlock(place / "block", block, plan)
      )
    }
    output = ClassOutput(scope / "outc", level: 0, plan)
    coarseOutputs = ClassOutput.coarse(scope, plan)
  }

  func callAsFunction(_ images: Tensor, _ context: ForwardContext) -> [Tensor] {
    var levels: [[Tensor]] = Array(repeating: [], count: self.levels.depth + 1)
    for ((convolution, block), place) in zip(nodes, blocks) {
      let level = place.level
      let input =
        if !levels[level].isEmpty { concatenated(levels[level], below: levels[level + 1].last!) } else {
          level == 0 ? images : levels[level - 1][0].maxPooled(self.levels.poolings[level - 1], context)
        }
      levels[level].append(block(convolution(input, context), context))
    }
    guard case .training = context.mode else { return [output(levels[0].last!, context)] }
    return [output(levels[0].last!, context)] + zip(coarseOutputs, levels.dropFirst()).map { $0($1.last!, context) }
  }

  private func concatenated(_ earlier: [Tensor], below: Tensor) -> Tensor {
    .concatenate(earlier + [below.resizedLinearly(like: earlier[0])], dimension: 1)
  }

  var dualNorms: [(block: Block, norms: [DualNormLayer])] {
    zip(blocks, nodes).compactMap { $1.block.dualNorms.isEmpty ? nil : ($0, $1.block.dualNorms) }
  }
}
