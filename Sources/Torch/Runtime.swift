import CTorch

/// LibTorch as a whole.
public enum LibTorch {
  public static var version: String { String(cString: ct_version()) }

  /// The number of threads that one operation of the calling thread may use.
  public static var threads: Int { Int(ct_threads()) }

  private static let cacheMemory: Void = ct_cache_memory()

  /// Prepares the calling thread, before its first operation, which makes the worker threads.
  ///
  /// Numbers below 1e-38 become 0. Gradients of confident networks are full of them, and processors take many times
  /// longer for each.
  public static func configure(threads: Int) {
    cacheMemory
    _ = ct_flush_denormals()
    checkTrap(ct_set_threads(Int32(clamping: threads)))
  }
}

/// LibTorch's random numbers: those of PyTorch after `torch.manual_seed(seed)`.
public final class Generator {
  let handle: OpaquePointer

  public init(seed: UInt64) {
    guard let handle = ct_generator(seed) else { fatalError("LibTorch: \(String(cString: ct_error()))") }
    self.handle = handle
  }

  deinit { ct_generator_free(handle) }
}
