import Foundation
import TestSupport
import Testing

@testable import Basics
@testable import DualNorm

/// Trainings stopped at any moment by the user, the system or a power cut.
@Suite struct TrainInterruptionTests {
  let folder: TemporaryFolder
  private var run: RunFolder { RunFolder(folder.file("run")) }

  init() throws { folder = try TemporaryFolder() }

  /// Stops a run at random: at its start, in the plain stage, while it resumes, and in the dual stage or the change to
  /// it.
  ///
  /// It resumes by `--resume` and by the same command in turn, and ends with the bytes of an uninterrupted run.
  @Test(.endsSomeTime, arguments: [SIGINT, SIGTERM, SIGKILL])
  func stoppedAtAnyMomentItEndsWithTheSameBytes(signal: Int32) throws {
    let seed = UInt64(40 + signal)
    var random = Mutator(seed: seed)
    var moments: [String] = []
    var hits = 0
    // The log rows to wait for, before some more time.
    for (turn, rows) in [nil, 1..<14, nil, 14..<21].enumerated() {
      let byResume = turn % 2 == 1 && FileManager.default.fileExists(atPath: run.configuration.path)
      let command = try RunningCommand(
        byResume ? ["train", "--resume", run.url.path, "--quiet"] : Brief.arguments(run))
      let row = rows.map { $0.lowerBound + random.next(below: $0.count) } ?? -1
      let delay = random.next(below: rows == nil ? 400_000 : 30_000)
      while command.isRunning, self.rows() < row { usleep(200) }
      usleep(UInt32(delay))
      command.send(signal)
      let result = try command.finish()
      moments.append("row \(row) and \(delay) µs: \(result.status)")
      if result.status != 0 { hits += 1 }
      try expectEnd(result, by: signal)
    }
    print("signal \(signal), seed \(seed): \(moments.joined(separator: ", "))")
    let end = try dualnorm(Brief.arguments(run))
    #expect(hits >= 3 && end.status == 0 && messagesBesideWarnings(end.errors) == "", "seed \(seed): \(moments)")
    #expect(try Brief.differences(of: run) == [], "seed \(seed): \(moments)")
  }

  /// Expects a finished run, a stopped one that prints the command to resume, or one that ended before it could listen.
  private func expectEnd(_ result: (status: Int32, output: String, errors: String), by signal: Int32) throws {
    #expect([0, signal, 128 + signal].contains(result.status))
    guard result.status == 128 + signal else {
      #expect(result.errors == "")
      return
    }
    #expect(
      [
        "Stopped; continue with: dualnorm train --resume \(run.url.path)\n",
        "Stopped before the training began; there is nothing to go on with.\n",
      ].contains(result.errors))
  }

  /// A run whose start was killed can be resumed both ways.
  @Test(arguments: [true, false]) func aStartThatWasKilledIsMadeAgain(byResume: Bool) throws {
    try FileManager.default.createDirectory(at: run.url, withIntermediateDirectories: true)
    try FileManager.default.copyItem(at: Brief.run.folder.configuration, to: run.configuration)
    try Data("{".utf8).write(to: run.url.appendingPathComponent(PartialName(process: 1).text + ".json"))
    try Data("4000000 elsewhere\n".utf8).write(to: run.url.appendingPathComponent(".lock"))
    let end = try dualnorm(byResume ? ["train", "--resume", run.url.path, "--quiet"] : Brief.arguments(run))
    #expect(end.status == 0 && messagesBesideWarnings(end.errors) == "")
    #expect(try Brief.differences(of: run) == [])
  }

  /// The terminal's end stops a run, except under nohup.
  @Test func theEndOfTheTerminal() throws {
    let long = try Brief.arguments(run) + ["--iterations", "900,8"]
    let command = try RunningCommand(long, limits: "exec env --default-signal=HUP \"$0\" \"$@\"")
    while command.isRunning, rows() < 1 { usleep(500) }
    command.send(SIGHUP)
    #expect(try command.finish().status == 129)
    let kept = try RunningCommand(["train", "--resume", run.url.path, "--quiet"], limits: "trap '' HUP")
    let before = rows()
    while kept.isRunning, rows() < before + 2 { usleep(500) }
    kept.send(SIGHUP)
    let reached = rows()
    while kept.isRunning, rows() < reached + 3 { usleep(500) }
    kept.send(SIGINT)
    #expect(try kept.finish().status == 130)
  }

  /// A second signal ends the process in the middle of a step, be it the same or not.
  @Test(arguments: [SIGINT, SIGTERM], [SIGINT, SIGTERM])
  func aSecondSignalEndsItAtOnce(first: Int32, second: Int32) throws {
    // One step takes much longer than the pause between the signals.
    let slow = ["--width", "32", "--batch-size", "48"]
    let command = try RunningCommand(Brief.arguments(run) + slow)
    while command.isRunning, rows() < 1 { usleep(500) }
    command.send(first)
    usleep(100_000)  // of two signals at once, the handler of the first could run last
    command.send(second)
    #expect(try command.finish().status == second)
  }

  @Test func otherOptionsAreNotTheSameCommand() throws {
    try FileManager.default.copyItem(at: Brief.run.folder.url, to: run.url)
    let path = run.url.path
    let goOn = "go on with it by dualnorm train --resume \(path)"
    try expectRefusal(
      "\(path): holds a run with other options (--width is 2, not 4, and 1 other option); \(goOn), or give a new folder for "
        + "--output.",
      of: Brief.arguments(run) + ["--width", "4", "--seed", "3"])
    try expectRefusal(
      "\(path): holds a run with other options (--iterations is 14,8, not 20,8); \(goOn) --iterations 20,8, or give a new "
        + "folder for --output.",
      of: Brief.arguments(run) + ["--iterations", "20,8"])
    #expect(try Brief.differences(of: run) == [])
  }

  private func rows() -> Int {
    (try? String(contentsOf: run.log, encoding: .utf8)).map { $0.split(separator: "\n").count - 1 } ?? -1
  }
}
