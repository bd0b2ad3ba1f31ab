import Foundation
import Testing

@testable import DualNorm

@Suite struct TrainResumeTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// A run stopped before, in and between the stages ends with the bytes of an uninterrupted one.
  @Test(.endsSomeTime) func resumingEqualsNeverStopping() throws {
    let run = RunFolder(folder.file("run"))
    try stop(["train", "--data", Tiny.data.path, "--output", run.url.path] + Tiny.learning, run, atRow: 0)
    try stop(["train", "--resume", run.url.path, "--quiet"], run, atRow: 7)
    try stop(["train", "--resume", run.url.path, "--quiet"], run, atRow: 33)
    let end = try dualnorm("train", "--resume", run.url.path, "--quiet")
    #expect(end.status == 0 && messagesBesideWarnings(end.errors) == "")
    let uninterrupted = RunFolder(try Tiny.run)
    #expect(try Data(contentsOf: run.model) == Data(contentsOf: uninterrupted.model))
    #expect(try Data(contentsOf: run.log) == Data(contentsOf: uninterrupted.log))
    #expect(contents(of: run.url) == contents(of: uninterrupted.url))
  }

  @Test func resumingAFinishedRunChangesNothing() throws {
    let run = RunFolder(folder.file("run"))
    try FileManager.default.copyItem(at: Tiny.run, to: run.url)
    let result = try dualnorm("train", "--resume", run.url.path, "--quiet")
    #expect(result.status == 0 && messagesBesideWarnings(result.errors) == "")
    for name in contents(of: run.url) where name.contains(".") {
      let original = try Tiny.run.appendingPathComponent(name)
      #expect(try Data(contentsOf: run.url.appendingPathComponent(name)) == Data(contentsOf: original), "\(name)")
    }
  }

  @Test func refusesWhatIsNoStoppedRun() throws {
    let nowhere = folder.file("nowhere").path
    try expectRefusal(
      "\(nowhere): has no config.yaml, so no training was started there; check --resume.",
      of: ["train", "--resume", nowhere])
    let damaged = folder.file("damaged")
    try FileManager.default.copyItem(at: Tiny.run, to: damaged)
    let last = damaged.appendingPathComponent("checkpoints/last.safetensors")
    let bytes = try Data(contentsOf: last)
    try bytes.dropLast(100).write(to: last)
    let result = try dualnorm("train", "--resume", damaged.path)
    #expect(result.status == 1)
    #expect(result.errors.hasPrefix("Error: \(last.path): its header describes "))
    #expect(result.errors.hasSuffix("the file is cut short or damaged.\n"))
    try FileManager.default.copyItem(at: RunFolder(Tiny.run).model, to: folder.file("model.safetensors"))
    try FileManager.default.removeItem(at: last)
    try FileManager.default.moveItem(at: folder.file("model.safetensors"), to: last)
    try expectRefusal(
      "\(last.path): holds no training state; give a run folder that train wrote.",
      of: ["train", "--resume", damaged.path])
  }

  @Test func refusesAConfigurationThatMakesNoSense() throws {
    let run = RunFolder(folder.file("run"))
    try FileManager.default.copyItem(at: Tiny.run, to: run.url)
    var configuration = try TrainingConfiguration(yaml: run.configuration)
    configuration.averaging = 2
    try Data(configuration.yaml().utf8).write(to: run.configuration)
    try expectRefusal(
      "\(run.configuration.path): --averaging is 2.0; give 0 (none) to below 1, such as 0.99.",
      of: ["train", "--resume", run.url.path])
  }

  @Test func refusesARunWhoseDataHaveGone() throws {
    let data = try Tiny.copyOfData(to: folder.file("data"))
    let run = RunFolder(folder.file("run"))
    #expect(try dualnorm(["train", "--data", data.path, "--output", run.url.path] + Tiny.quick).status == 0)
    try FileManager.default.moveItem(at: data, to: folder.file("elsewhere"))
    try expectRefusal(
      "\(data.path): there is no such folder; check the path of the data set.",
      of: ["train", "--resume", run.url.path])
  }

  /// Runs the command and interrupts it once the log has `row` rows.
  private func stop(_ arguments: [String], _ run: RunFolder, atRow row: Int) throws {
    let command = try RunningCommand(arguments)
    while command.isRunning, try rows(of: run) < row { usleep(1000) }
    command.interrupt()
    let result = try command.finish()
    #expect(result.status == 130)
    #expect(result.errors == "Stopped; continue with: dualnorm train --resume \(run.url.path)\n")
    #expect(!FileManager.default.fileExists(atPath: run.model.path))
    #expect(try row <= rows(of: run) && rows(of: run) < 30 + 40)
  }

  /// The number of iterations in the log; -1 before the log exists.
  private func rows(of run: RunFolder) throws -> Int {
    guard let text = try? String(contentsOf: run.log, encoding: .utf8) else { return -1 }
    return text.split(separator: "\n").count - 1
  }
}
