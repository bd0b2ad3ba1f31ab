import Basics
package import Torch

/// The device that a user chooses for networks: `cpu`, `cuda`, `cuda:1`, or `auto`.
package enum DeviceChoice: Equatable, Sendable {
  case cpu
  /// The GPU of this index; `cuda` is `cuda:0`.
  case cuda(Int)
  /// The first GPU if there is one, or else the CPU.
  case auto

  /// - Throws: `Refusal` if the GPU cannot be used, with the reason.
  package func resolved() throws -> Device {
    switch self {
    case .cpu: return .cpu
    case .auto:
      guard let reason = LibTorch.loadCUDA() else { return LibTorch.gpuCount > 0 ? .cuda(0) : .cpu }
      // Most machines have no library. One that is there and does not load is worth a word.
      if !reason.contains(Self.absence) {
        Warnings.report("\(Setting.device) auto takes the processor: \(reason)")
      }
      return .cpu
    case .cuda(let index):
      if let reason = LibTorch.loadCUDA() {
        throw Refusal(
          .input, "\(Setting.device) is \(rawValue), and LibTorch's CUDA library cannot be loaded (\(reason))",
          remedy: "\(Wording.current.cudaRemedy), or give \(Setting.device) cpu")
      }
      let count = LibTorch.gpuCount
      guard count > 0 else {
        throw Refusal(
          .input, "\(Setting.device) is \(rawValue), and LibTorch finds no GPU",
          remedy: "check that nvidia-smi lists one, or give \(Setting.device) cpu")
      }
      guard index < count else {
        throw Refusal(
          .input, "\(Setting.device) is \(rawValue), and this machine has \(counted(count, "GPU"))",
          remedy: "give cuda:0" + (count == 1 ? "" : " to cuda:\(count - 1)"))
      }
      return .cuda(index)
    }
  }
}

extension Device {
  /// A warning that the GPU will be slow; nil if it will not.
  package var warning: String? {
    reasonNotToFuse.map {
      "Warning: the GPU runs LibTorch's own operations, which takes several times as long, since ours cannot be compiled "
        + "(\($0)); for NVRTC, which compiles them, \(Wording.current.cudaRemedy)."
    }
  }
}

extension DeviceChoice: RawRepresentable, Codable {
  /// The words in CTorch's message where no CUDA library is found.
  private static let absence = "is neither in"

  package init?(rawValue: String) {
    switch rawValue {
    case "cpu": self = .cpu
    case "auto": self = .auto
    case "cuda": self = .cuda(0)
    default:
      let index = rawValue.dropFirst("cuda:".count)
      guard rawValue.hasPrefix("cuda:"), index.utf8.allSatisfy({ (48...57).contains($0) }), let index = Int(index),
        index < 1024
      else { return nil }
      self = .cuda(index)
    }
  }

  package var rawValue: String {
    switch self {
    case .cpu: "cpu"
    case .auto: "auto"
    case .cuda(let index): "cuda:\(index)"
    }
  }
}
