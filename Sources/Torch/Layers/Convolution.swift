import CTorch

/// PyTorch's default initialization of a convolution: uniform within ±1/√fan_in for weight and bias.
private func initialized(shape: [Int], fanIn: Int, _ generator: Generator) -> (weight: Tensor, bound: Double) {
  // kaiming_uniform_ with a = √5, in PyTorch's order of operations so that equal seeds give equal bits.
  let slope = 5.0.squareRoot()
  let gain = (2 / (1 + slope * slope)).squareRoot()
  let weight = Tensor(repeating: 0, shape: shape)
  let limit = 3.0.squareRoot() * (gain / Double(fanIn).squareRoot())
  weight.fillUniform(-limit, limit, generator)
  return (weight, 1 / Double(fanIn).squareRoot())
}

private func initializedBias(_ count: Int, bound: Double, _ generator: Generator) -> Tensor {
  let bias = Tensor(repeating: 0, shape: [count])
  bias.fillUniform(-bound, bound, generator)
  return bias
}

/// Convolution with stride 1. [N, inputs, H, W] -> [N, outputs, H + 2·padding − kernel + 1, …].
public struct Conv2d {
  /// [outputs, inputs, kernel, kernel]
  public let weight: Tensor
  /// [outputs]
  public let bias: Tensor
  let padding: Int

  public init(_ scope: Scope, _ inputs: Int, _ outputs: Int, kernel: Int, padding: Int = 0) {
    let (weight, bound) = initialized(
      shape: [outputs, inputs, kernel, kernel], fanIn: inputs * kernel * kernel, scope.generator)
    self.weight = scope.parameter("weight", weight.channelsLast())
    self.bias = scope.parameter("bias", initializedBias(outputs, bound: bound, scope.generator))
    self.padding = padding
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    Tensor(ct_conv2d(x.handle, weight.handle, bias.handle, padding))
  }
}

/// 3×3 transposed convolution that doubles the size. [N, inputs, H, W] -> [N, outputs, 2H, 2W].
public struct DoublingConvTranspose2d {
  /// [inputs, outputs, 3, 3]
  public let weight: Tensor
  /// [outputs]
  public let bias: Tensor

  public init(_ scope: Scope, _ inputs: Int, _ outputs: Int) {
    // PyTorch takes the fan-in from dimension 1, which here is the outputs.
    let (weight, bound) = initialized(shape: [inputs, outputs, 3, 3], fanIn: outputs * 9, scope.generator)
    self.weight = scope.parameter("weight", weight.channelsLast())
    self.bias = scope.parameter("bias", initializedBias(outputs, bound: bound, scope.generator))
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    Tensor(ct_conv_transpose2d(x.handle, weight.handle, bias.handle, 2, 1, 1))
  }
}

extension Tensor {
  /// Largest of each size × size square. [N, C, H, W] -> [N, C, H / size, W / size], rounded down.
  public func maxPooled(_ size: Int) -> Tensor { Tensor(ct_max_pool2d(handle, size)) }
}
