import CTorch

/// Where a tensor's numbers are and its operations run. Operations of several tensors want all of them on one device.
public enum Device: Equatable, Sendable {
  case cpu
  /// The GPU of this index.
  case cuda(Int)

  var code: Int32 {
    switch self {
    case .cpu: Int32(CTDeviceCPU)
    case .cuda(let index): Int32(clamping: index)
    }
  }

  /// Why the fused operations cannot run here; nil if they can. On a GPU the first call compiles some of them.
  public var reasonNotToFuse: String? { ct_why_not_fused(code).map { String(cString: $0) } }

  /// Bytes of a GPU's memory that LibTorch has held at most; 0 on the CPU.
  public var peakMemory: Int { self == .cpu ? 0 : ct_gpu_peak_memory(code) }

  /// Waits until the device has done all that it was given.
  public func synchronize() { ct_synchronize(code) }

  init(code: Int32) {
    self = code == Int32(CTDeviceCPU) ? .cpu : .cuda(Int(code))
  }
}

extension LibTorch {
  /// Loads LibTorch's CUDA half, which must be of the same version; call it before any use of a GPU.
  ///
  /// - Returns: why it cannot be loaded; nil if it is.
  public static func loadCUDA() -> String? { ct_load_cuda() ? nil : String(cString: ct_error()) }

  /// How many GPUs the CUDA half can use; 0 before it is loaded.
  public static var gpuCount: Int { ct_gpu_count() }
}

extension Tensor {
  public var device: Device { Device(code: ct_device(handle)) }

  /// The same values on a device; this tensor itself if it is there. Differentiable.
  public func moved(to device: Device) -> Tensor {
    device == self.device ? self : Tensor(ct_to_device(handle, device.code))
  }
}

/// For tests where there is no GPU: runs `body` with a GPU's fused operations in place of the CPU's.
func withEmulatedGPU<Result>(_ body: () throws -> Result) rethrows -> Result {
  precondition(ct_emulate_gpu(true), "only debug builds emulate a GPU")
  defer { _ = ct_emulate_gpu(false) }
  return try body()
}
