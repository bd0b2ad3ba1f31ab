import CTorch

/// The numbers that convolutions calculate with; weights, statistics and losses are float32 in all.
public enum Precision: String, Codable, Sendable, CaseIterable {
  case float32
  /// On a GPU convolutions round their inputs to TensorFloat-32, of 10 bits after the first, and add up in float32, as
  /// PyTorch does there unless told otherwise; on the CPU the same as float32.
  case tf32
  /// Convolutions round their inputs to bfloat16 and add up in float32 (PyTorch's autocast).
  case bfloat16

  /// bfloat16 where the hardware multiplies it, or else float32. docs/performance.md has what it costs.
  public static func standard(on device: Device) -> Precision {
    ct_has_bfloat16(device.code) ? .bfloat16 : .float32
  }
}

/// Runs `body`, a forward pass on a device, in the given precision; the backward pass follows it. Whether GPUs take
/// TensorFloat-32 is the whole process's, until the next call for a GPU.
public func withPrecision<Result>(
  _ precision: Precision, on device: Device = .cpu, _ body: () throws -> Result
) rethrows -> Result {
  if device != .cpu { ct_allow_tf32(precision == .tf32) }  // the backward pass is to have it, too
  guard precision == .bfloat16 else { return try body() }
  checkTrap(ct_begin_bfloat16())
  defer { ct_end_bfloat16() }
  return try body()
}
