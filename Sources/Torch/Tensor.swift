import CTorch

/// An n-dimensional array of LibTorch, with its autograd.
///
/// Arithmetic traps with LibTorch's message where shapes do not fit, since that is a bug, not a user's error.
/// A tensor stays on the thread that made it, so it is not `Sendable`.
public final class Tensor {
  /// Lives as long as the tensor. Never take it of a temporary value, which may be freed before the call.
  let handle: OpaquePointer
  /// The origin of these values, while a computation is recorded.
  package internal(set) var node: GraphNode?

  /// Takes ownership of a handle of CTorch. Traps with LibTorch's message without one.
  init(_ handle: OpaquePointer?) {
    guard let handle else { fatalError("LibTorch: \(String(cString: ct_error()))") }
    self.handle = handle
  }

  deinit { ct_free(handle) }

  /// Makes a tensor of values in row-major order. `values.count` is the product of `shape`.
  public convenience init<Value: TorchScalar>(_ values: [Value], shape: [Int]) {
    precondition(values.count == shape.reduce(1, *), "\(values.count) values do not fill the shape \(shape)")
    self.init(values.withUnsafeBytes { Tensor.make(from: $0, type: Value.type, shape: shape) })
  }

  /// Makes a tensor of `shape` filled with `value`.
  public convenience init(repeating value: Double, shape: [Int], type: ScalarType = .float32) {
    self.init(ct_full(shape, shape.count, value, type.code))
  }

  static func make(from bytes: UnsafeRawBufferPointer, type: ScalarType, shape: [Int]) -> OpaquePointer? {
    withUnsafeBytes(of: UInt8(0)) { nothing in
      ct_from_bytes(bytes.baseAddress ?? nothing.baseAddress!, type.code, shape, shape.count)
    }
  }

  /// Sizes of the dimensions.
  public var shape: [Int] { (0..<rank).map { ct_size(handle, $0) } }

  /// Number of axes.
  public var rank: Int { ct_rank(handle) }

  public func size(_ dimension: Int) -> Int { ct_size(handle, dimension) }

  public var count: Int { shape.reduce(1, *) }

  public var type: ScalarType { ScalarType(ct_type(handle)) }

  /// Returns the values in row-major order, converted to `Value`.
  public func values<Value: TorchScalar>(_: Value.Type = Value.self) -> [Value] {
    let source = type == Value.type ? self : converted(to: Value.type)
    let count = source.count
    return [Value](unsafeUninitializedCapacity: count) { buffer, initialized in
      if count > 0 { checkTrap(ct_copy_bytes(source.handle, buffer.baseAddress!, count * Value.type.byteCount)) }
      initialized = count
    }
  }

  /// The value of a tensor with one element.
  public var item: Double {
    precondition(count == 1, "a tensor of shape \(shape) has no single value")
    return values(Double.self)[0]
  }

  public func converted(to type: ScalarType) -> Tensor { Tensor(ct_to_type(handle, type.code), sameAs: self) }

  /// Copies the values, without a gradient.
  public func copy() -> Tensor { Tensor(ct_copy(handle)) }

  /// The same values in LibTorch's fast layout for [N, C, H, W], channels-last. Differentiable.
  public func channelsLast() -> Tensor { Tensor(ct_channels_last(handle), sameAs: self) }
}

/// Traps with LibTorch's message.
func checkTrap(_ success: Bool) {
  guard success else { fatalError("LibTorch: \(String(cString: ct_error()))") }
}

extension Tensor: CustomStringConvertible {
  public var description: String { "Tensor(\(type.rawValue), \(shape))" }
}
