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

/// A convolution that can be one operation with the norm and ReLU before it.
public protocol FusableConvolution {
  func callAsFunction(_ x: Tensor) -> Tensor
  /// The same by loops of our own where they are faster.
  func fused(_ x: Tensor) -> Tensor
  /// CTorch's operation; handles of x and residual are borrowed.
  func fused(_ x: OpaquePointer, _ norm: UnsafePointer<CTNorm>, _ residual: OpaquePointer?) -> OpaquePointer?
}

/// Convolution with stride 1. [N, inputs, H, W] -> [N, outputs, H + 2·padding − kernel + 1, …].
public struct Conv2d: FusableConvolution {
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

  /// Of tensors at hand, in any precision.
  init(weight: Tensor, bias: Tensor, padding: Int) {
    self.weight = weight
    self.bias = bias
    self.padding = padding
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    Tensor(ct_conv2d(x.handle, weight.handle, bias.handle, padding))
  }

  public func fused(_ x: Tensor) -> Tensor {
    Tensor(ct_joined_conv2d(x.handle, nil, weight.handle, bias.handle, padding))
  }

  /// self([a, b]) with their channels joined, which are not kept joined; as one operation with a gradient of its own.
  public func fused(_ a: Tensor, _ b: Tensor) -> Tensor {
    Tensor(ct_joined_conv2d(a.handle, b.handle, weight.handle, bias.handle, padding))
  }

  /// The outputs of both convolutions of one input, joined, [N, outputs + other outputs, …].
  public func fused(_ x: Tensor, joinedWith other: Conv2d) -> Tensor {
    let weight = Tensor.concatenate([weight, other.weight], dimension: 0)
    let bias = Tensor.concatenate([bias, other.bias], dimension: 0)
    return Conv2d(weight: weight, bias: bias, padding: padding).fused(x)
  }

  public func fused(_ x: OpaquePointer, _ norm: UnsafePointer<CTNorm>, _ residual: OpaquePointer?) -> OpaquePointer? {
    ct_norm_relu_conv2d(x, norm, weight.handle, bias.handle, padding, residual)
  }
}

/// 3×3 transposed convolution that doubles the size. [N, inputs, H, W] -> [N, outputs, 2H, 2W].
public struct DoublingConvTranspose2d: FusableConvolution {
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

  /// Of tensors at hand, in any precision.
  init(weight: Tensor, bias: Tensor) {
    self.weight = weight
    self.bias = bias
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    Tensor(ct_conv_transpose2d(x.handle, weight.handle, bias.handle, 2, 1, 1))
  }

  /// There are none for this one.
  public func fused(_ x: Tensor) -> Tensor { self(x) }

  public func fused(_ x: OpaquePointer, _ norm: UnsafePointer<CTNorm>, _ residual: OpaquePointer?) -> OpaquePointer? {
    precondition(residual == nil, "nothing is added to a doubled image")
    return ct_norm_relu_doubling(x, norm, weight.handle, bias.handle)
  }
}

extension Tensor {
  /// Largest of each size × size square. [N, C, H, W] -> [N, C, H / size, W / size], rounded down.
  public func maxPooled(_ size: Int) -> Tensor { Tensor(ct_max_pool2d(handle, size)) }

  /// `maxPooled(2)` as an operation that keeps no indices.
  public func halvedByMaximum() -> Tensor { Tensor(ct_halve_by_maximum(handle)) }
}
