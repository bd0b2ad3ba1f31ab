import Basics
import Torch

extension Wording {
  /// Settings and verbs as they are typed.
  static let commandLine = commandLine(inPackage: Installation.isPackage)

  /// - Parameter inPackage: whether the program is a package's, whose users have no Makefile.
  static func commandLine(inPackage: Bool) -> Wording {
    Wording(
      setting: { "--\($0.rawValue)" }, verb: { ["dualnorm", $0.rawValue] },
      cudaRemedy: inPackage
        ? "install PyTorch \(LibTorch.version) with CUDA, and name its folder torch/lib in LD_LIBRARY_PATH"
        : plain.cudaRemedy)
  }
}
