import CTorch
import Foundation
import Testing

@testable import Torch

/// Checks of a CUDA library before it is loaded, on dummy libraries of a few bytes.
@Suite final class CUDALibraryTests {
  private let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
  private let compiled = LibTorch.version

  deinit { try? FileManager.default.removeItem(at: folder) }

  /// Creates a package with a library and files that state its version.
  private func library(_ name: String, _ files: [String: String]) throws -> String {
    for (file, text) in files.merging(["lib/libtorch_cuda.so": "no library"], uniquingKeysWith: { a, _ in a }) {
      let path = folder.appendingPathComponent("\(name)/\(file)")
      try FileManager.default.createDirectory(at: path.deletingLastPathComponent(), withIntermediateDirectories: true)
      try text.write(to: path, atomically: true, encoding: .utf8)
    }
    return folder.appendingPathComponent("\(name)/lib/libtorch_cuda.so").path
  }

  /// The error of the check; nil if the version is right.
  private func fault(of path: String) -> String? {
    ct_check_cuda_version(path) ? nil : String(cString: ct_error())
  }

  /// The files of a wheel, of the headers of `make deps`, and of a downloaded archive.
  private func packages(_ version: String) -> [[String: String]] {
    [
      ["version.py": "__all__ = ['__version__']\n__version__ = '\(version)+cu130'\ncuda: str = '13.0'\n"],
      [
        "include/torch/headeronly/version.h":
          "#define TORCH_VERSION_MAJOR 7\n#define TORCH_VERSION \\\n  \"\(version)\"\n"
      ],
      ["include/torch/csrc/api/include/torch/version.h": "#define TORCH_VERSION \"\(version)\"\n"],
      ["build-version": "\(version)+cu130\n"],
    ]
  }

  @Test func theCompiledVersionIsAccepted() throws {
    for (index, files) in packages(compiled).enumerated() {
      #expect(fault(of: try library("same\(index)", files)) == nil)
    }
  }

  @Test(arguments: ["2.15.0", "2.1", "2.11.0a0", "2.11.1"]) func anotherVersionIsRefused(version: String) throws {
    for (index, files) in packages(version).enumerated() {
      let path = try library("\(version)-\(index)", files)
      #expect(fault(of: path) == "\(path) is of LibTorch \(version), and DualNorm was compiled with \(compiled)")
    }
  }

  @Test func anUnknownVersionIsRefused() throws {
    let path = try library("unknown", ["version.py": "nothing of use"])
    #expect(
      fault(of: path)
        == "\(path) is of an unknown version, since the folder above its own holds no version.py, include or build-version, "
        + "and DualNorm was compiled with LibTorch \(compiled)")
  }

  /// A link is followed to its library.
  @Test func linksAreFollowed() throws {
    let target = try library("target", ["version.py": "__version__ = '1.0'"])
    let link = try library("link", ["version.py": "__version__ = '\(compiled)'"])
    try FileManager.default.removeItem(atPath: link)
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: target)
    #expect(fault(of: link)?.contains("is of LibTorch 1.0,") == true)
  }

  /// The library compiled against has the right version, though its folder has no CUDA library without `make
  /// deps-cuda`.
  @Test func theLinkedFolderHasTheCompiledVersion() throws {
    let own = URL(fileURLWithPath: #filePath).appendingPathComponent("../../../.deps/libtorch/torch/lib").standardized
    #expect(fault(of: own.appendingPathComponent("libtorch_cuda.so").path) == nil)
  }

  @Test func aGraphOfTheKnownSizeFits() {
    #expect(ct_check_graph_size { _ in })
    #expect(ct_check_graph_size { memset($0, 0, 104) })
  }

  @Test func aLargerGraphIsRefused() {
    #expect(!ct_check_graph_size { memset($0, 0, 105) })
    #expect(
      String(cString: ct_error())
        == "LibTorch's CUDA library makes a CUDA graph of 105 bytes or more, not 104 as that of \(compiled) does; take that "
        + "one")
    // A gap in the middle is unchanged; the last changed byte counts.
    #expect(!ct_check_graph_size { $0.storeBytes(of: 1, toByteOffset: 447, as: UInt8.self) })
    #expect(String(cString: ct_error()).contains("of 448 bytes or more"))
  }

  @Test func anExceptionBecomesAMessage() {
    #expect(!ct_set_threads(0))
    #expect(String(cString: ct_error()).contains("Expected positive number of threads"))
  }
}
