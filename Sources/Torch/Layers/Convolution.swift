public import CTorch

/// Initializes as PyTorch's default for convolutions: uniform within ±1/√fan_in for weight and bias.
func initialized(shape: [Int], fanIn: Int, _ generator: Generator) -> (weight: Tensor, bound: Double) {
  // kaiming_uniform_ with a = √5, in PyTorch's order of operations so that equal seeds give equal bits.
  let slope = 5.0.squareRoot()
  let gain = (2 / (1 + slope * slope)).squareRoot()
  let weight = Tensor(repeating: 0, shape: shape)
  let limit = 3.0.squareRoot() * (gain / Double(fanIn).squareRoot())
  weight.fillUniform(-limit, limit, generator)
  return (weight, 1 / Double(fanIn).squareRoot())
}

func initializedBias(_ count: Int, bound: Double, _ generator: Generator) -> Tensor {
  let bias = Tensor(repeating: 0, shape: [count])
  bias.fillUniform(-bound, bound, generator)
  return bias
}

/// A convolution that can be one operation with the norm and ReLU before it.
public protocol FusableConvolution {
  func callAsFunction(_ x: Tensor) -> Tensor
  /// The same by fused loops where they are faster.
  func fused(_ x: Tensor) -> Tensor
  /// Convolves ReLU(norm(x)), plus the residual, by CTorch's operation.
  func fused(_ x: Tensor, _ norm: UnsafePointer<CTNorm>, adding residual: Tensor?) -> Tensor
}

extension Tensor {
  /// The number of slices of volumes, 0 for slices.
  fileprivate var depth: Int { rank == 5 ? size(2) : 0 }

  /// Computes ReLU(norm(self)) as one operation.
  fileprivate func rectified(_ norm: UnsafePointer<CTNorm>) -> Tensor {
    let planes = planesJoined
    return withExtendedLifetime(planes) { Tensor(ct_norm_relu(planes.handle, norm)) }.planesApart(shape)
  }

  /// Undoes `planesJoined`.
  fileprivate func planesApart(_ shape: [Int]) -> Tensor { shape.count == 5 ? reshaped(shape) : self }
}

/// Convolution that keeps the size, with stride 1 and kernels of odd sides.
///
/// [N, inputs, H, W] -> [N, outputs, H, W] for slices, [N, inputs, D, H, W] -> [N, outputs, D, H, W] for volumes.
public struct Convolution: FusableConvolution {
  /// [outputs, inputs] and the kernel's sides
  public let weight: Tensor
  /// [outputs]
  public let bias: Tensor

  /// - Parameter kernel: sides along H and W, or along D, H and W.
  public init(_ scope: Scope, _ inputs: Int, _ outputs: Int, kernel: [Int]) {
    let (weight, bound) = initialized(
      shape: [outputs, inputs] + kernel, fanIn: kernel.reduce(inputs, *), scope.generator)
    self.weight = scope.weight(weight.channelsLast())
    self.bias = scope.parameter("bias", initializedBias(outputs, bound: bound, scope.generator))
  }

  /// Makes a layer of given tensors, in any precision.
  init(weight: Tensor, bias: Tensor) {
    self.weight = weight
    self.bias = bias
  }

  private var isOfVolumes: Bool { weight.rank == 5 }
  /// The padding of slices, whose kernels are squares.
  private var padding: Int { weight.size(2) / 2 }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    Tensor(
      isOfVolumes
        ? ct_conv3d(x.handle, weight.handle, bias.handle) : ct_conv2d(x.handle, weight.handle, bias.handle, padding),
      .convolution(strides: x.spatialShape.map { _ in 1 }, padding: weight.shape.dropFirst(2).map { $0 / 2 }), x,
      weight,
      bias)
  }

  public func fused(_ x: Tensor) -> Tensor { joined(x, nil) }

  /// Computes self([a, b]) with the channels concatenated, as one operation that saves no concatenated tensor.
  public func fused(_ a: Tensor, _ b: Tensor) -> Tensor { joined(a, b) }

  private func joined(_ a: Tensor, _ b: Tensor?) -> Tensor {
    let planes = (a.planesJoined, b?.planesJoined)
    return withExtendedLifetime(planes) {
      Tensor(ct_concatenated_conv(planes.0.handle, planes.1?.handle, weight.handle, bias.handle, padding, a.depth))
    }.planesApart([a.size(0), weight.size(0)] + a.spatialShape)
  }

  /// The concatenated outputs of both convolutions of one input, [N, outputs + other outputs, …].
  public func fused(_ x: Tensor, joinedWith other: Convolution) -> Tensor {
    let weight = Tensor.concatenate([weight, other.weight], dimension: 0)
    let bias = Tensor.concatenate([bias, other.bias], dimension: 0)
    return Convolution(weight: weight, bias: bias).fused(x)
  }

  public func fused(_ x: Tensor, _ norm: UnsafePointer<CTNorm>, adding residual: Tensor?) -> Tensor {
    let planes = (x.planesJoined, residual?.planesJoined)
    return withExtendedLifetime(planes) {
      Tensor(
        ct_norm_relu_conv(planes.0.handle, norm, weight.handle, bias.handle, padding, x.depth, planes.1?.handle))
    }.planesApart([x.size(0), weight.size(0)] + x.spatialShape)
  }
}

