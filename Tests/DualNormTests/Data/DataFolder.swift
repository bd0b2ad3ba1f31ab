import Foundation

/// A temporary folder that is removed with its owner.
final class DataFolder: Sendable {
  let url = FileManager.default.temporaryDirectory.appendingPathComponent("data-\(UUID().uuidString)")

  init() throws { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }

  deinit { try? FileManager.default.removeItem(at: url) }

  var path: String { url.path }

  /// Creates empty files, for tests of names only.
  func touch(_ names: String...) throws {
    for name in names { try write("", to: name) }
  }

  func write(_ text: String, to name: String) throws {
    let file = url.appendingPathComponent(name)
    try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: file)
  }
}

/// The sentence of the error that `body` throws; empty if it throws none.
func sentence(_ body: () throws -> some Any) -> String {
  do {
    _ = try body()
    return ""
  } catch {
    return "\(error)"
  }
}

/// The folder `../shared/data` beside the package.
let sharedData: URL = {
  let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()
  return package.deletingLastPathComponent().appendingPathComponent("shared/data")
}()

let hasSharedData = FileManager.default.fileExists(atPath: sharedData.appendingPathComponent("lgg").path)
