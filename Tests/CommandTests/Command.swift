import Foundation
import Testing

/// Runs the built `dualnorm` to its end.
func dualnorm(_ arguments: String...) throws -> (status: Int32, output: String, errors: String) {
  try dualnorm(arguments)
}

func dualnorm(_ arguments: [String]) throws -> (status: Int32, output: String, errors: String) {
  try CommandServer.shared?.run(arguments) ?? RunningCommand(arguments).finish()
}

/// Runs the built `dualnorm` to its end, within limits.
func dualnorm(_ arguments: [String], limits: String) throws -> (status: Int32, output: String, errors: String) {
  try RunningCommand(arguments, limits: limits).finish()
}

/// A running `dualnorm`.
final class RunningCommand {
  private let process = Process()
  private let folder: TemporaryFolder

  /// - Parameters:
  ///   - errors: a handle for standard error, instead of a file.
  ///   - limits: bash commands to run first, such as `ulimit -f 100` (in KiB).
  ///   - environment: variables beside those of all commands.
  ///   - program: another program of the package.
  init(
    _ arguments: [String], errors: FileHandle? = nil, limits: String? = nil, environment: [String: String] = [:],
    program: String = "dualnorm"
  ) throws {
    folder = try TemporaryFolder()
    // Files instead of pipes: a full pipe without reader would block the command.
    for name in ["output", "errors"] { try Data().write(to: folder.file(name)) }
    let command = productsFolder.appendingPathComponent(program)
    process.executableURL = limits == nil ? command : URL(fileURLWithPath: "/bin/bash")
    process.arguments = limits.map { ["-c", "\($0) && exec \"$0\" \"$@\"", command.path] + arguments } ?? arguments
    process.environment = commandEnvironment.merging(environment) { $1 }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try FileHandle(forWritingTo: folder.file("output"))
    process.standardError = try errors ?? FileHandle(forWritingTo: folder.file("errors"))
    try process.run()
  }

  var isRunning: Bool { process.isRunning }

  var processIdentifier: pid_t { process.processIdentifier }

  func send(_ signal: Int32) { Foundation.kill(process.processIdentifier, signal) }

  /// Sends Ctrl-C.
  func interrupt() { process.interrupt() }

  /// Kills the process as the system does when memory runs out, without any cleanup.
  func kill() { Foundation.kill(process.processIdentifier, SIGKILL) }

  /// What it has written on standard error until now.
  func errorsSoFar() throws -> String { try folder.text("errors") }

  /// Waits for the process to end.
  func finish() throws -> (status: Int32, output: String, errors: String) {
    process.waitUntilExit()
    return (process.terminationStatus, try folder.text("output"), try folder.text("errors"))
  }
}

/// The contents of a folder and its subfolders, sorted, including hidden files.
///
/// TensorBoard's event files are omitted, since their names hold the time.
func contents(of folder: URL) -> [String] {
  (FileManager.default.enumerator(atPath: folder.path)?.allObjects as? [String] ?? [])
    .filter { !$0.contains("tensorboard/events.out.tfevents.") }.sorted()
}

/// The environment of commands. Actively waiting threads would take cores from parallel tests.
var commandEnvironment: [String: String] {
  ProcessInfo.processInfo.environment.merging(["OMP_WAIT_POLICY": "passive"]) { $1 }
}

/// The folder of the running tests and of the command.
var productsFolder: URL {
  let bundle = Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") }  // macOS
  if let bundle { return bundle.bundleURL.deletingLastPathComponent() }
  return Bundle.main.bundleURL
}

/// A folder that is removed with this object.
final class TemporaryFolder {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory.appendingPathComponent("dualnorm-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  var path: String { url.path }

  func file(_ path: String) -> URL { url.appendingPathComponent(path) }

  func text(_ path: String) throws -> String { try String(contentsOf: file(path), encoding: .utf8) }
}

extension Trait where Self == TimeLimitTrait {
  /// A limit for tests that could wait forever. Slow machines with many parallel tests must not exceed it.
  static var endsSomeTime: Self { .timeLimit(.minutes(20)) }
}

/// Lines on standard error except warnings, which a barely trained network causes even with `--quiet`.
func messagesBesideWarnings(_ errors: String) -> String {
  errors.split(separator: "\n", omittingEmptySubsequences: false)
    .filter { !$0.hasPrefix("Warning: ") && !$0.hasPrefix(#"{"warning":"#) }.joined(separator: "\n")
}
