import Basics
import DualNorm
import Experiments
import Foundation

/// A process that runs one cell of an experiment: `dualnorm experiment run-cell`.
///
/// The child's standard input is a pipe that only this process writes to. A line asks the child to stop. The pipe's
/// end, which comes however this process ends, makes the child exit at once. The child reports its progress on standard
/// output, one line each. Its standard error is the cell's log.
final class CellProcess: @unchecked Sendable {
  let cell: ExperimentCell
  private let process = Process()
  private let input = Pipe()
  // `lock` guards the following properties; another thread reads the child's output.
  private let lock = NSLock()
  private var resumed = 0
  private var advanced = 0
  private var reached = 0
  private var error: String?
  private var warnings: [String] = []
  private var outputHasEnded = false

  init(_ cell: ExperimentCell, of experiment: Experiment, keepMasks: Bool) throws {
    self.cell = cell
    let output = Pipe()
    process.executableURL = Bundle.main.executableURL
    process.arguments =
      [
        "experiment", "run-cell", experiment.folder.path, "--method", cell.method.name, "--setting", cell.setting.name,
        "--seed", "\(cell.seed)",
      ] + (keepMasks ? ["--keep-masks"] : [])
    // Actively waiting threads would take cores from the other cells.
    process.environment = ProcessInfo.processInfo.environment.merging(["OMP_WAIT_POLICY": "passive"]) { $1 }
    process.standardInput = input
    process.standardOutput = output
    process.standardError = try Self.openLog(cell.run)
    try process.run()
    let reader = output.fileHandleForReading
    Thread.detachNewThread { [self] in read(reader) }
  }

  private static func openLog(_ run: RunFolder) throws -> FileHandle {
    let codeOfFolder = codeOfMaking(run.url)
    guard codeOfFolder == 0 else {
      throw Refusal(
        .input, run.url.path, "this folder cannot be made\(readOnlyDisk(codeOfFolder))", remedy: "check --output")
    }
    // A link would make another file grow, and a pipe would wait for a reader.
    let flags = O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC
    let descriptor = open(run.cellLog.path, flags, 0o644)
    let code = errno
    guard descriptor >= 0 else {
      throw Refusal(
        .input, run.cellLog.path, "cannot be written (\(String(cString: strerror(code))))", remedy: "check --output")
    }
    return FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
  }

  /// Asks the child to stop after its current step.
  func stop() { try? input.fileHandleForWriting.write(contentsOf: Data("stop\n".utf8)) }

  /// Tells whether the child has exited and all its output was read.
  var hasEnded: Bool { lock.withLock { outputHasEnded } && !process.isRunning }

  /// Tells whether the child stopped on request, of this process or by a signal to the child.
  var wasStopped: Bool { process.terminationReason == .exit && process.terminationStatus == CellReport.stoppedStatus }

  /// The reason why the child ended without a result.
  var failure: String {
    if wasStopped { return "a signal stopped it; the same command again goes on with it" }
    return lock.withLock { error }
      ?? "it ended unexpectedly (\(process.terminationReason == .exit ? "exit code" : "signal") "
      + "\(process.terminationStatus)); see \(cell.run.cellLog.path)"
  }

  /// The number of finished steps, including those of earlier starts.
  var steps: Int { lock.withLock { reached } }

  /// Returns the steps since the last call: those of an earlier start, and new ones.
  func takeSteps() -> (resumed: Int, advanced: Int) {
    lock.withLock {
      defer { (resumed, advanced) = (0, 0) }
      return (resumed, advanced)
    }
  }

  /// Returns the warnings since the last call.
  func takeWarnings() -> [String] {
    lock.withLock {
      defer { warnings = [] }
      return warnings
    }
  }

  private func read(_ handle: FileHandle) {
    var pending = Data()
    while case let data = handle.availableData, !data.isEmpty {
      pending += data
      while let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
        take(String(decoding: pending[..<end], as: UTF8.self))
        pending = Data(pending[(end + 1)...])
      }
    }
    lock.withLock { outputHasEnded = true }
  }

  private func take(_ line: String) {
    guard let report = CellReport(line) else { return }
    lock.withLock {
      switch report {
      case .resumed(let count):
        resumed += count - reached
        reached = count
      case .done(let count):
        advanced += count - reached
        reached = count
      case .error(let sentence): error = sentence
      case .warning(let sentence): warnings.append(sentence)
      }
    }
  }
}
