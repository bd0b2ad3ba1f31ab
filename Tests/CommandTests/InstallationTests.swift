import Foundation
import Testing
import Torch

@testable import Basics
@testable import DualNormCLI

@Suite struct InstallationTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Debian's package starts by a link to its program.
  @Test func aPackageIsKnownByItsFiles() throws {
    for path in ["package/bin", "package/share/dualnorm", "tree/bin", "links"] {
      try FileManager.default.createDirectory(at: folder.file(path), withIntermediateDirectories: true)
    }
    let (program, other) = (folder.file("package/bin/dualnorm"), folder.file("tree/bin/dualnorm"))
    for file in [program, other, folder.file("package/share/dualnorm/build")] { try Data().write(to: file) }
    let link = folder.file("links/dualnorm")
    try FileManager.default.createSymbolicLink(at: link, withDestinationURL: program)
    #expect([program, link, other].map(Installation.isPackaged) == [true, true, false])
    #expect(!Installation.isPackage)
  }

  /// Only a build tree has a Makefile.
  @Test func theRemedyForCUDAIsThatOfTheInstallation() {
    #expect(Wording.commandLine(inPackage: false).cudaRemedy == "run make deps-cuda")
    #expect(
      Wording.commandLine(inPackage: true).cudaRemedy
        == "install PyTorch \(LibTorch.version) with CUDA, and name its folder torch/lib in LD_LIBRARY_PATH")
  }
}
