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
