import CTorch
import Foundation

/// A captured CUDA graph. `init` captures the work `body` launches; `run()` replays it.
///
/// Launching a graph takes the processor next to no time. Every replay reads and writes the same memory: assign new
/// inputs to the tensors it reads, and find its results in the tensors it made.
public final class Graph {
  private let handle: OpaquePointer

  /// Captures the work that `body` launches on a GPU, without running it.
  ///
  /// `body` must not read any result. It must have run before, so that one-time set-up is done. No other thread may use
  /// the GPU during the capture.
  ///
  /// - Returns: nil, with a warning on standard error, where nothing can be captured; then `body` has not run.
  public init?(on device: Device, _ body: () throws -> Void) rethrows {
    guard let handle = ct_graph_begin_capture(device.code) else {
      let reason = String(cString: ct_error()).prefix { !$0.isNewline }
      let warning = "Warning: no CUDA graph can be captured, so that steps take longer (\(reason)).\n"
      FileHandle.standardError.write(Data(warning.utf8))
      return nil
    }
    self.handle = handle
    defer { checkTrap(ct_graph_end_capture(handle)) }
    try body()
  }

  deinit { ct_graph_free(handle) }

  /// Replays the work, after all work launched before. Does not wait for it.
  public func run() { checkTrap(ct_graph_replay(handle)) }
}
