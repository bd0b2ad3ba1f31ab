import CTorch

extension Tensor {
  /// The same values, cut off from the graph that made them.
  public func detached() -> Tensor { Tensor(ct_detach(handle)) }

  /// Asks autograd for the gradient of this leaf, or no longer.
  public func requireGradient(_ required: Bool = true) { checkTrap(ct_require_gradient(handle, required)) }

  /// Whether autograd would give a gradient for this leaf, or for any leaf this was made of.
  public var requiresGradient: Bool { ct_requires_gradient(handle) }

  /// Adds the gradients of this scalar to every leaf that asked for one.
  public func backward() { checkTrap(ct_backward(handle)) }

  /// What `backward` has added up since the last `clearGradient`; nil if nothing.
  public var gradient: Tensor? { ct_gradient(handle).map { Tensor($0) } }

  public func clearGradient() { ct_clear_gradient(handle) }
}

/// Runs `body` without recording operations for autograd on this thread.
public func withoutGradients<Result>(_ body: () throws -> Result) rethrows -> Result {
  let before = ct_set_gradients_enabled(false)
  defer { _ = ct_set_gradients_enabled(before) }
  return try body()
}
