import Foundation

/// Runs the built `dualnorm` and waits for its end.
func dualnorm(_ arguments: String...) throws -> (status: Int32, output: String, errors: String) {
  try dualnorm(arguments)
}

func dualnorm(_ arguments: [String]) throws -> (status: Int32, output: String, errors: String) {
  let folder = try TemporaryFolder()
  let (output, errors) = (folder.file("output"), folder.file("errors"))
  // Files, not pipes: a full pipe that nobody reads would stop the command.
  try Data().write(to: output)
  try Data().write(to: errors)
  let process = Process()
  process.executableURL = productsFolder.appendingPathComponent("dualnorm")
  process.arguments = arguments
  process.standardInput = FileHandle.nullDevice
  process.standardOutput = try FileHandle(forWritingTo: output)
  process.standardError = try FileHandle(forWritingTo: errors)
  try process.run()
  process.waitUntilExit()
  return (
    process.terminationStatus, try String(contentsOf: output, encoding: .utf8),
    try String(contentsOf: errors, encoding: .utf8)
  )
}

/// Where the running tests were built, and the command beside them.
private var productsFolder: URL {
  let bundle = Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") }  // macOS
  if let bundle { return bundle.bundleURL.deletingLastPathComponent() }
  return Bundle.main.bundleURL
}

/// A folder that is removed with the value that made it.
final class TemporaryFolder {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory.appendingPathComponent("dualnorm-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  func file(_ path: String) -> URL { url.appendingPathComponent(path) }
}
