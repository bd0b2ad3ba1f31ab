import CTorch

/// The numbers that convolutions calculate with; weights, statistics and losses are float32 in both.
public enum Precision: String, Codable, Sendable, CaseIterable {
  case float32
  /// Convolutions round their inputs to bfloat16 and add up in float32 (PyTorch's autocast).
  case bfloat16
}

/// Runs `body`, a forward pass, in the given precision; the backward pass follows it.
public func withPrecision<Result>(_ precision: Precision, _ body: () throws -> Result) rethrows -> Result {
  guard precision == .bfloat16 else { return try body() }
  checkTrap(ct_begin_bfloat16())
  defer { ct_end_bfloat16() }
  return try body()
}
