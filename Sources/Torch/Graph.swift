import CTorch

/// Work that a GPU was given once, to be given again as a whole, which takes the processor next to no time.
///
/// The work reads and writes the same memory every time: what changes between two times is assigned to the tensors it
/// reads, and its results lie in the tensors it made.
public final class Graph {
  private let handle: OpaquePointer

  /// Notes what `body` gives a GPU, which does none of it yet.
  ///
  /// `body` must not look at any result, and must have run before, so that all it needs once is made. No other thread may
  /// use the GPU meanwhile.
  ///
  /// - Returns: nil where this LibTorch cannot note anything; then `body` has not run.
  public init?(on device: Device, _ body: () throws -> Void) rethrows {
    guard let handle = ct_graph_begin(device.code) else { return nil }
    self.handle = handle
    defer { checkTrap(ct_graph_end(handle)) }
    try body()
  }

  deinit { ct_graph_free(handle) }

  /// Gives it the work again, after all that was given before. Does not wait for it.
  public func run() { checkTrap(ct_graph_replay(handle)) }
}
