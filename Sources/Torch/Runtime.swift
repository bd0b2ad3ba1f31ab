import CTorch

/// LibTorch as a whole.
public enum LibTorch {
  public static var version: String { String(cString: ct_version()) }

  /// Threads that one operation of the calling thread may use.
  public static var threads: Int {
    get { Int(ct_threads()) }
    set { ct_set_threads(Int32(clamping: newValue)) }
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
