import Foundation
import Testing

/// Runs the built `dualnorm` and waits for its end.
func dualnorm(_ arguments: String...) throws -> (status: Int32, output: String, errors: String) {
  try dualnorm(arguments)
}

func dualnorm(_ arguments: [String]) throws -> (status: Int32, output: String, errors: String) {
  try RunningCommand(arguments).finish()
}

/// Runs the built `dualnorm` within limits, and waits for its end.
func dualnorm(_ arguments: [String], limits: String) throws -> (status: Int32, output: String, errors: String) {
  try RunningCommand(arguments, limits: limits).finish()
}

/// A `dualnorm` that has been started.
final class RunningCommand {
  private let process = Process()
  private let folder: TemporaryFolder

  /// - Parameters:
  ///   - errors: takes the place of a file for what it says on standard error.
  ///   - limits: what bash does before, such as `ulimit -f 100` (of KiB).
  init(_ arguments: [String], errors: FileHandle? = nil, limits: String? = nil) throws {
    folder = try TemporaryFolder()
    // Files, not pipes: a full pipe that nobody reads would stop the command.
    for name in ["output", "errors"] { try Data().write(to: folder.file(name)) }
    let command = productsFolder.appendingPathComponent("dualnorm")
    process.executableURL = limits == nil ? command : URL(fileURLWithPath: "/bin/bash")
    process.arguments = limits.map { ["-c", "\($0) && exec \"$0\" \"$@\"", command.path] + arguments } ?? arguments
    // Threads that wait for each other must not take the cores from the tests beside.
    process.environment = ProcessInfo.processInfo.environment.merging(["OMP_WAIT_POLICY": "passive"]) { $1 }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try FileHandle(forWritingTo: folder.file("output"))
    process.standardError = try errors ?? FileHandle(forWritingTo: folder.file("errors"))
    try process.run()
  }

  var isRunning: Bool { process.isRunning }

  var processIdentifier: pid_t { process.processIdentifier }

  func send(_ signal: Int32) { Foundation.kill(process.processIdentifier, signal) }

  /// As Ctrl-C does.
  func interrupt() { process.interrupt() }

  /// As the system does when memory runs out; nothing can be put in order.
  func kill() { Foundation.kill(process.processIdentifier, SIGKILL) }

  /// Waits for its end.
  func finish() throws -> (status: Int32, output: String, errors: String) {
    process.waitUntilExit()
    return (
      process.terminationStatus, try String(contentsOf: folder.file("output"), encoding: .utf8),
      try String(contentsOf: folder.file("errors"), encoding: .utf8)
    )
  }
}

/// What lies in a folder and in the folders in it, sorted, hidden files too.
/// Event files of TensorBoard are left out: their names hold the time.
func contents(of folder: URL) -> [String] {
  (FileManager.default.enumerator(atPath: folder.path)?.allObjects as? [String] ?? [])
    .filter { !$0.contains("tensorboard/events.out.tfevents.") }.sorted()
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

  var path: String { url.path }

  func file(_ path: String) -> URL { url.appendingPathComponent(path) }
}

extension Trait where Self == TimeLimitTrait {
  /// For tests that could wait forever. Many run beside them, on machines of any speed: what is slow must not fail.
  static var endsSomeTime: Self { .timeLimit(.minutes(20)) }
}

/// Lines on standard error but warnings, which a network that has hardly trained deserves even under `--quiet`.
func messagesBesideWarnings(_ errors: String) -> String {
  errors.split(separator: "\n", omittingEmptySubsequences: false)
    .filter { !$0.hasPrefix("Warning: ") && !$0.hasPrefix(#"{"warning":"#) }.joined(separator: "\n")
}
