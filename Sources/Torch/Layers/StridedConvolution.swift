import CTorch

/// Convolution with a stride for each axis, for slices and volumes.
///
/// It pads each axis by (side − 1) / 2, rounded down: [N, inputs, H, W] -> [N, outputs, H / stride, W / stride] for odd
/// sides, with sizes rounded up.
public struct StridedConvolution {
  /// [outputs, inputs] and the kernel's sides
  public let weight: Tensor
  /// [outputs]; nil without one.
  public let bias: Tensor?
  private let strides: [Int]

  /// - Parameters:
  ///   - kernel: sides along H and W, or along D, H and W.
  ///   - strides: of the same axes.
  public init(_ scope: Scope, _ inputs: Int, _ outputs: Int, kernel: [Int], strides: [Int], bias: Bool = true) {
    let (weight, bound) = initialized(
      shape: [outputs, inputs] + kernel, fanIn: kernel.reduce(inputs, *), scope.generator)
    self.weight = scope.weight(weight.channelsLast())
    self.bias = bias ? scope.parameter("bias", initializedBias(outputs, bound: bound, scope.generator)) : nil
    self.strides = strides
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    Tensor(
      ct_strided_conv(x.handle, weight.handle, bias?.handle, strides),
      .convolution(strides: strides, padding: weight.shape.dropFirst(2).map { ($0 - 1) / 2 }), x, weight, bias)
  }

  /// The same by fused loops where there are some.
  public func fused(_ x: Tensor) -> Tensor {
    let sides = weight.shape.dropFirst(2)
    guard let bias, strides.allSatisfy({ $0 == 1 }), sides.count == 3 || sides.allSatisfy({ $0 == sides.first }) else {
      return self(x)
    }
    return Convolution(weight: weight, bias: bias).fused(x)
  }
}

/// Up-convolution (Ronneberger et al. 2015): a transposed convolution whose kernel is its stride.
///
/// [N, inputs, H, W] -> [N, outputs, stride · H, stride · W]; volumes have a third axis.
public struct UpConvolution {
  /// [inputs, outputs] and the kernel's sides
  public let weight: Tensor
  /// [outputs]; nil without one.
  public let bias: Tensor?
  private let strides: [Int]

  /// - Parameter strides: of H and W, or of D, H and W.
  public init(_ scope: Scope, _ inputs: Int, _ outputs: Int, strides: [Int], bias: Bool = true) {
    // PyTorch takes the fan-in from dimension 1, here the outputs.
    let (weight, bound) = initialized(
      shape: [inputs, outputs] + strides, fanIn: strides.reduce(outputs, *), scope.generator)
    self.weight = scope.weight(weight.channelsLast())
    self.bias = bias ? scope.parameter("bias", initializedBias(outputs, bound: bound, scope.generator)) : nil
    self.strides = strides
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    Tensor(
      ct_up_conv(x.handle, weight.handle, bias?.handle, strides),
      .transposedConvolution(
        strides: strides, padding: strides.map { _ in 0 }, outputPadding: strides.map { _ in 0 }), x, weight, bias)
  }
}

extension Tensor {
  /// Averages boxes of a stride along each axis; incomplete boxes are left out.
  public func averagePooled(_ strides: [Int]) -> Tensor {
    Tensor(ct_average_pool(handle, strides), .averagePool(strides), self)
  }
}
