import CTorch

/// LibTorch as a whole.
public enum LibTorch {
  public static var version: String { String(cString: ct_version()) }

  /// Seeds the generator that draws initial weights.
  public static func seed(_ seed: UInt64) { ct_seed(seed) }

  /// Threads that one operation of the calling thread may use.
  public static var threads: Int {
    get { Int(ct_threads()) }
    set { ct_set_threads(Int32(clamping: newValue)) }
  }
}
