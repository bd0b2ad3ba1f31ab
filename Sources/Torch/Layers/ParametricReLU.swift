/// PReLU with a slope for each channel of [N, C, …], 0.25 at first.
public struct ParametricReLU {
  /// [C]
  public let weight: Tensor

  public init(_ scope: Scope, _ channels: Int) {
    weight = scope.parameter("weight", Tensor(repeating: 0.25, shape: [channels]))
  }

  public func callAsFunction(_ x: Tensor) -> Tensor { x.parametricReLU(slopes: weight.converted(to: x.type)) }
}
