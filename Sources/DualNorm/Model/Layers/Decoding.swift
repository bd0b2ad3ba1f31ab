import Torch

/// A step of a decoder: from one level to the next finer one, whose skip connection it takes.
protocol DecoderStep {
  func callAsFunction(_ x: Tensor, skip: Tensor, _ context: ForwardContext) -> Tensor
}

extension ForwardContext {
  /// Runs a decoder from the deepest level on.
  ///
  /// - Parameter skips: of the other levels, the finest first. Each is freed after its use.
  /// - Returns: the output of the first level; in training also those of the others, the finest first.
  func decoded(_ x: Tensor, _ skips: inout [Tensor], by steps: [some DecoderStep]) -> [Tensor] {
    var x = x
    var levels: [Tensor] = []
    for step in steps {
      x = step(x, skip: skips.removeLast(), self)
      // Prediction frees each level after its last use.
      if case .training = mode { levels.insert(x, at: 0) }
    }
    return levels.isEmpty ? [x] : levels
  }
}

/// Outputs of a backbone whose blocks end in an activation: 1×1 convolutions to the classes.
struct ClassConvolutions {
  /// One of the first level, and with deep supervision also of the levels between the first and the deepest.
  private let convolutions: [Convolution]

  /// - Parameter channels: of the decoder's output at a level.
  init(_ scope: Scope, _ plan: NetworkPlan, channels: (Int) -> Int) {
    convolutions = (0..<(plan.deepSupervision ? plan.levels.depth : 1)).map { level in
      let name = level == 0 ? "outc" : "\(ClassOutput.coarsePrefix)\(level)"
      return Convolution(scope / name, channels(level), plan.classes, kernel: plan.levels.kernels[level].map { _ in 1 })
    }
  }

  /// Maps the decoder's outputs to logits, the finest first.
  func callAsFunction(_ levels: [Tensor], _ context: ForwardContext) -> [Tensor] {
    zip(convolutions, levels).map { $0($1, context) }
  }
}

extension [Block] {
  /// The blocks inc, down1, …, up1, … of an encoder and a decoder; `mid` between them is optional.
  static func encoderAndDecoder(depth: Int, hasMiddle: Bool) -> [Block] {
    let down = (0..<depth).map { Block(BlockName(rawValue: "down\($0 + 1)"), level: $0 + 1) }
    let up = (0..<depth).map { Block(BlockName(rawValue: "up\($0 + 1)"), level: depth - $0 - 1) }
    return [Block(.inc, level: 0)] + down + (hasMiddle ? [Block(.mid, level: depth)] : []) + up
  }
}
