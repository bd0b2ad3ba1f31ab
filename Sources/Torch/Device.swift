import CTorch

/// The device of a tensor and its operations. Tensors of one operation must share a device.
public enum Device: Equatable, Sendable {
  case cpu
  /// A GPU, by its index.
  case cuda(Int)

  var code: Int32 {
    switch self {
    case .cpu: Int32(CTDeviceCPU)
    case .cuda(let index): Int32(clamping: index)
    }
  }

  /// Why the fused operations cannot run here; nil if they can. A GPU's first call compiles some of them.
  public var reasonNotToFuse: String? { ct_why_not_fused(code).map { String(cString: $0) } }

  /// The peak of a GPU's memory that LibTorch has reserved, in bytes; 0 on the CPU.
  public var peakMemory: Int { self == .cpu ? 0 : ct_gpu_peak_memory(code) }

  /// Waits until the device has finished its work.
  public func synchronize() { ct_synchronize(code) }

  init(code: Int32) {
    self = code == Int32(CTDeviceCPU) ? .cpu : .cuda(Int(code))
  }
}

extension LibTorch {
  /// Loads LibTorch's CUDA library, before any use of a GPU. Refuses one of another version.
  ///
  /// - Returns: why it cannot be loaded; nil if it is.
  public static func loadCUDA() -> String? { ct_load_cuda() ? nil : String(cString: ct_error()) }

  /// The number of GPUs; 0 before the CUDA library is loaded.
  public static var gpuCount: Int { ct_gpu_count() }
}

extension Tensor {
  public var device: Device { Device(code: ct_device(handle)) }

  /// The same values on a device, or this tensor if it is there. Differentiable.
  public func moved(to device: Device) -> Tensor {
    device == self.device ? self : Tensor(ct_to_device(handle, device.code))
  }
}

/// Runs `body` with a GPU's fused operations, emulated by the CPU. For tests without a GPU.
func withEmulatedGPU<Result>(_ body: () throws -> Result) rethrows -> Result {
  precondition(ct_emulate_gpu(true), "only debug builds emulate a GPU")
  defer { _ = ct_emulate_gpu(false) }
  return try body()
}
