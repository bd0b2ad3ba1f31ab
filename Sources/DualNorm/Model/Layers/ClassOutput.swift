import Torch

/// An output of a backbone: norm, ReLU, 1×1 convolution to the classes.
struct ClassOutput {
  private let unit: NormReLUConvolution<Convolution>

  /// The beginning of the names of outputs that only training uses.
  static let coarsePrefix = "coarse"

  init(_ scope: Scope, level: Int, _ plan: NetworkPlan) {
    let norm = NormLayer(scope / "conv" / "0", level: level, plan)
    let kernel = plan.levels.kernels[level].map { _ in 1 }
    unit = NormReLUConvolution(
      BlockNorm(norm), Convolution(scope / "conv" / "2", plan.channels(level), plan.classes, kernel: kernel))
  }

  /// The outputs for deep supervision of the levels between the first and the deepest; none without it.
  static func coarse(_ scope: Scope, _ plan: NetworkPlan) -> [ClassOutput] {
    (plan.deepSupervision ? Array(1..<plan.levels.depth) : []).map {
      ClassOutput(scope / "\(coarsePrefix)\($0)", level: $0, plan)
    }
  }

  func callAsFunction(_ x: Tensor, _ context: ForwardContext) -> Tensor { unit(x, context) }
}
