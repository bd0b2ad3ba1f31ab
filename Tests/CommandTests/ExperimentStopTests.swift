import Foundation
import Testing

/// Experiments that are stopped or killed.
@Suite struct ExperimentStopTests {
  let folder: TemporaryFolder
  private var output: URL { folder.file("output") }

  init() throws { folder = try TemporaryFolder() }

  /// The experiment is killed while it checks, trains, evaluates and between cells. It ends with the bytes of an
  /// uninterrupted one, and no child outlives its parent by long.
  @Test(.endsSomeTime) func killedAndStartedAgainItGivesTheSameTable() throws {
    let moments: [(jobs: String, has: String)] = [
      ("1", "splits_final.json"), ("2", "cells/dual/Site-A/seed-1/checkpoints/last.safetensors"),
      ("1", "cells/bn/Site-A/seed-1/evaluation"), ("2", "cells/dual/Site-A/seed-1/results.csv"),
      ("1", "cells/bn/Site-B/seed-1/config.yaml"),
    ]
    for moment in moments {
      let command = try RunningCommand(TinyExperiment.arguments(output, "--jobs", moment.jobs, "--quiet"))
      while command.isRunning, !FileManager.default.fileExists(atPath: folder.file("output/\(moment.has)").path) {
        usleep(1000)
      }
      command.kill()
      #expect(try command.finish().status == SIGKILL)
      let killed = Date()
      while !processes(naming: output.path).isEmpty, Date().timeIntervalSince(killed) < 10 { usleep(1000) }
      #expect(Date().timeIntervalSince(killed) < 2)
    }
    let end = try dualnorm(TinyExperiment.arguments(output, "--quiet"))
    let whole = try TinyExperiment.finished
    #expect(end.status == 0 && messagesBesideWarnings(end.errors) == "")
    #expect(try end.output == TinyExperiment.table)
    for name in ["results.csv", "summary.md"] {
      #expect(
        try Data(contentsOf: folder.file("output/\(name)")) == Data(contentsOf: whole.appendingPathComponent(name)))
    }
    // A cell killed after its end leaves its lock file, which is harmless.
    #expect(contents(of: output).filter { !$0.hasSuffix("/.lock") } == contents(of: whole))
  }

  /// Ctrl-C stops the cells after their current step; the printed command resumes.
  @Test(.endsSomeTime) func interruptedItSaysHowToGoOn() throws {
    let arguments = try TinyExperiment.arguments(
      output, "--jobs", "2", "--iterations", "3000,4", "--validate-every", "3000")
    let command = try RunningCommand(arguments)
    let log = folder.file("output/cells/dual/Site-A/seed-1/log.csv")
    while command.isRunning, (try? String(contentsOf: log, encoding: .utf8).contains("\nplain,1,")) != true {
      usleep(1000)
    }
    command.interrupt()
    let result = try command.finish()
    #expect(result.status == 130 && result.output == "")
    #expect(
      result.errors.hasSuffix(
        "4 cells of 2 methods; 2 at a time with 1 thread.\nStopped; continue with: dualnorm "
          + arguments.joined(separator: " ") + "\n"))
    #expect(processes(naming: output.path).isEmpty)
    for method in ["bn", "dual"] {
      let cell = output.appendingPathComponent("cells/\(method)/Site-A/seed-1")
      #expect(FileManager.default.fileExists(atPath: cell.appendingPathComponent("checkpoints/last.safetensors").path))
    }
    try expectRefusal(
      "\(output.path): no cell is finished yet, so there is no table; go on with it first.",
      of: ["experiment", "table", output.path])
  }

  /// A cell stopped by a signal from elsewhere does not stop the experiment, which then lacks a result.
  @Test(.endsSomeTime) func aCellThatASignalStopsCountsAsFailed() throws {
    let arguments = try TinyExperiment.arguments(
      output, methods: "bn", "--jobs", "2", "--iterations", "3000,4", "--validate-every", "3000", "--quiet")
    let command = try RunningCommand(arguments)
    let logs = ["A", "B"].map { folder.file("output/cells/bn/Site-\($0)/seed-1/log.csv") }
    for log in logs {
      while command.isRunning, (try? String(contentsOf: log, encoding: .utf8).contains("\nplain,1,")) != true {
        usleep(1000)
      }
    }
    for line in processes(naming: output.path) { kill(try #require(pid_t(line.split(separator: " ")[0])), SIGTERM) }
    let result = try command.finish()
    #expect(result.status == 1 && result.output == "")
    let lines = Set(messagesBesideWarnings(result.errors).split(separator: "\n").map(String.init))
    for site in ["A", "B"] {
      let sentence = "failed: a signal stopped it; the same command again goes on with it"
      #expect(lines.contains("bn/Site-\(site)/seed-1 \(sentence)"))
    }
  }

  /// A cell that waits for another process to release its log can be stopped.
  @Test(.endsSomeTime) func aWaitingCellCanBeStopped() throws {
    try FileManager.default.copyItem(at: TinyExperiment.finished, to: output)
    let cell = output.appendingPathComponent("cells/bn/Site-A/seed-1")
    try FileManager.default.removeItem(at: cell.appendingPathComponent("results.csv"))
    let log = try FileHandle(forUpdating: cell.appendingPathComponent("cell.log"))
    #expect(flock(log.fileDescriptor, LOCK_EX | LOCK_NB) == 0)
    let command = try RunningCommand(TinyExperiment.arguments(output, "--quiet"))
    while command.isRunning, processes(naming: output.path).isEmpty { usleep(1000) }
    command.interrupt()
    #expect(try command.finish().status == 130)
    #expect(!FileManager.default.fileExists(atPath: cell.appendingPathComponent("results.csv").path))
    withExtendedLifetime(log) {}
  }

  /// Command lines of running processes that contain a path.
  private func processes(naming path: String) -> [String] {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/ps")
    process.arguments = ["-eo", "pid,args"]
    let pipe = Pipe()
    process.standardOutput = pipe
    guard (try? process.run()) != nil else { return ["ps cannot be run"] }
    let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return text.split(separator: "\n").map(String.init).filter { $0.contains(path) && $0.contains("run-cell") }
  }
}
