public import CTorch

/// Initializes as PyTorch's default for convolutions: uniform within ±1/√fan_in for weight and bias.
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
  /// The same by fused loops where they are faster.
  func fused(_ x: Tensor) -> Tensor
  /// CTorch's operation. It borrows the handles of x and residual.
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

  /// Makes a layer of given tensors, in any precision.
  init(weight: Tensor, bias: Tensor, padding: Int) {
    self.weight = weight
    self.bias = bias
    self.padding = padding
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    Tensor(ct_conv2d(x.handle, weight.handle, bias.handle, padding))
  }

  public func fused(_ x: Tensor) -> Tensor {
    Tensor(ct_concatenated_conv2d(x.handle, nil, weight.handle, bias.handle, padding))
  }

  /// Computes self([a, b]) with the channels concatenated, as one operation that saves no concatenated tensor.
  public func fused(_ a: Tensor, _ b: Tensor) -> Tensor {
    Tensor(ct_concatenated_conv2d(a.handle, b.handle, weight.handle, bias.handle, padding))
  }

  /// The concatenated outputs of both convolutions of one input, [N, outputs + other outputs, …].
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
    // PyTorch takes the fan-in from dimension 1, here the outputs.
    let (weight, bound) = initialized(shape: [inputs, outputs, 3, 3], fanIn: outputs * 9, scope.generator)
    self.weight = scope.parameter("weight", weight.channelsLast())
    self.bias = scope.parameter("bias", initializedBias(outputs, bound: bound, scope.generator))
  }

  /// Makes a layer of given tensors, in any precision.
  init(weight: Tensor, bias: Tensor) {
    self.weight = weight
    self.bias = bias
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    Tensor(ct_conv_transpose2d(x.handle, weight.handle, bias.handle, 2, 1, 1))
  }

  /// The same without fused loops, since there are none.
  public func fused(_ x: Tensor) -> Tensor { self(x) }

  public func fused(_ x: OpaquePointer, _ norm: UnsafePointer<CTNorm>, _ residual: OpaquePointer?) -> OpaquePointer? {
    precondition(residual == nil, "nothing is added to a doubled image")
    return ct_norm_relu_conv_transpose2d(x, norm, weight.handle, bias.handle)
  }
}

extension Tensor {
  /// Max-pools by `size`: [N, C, H, W] -> [N, C, H / size, W / size], rounded down.
  public func maxPooled(_ size: Int) -> Tensor { Tensor(ct_max_pool2d(handle, size)) }

  /// Max-pools by 2 and saves no indices.
  public func halvedByMaximum() -> Tensor { Tensor(ct_max_pool2x2(handle)) }
}
