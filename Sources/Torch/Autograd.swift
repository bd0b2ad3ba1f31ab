import CTorch

extension Tensor {
  /// The same values without their autograd graph.
  public func detached() -> Tensor { Tensor(ct_detach(handle), sameAs: self) }

  /// Chooses whether autograd computes the gradient of this leaf.
  public func requireGradient(_ required: Bool = true) { checkTrap(ct_require_gradient(handle, required)) }

  /// Tells whether autograd computes a gradient for this leaf, or for any leaf that this depends on.
  public var requiresGradient: Bool { ct_requires_gradient(handle) }

  /// Adds the gradients of this scalar to every leaf that requires one.
  public func backward() { checkTrap(ct_backward(handle)) }

  /// The gradient that `backward` has accumulated since the last `clearGradient`; nil without one.
  public var gradient: Tensor? { ct_gradient(handle).map { Tensor($0) } }

  public func clearGradient() { ct_clear_gradient(handle) }
}

/// Runs `body` without recording operations for autograd on this thread.
public func withoutGradients<Result>(_ body: () throws -> Result) rethrows -> Result {
  let before = ct_set_gradients_enabled(false)
  defer { _ = ct_set_gradients_enabled(before) }
  return try body()
}
