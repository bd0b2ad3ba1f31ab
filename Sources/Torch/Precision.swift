import CTorch

/// The number format of convolutions. Weights, statistics and losses are always float32.
public enum Precision: String, Codable, Sendable, CaseIterable {
  case float32
  /// Convolutions on a GPU round their inputs to TensorFloat-32, with a mantissa of 10 bits, and add up in float32.
  ///
  /// This is PyTorch's default there. On the CPU it equals float32.
  case tf32
  /// Convolutions round their inputs to bfloat16 and add up in float32 (PyTorch's autocast).
  case bfloat16

  /// bfloat16 where the hardware multiplies it faster, else float32. docs/performance.md lists its cost.
  public static func standard(on device: Device) -> Precision {
    ct_has_bfloat16(device.code) ? .bfloat16 : .float32
  }
}

/// Runs `body`, a forward pass on a device, in the given precision, which its backward pass follows.
///
/// The choice of TensorFloat-32 applies to the whole process until the next call for a GPU.
public func withPrecision<Result>(
  _ precision: Precision, on device: Device = .cpu, _ body: () throws -> Result
) rethrows -> Result {
  if device != .cpu { ct_allow_tf32(precision == .tf32) }  // stays set for the backward pass
  guard precision == .bfloat16 else { return try body() }
  checkTrap(ct_begin_bfloat16())
  defer { ct_end_bfloat16() }
  return try body()
}
