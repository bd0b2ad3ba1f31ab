import Torch

/// An output of a backbone: norm, ReLU, 1×1 convolution to the classes.
struct ClassOutput {
  private let unit: NormReLUConvolution<Conv2d>

  /// The name prefix of the outputs that only training uses.
  static let coarsePrefix = "coarse"

  init(_ scope: Scope, level: Int, _ plan: NetworkPlan) {
    let channels = plan.width << level
    let norm = NormLayer(scope / "conv" / "0", channels: channels, level: level, plan)
    unit = NormReLUConvolution(norm, Conv2d(scope / "conv" / "2", channels, plan.classes, kernel: 1))
  }

  /// The outputs of levels 1 to 3 for deep supervision; none without it.
  static func coarse(_ scope: Scope, _ plan: NetworkPlan) -> [ClassOutput] {
    (plan.deepSupervision ? [1, 2, 3] : []).map { ClassOutput(scope / "\(coarsePrefix)\($0)", level: $0, plan) }
  }

  func callAsFunction(_ x: Tensor, _ context: ForwardContext) -> Tensor { unit(x, context) }
}