/// Transposed convolution that multiplies each axis by its stride, 1 or 2; the kernel's side is 1 or 3.
///
/// [N, inputs, H, W] -> [N, outputs, 2H, 2W] for slices, which it doubles. Volumes have a stride for each axis.
public struct TransposedConvolution: FusableConvolution {
  /// [inputs, outputs] and the kernel's sides
  public let weight: Tensor
  /// [outputs]
  public let bias: Tensor
  private let strides: [Int]

  /// - Parameter strides: of H and W, both 2, or of D, H and W.
  public init(_ scope: Scope, _ inputs: Int, _ outputs: Int, strides: [Int]) {
    let kernel = strides.map { 2 * $0 - 1 }
    // PyTorch takes the fan-in from dimension 1, here the outputs.
    let (weight, bound) = initialized(
      shape: [inputs, outputs] + kernel, fanIn: kernel.reduce(outputs, *), scope.generator)
    self.weight = scope.weight(weight.channelsLast())
    self.bias = scope.parameter("bias", initializedBias(outputs, bound: bound, scope.generator))
    self.strides = strides
  }

  /// Makes a layer of given tensors, in any precision, that doubles every axis.
  init(weight: Tensor, bias: Tensor) {
    self.weight = weight
    self.bias = bias
    strides = weight.shape.dropFirst(2).map { _ in 2 }
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    let padding = strides.map { $0 - 1 }
    return Tensor(
      strides.count == 3
        ? ct_conv_transpose3d(x.handle, weight.handle, bias.handle, strides)
        : ct_conv_transpose2d(x.handle, weight.handle, bias.handle, 2, 1, 1),
      .transposedConvolution(strides: strides, padding: padding, outputPadding: padding), x, weight, bias)
  }

  /// The same without fused loops, since there are none.
  public func fused(_ x: Tensor) -> Tensor { self(x) }

  public func fused(_ x: Tensor, _ norm: UnsafePointer<CTNorm>, adding residual: Tensor?) -> Tensor {
    precondition(residual == nil, "nothing is added to a larger image")
    guard strides.count == 2 else { return self(x.rectified(norm)) }
    return Tensor(ct_norm_relu_conv_transpose2d(x.handle, norm, weight.handle, bias.handle))
  }
}

/// No convolution: it returns its input, so norm and ReLU alone can be one operation.
public struct NoConvolution: FusableConvolution {
  public init() {}

  public func callAsFunction(_ x: Tensor) -> Tensor { x }

  public func fused(_ x: Tensor) -> Tensor { x }

  public func fused(_ x: Tensor, _ norm: UnsafePointer<CTNorm>, adding residual: Tensor?) -> Tensor {
    precondition(residual == nil, "nothing is added to norm and ReLU")
    return x.rectified(norm)
  }
}

extension Tensor {
  /// Max-pools by a stride of each axis, rounded down: [N, C, H, W] -> [N, C, H / stride, W / stride], or of volumes.
  public func maxPooled(_ strides: [Int]) -> Tensor {
    precondition(strides.count == 3 || strides[0] == strides[1], "slices are pooled alike along both axes")
    return Tensor(
      strides.count == 3 ? ct_max_pool3d(handle, strides) : ct_max_pool2d(handle, strides[0]), .maxPool(strides), self)
  }

  /// Max-pools slices by 2 and saves no indices.
  public func halvedByMaximum() -> Tensor { Tensor(ct_max_pool2x2(handle)) }
}
