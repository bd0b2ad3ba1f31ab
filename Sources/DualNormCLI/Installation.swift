import Basics
import Foundation
import Torch

/// The folder of a package, with `bin/dualnorm` and `share/dualnorm` in it. A build tree has no such folder.
enum Installation {
  /// The line of `--version`, such as `dualnorm 0.1.0 (commit abc1234, LibTorch 2.11.0)`.
  ///
  /// The package's script writes the commit into `share/dualnorm/build`, so that no commit makes a build anew.
  static var version: String {
    let build = shared("build").flatMap { try? String(contentsOf: $0, encoding: .utf8) } ?? ""
    let commit = build.split(whereSeparator: \.isWhitespace).first.map(String.init) ?? "unknown"
    return "dualnorm \(programVersion) (commit \(commit), LibTorch \(LibTorch.version))"
  }

  /// Names the package's dictionaries of DICOM's tags to DCMTK, which knows only the path that Debian has.
  ///
  /// Without them DCMTK reads no implicit value representations and writes no segmentations. A user's choice stays.
  static func useDictionaries() {
    let files = ["dicom.dic", "private.dic"].compactMap(shared).map(\.path)
    guard files.allSatisfy(FileManager.default.isReadableFile) else { return }
    setenv("DCMDICTPATH", files.joined(separator: ":"), 0)
  }

  /// Tells whether this program is a package's.
  static var isPackage: Bool { Bundle.main.executableURL.map(isPackaged) ?? false }

  static func isPackaged(_ program: URL) -> Bool {
    FileManager.default.fileExists(atPath: shared("build", by: program).path)
  }

  private static func shared(_ name: String) -> URL? { Bundle.main.executableURL.map { shared(name, by: $0) } }

  private static func shared(_ name: String, by program: URL) -> URL {
    let folder = program.resolvingSymlinksInPath().deletingLastPathComponent().deletingLastPathComponent()
    return folder.appendingPathComponent("share/dualnorm/\(name)")
  }
}
