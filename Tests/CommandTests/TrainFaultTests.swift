import Foundation
import Testing

@testable import DualNorm

/// Faults around a training: each gives one sentence, and the run resumes from its last checkpoint after the repair.
@Suite struct TrainFaultTests {
  let folder: TemporaryFolder
  private var run: RunFolder { RunFolder(folder.file("run")) }

  init() throws { folder = try TemporaryFolder() }

  private func expectFailure(
    _ sentence: String, _ result: (status: Int32, output: String, errors: String),
    _ location: SourceLocation = #_sourceLocation
  ) {
    #expect(result.status == 1 && result.output == "", sourceLocation: location)
    #expect(result.errors == "Error: \(sentence)\n", sourceLocation: location)
  }

  private func goOn() throws {
    let end = try dualnorm(Brief.arguments(run))
    #expect(end.status == 0 && messagesBesideWarnings(end.errors) == "")
    #expect(try Brief.differences(of: run) == [])
  }

  /// The plain stage's checkpoint fits, the dual stage's does not.
  @Test func aDiskWithoutRoomForTheCheckpoint() throws {
    let size = try #require(
      FileManager.default.attributesOfItem(atPath: Brief.run.folder.last.path)[.size] as? Int)
    expectFailure(
      "\(run.last.path): cannot be written (File too large); make room for it on its disk.",
      try dualnorm(Brief.arguments(run), limits: "ulimit -f \(size / 1024 - 20)"))
    #expect(contents(of: run.checkpoints) == ["last.safetensors", "plain-best.safetensors"])
    try goOn()
  }

  /// TensorBoard's events exceed the limit first, before the first checkpoint.
  @Test func aDiskWithoutRoomForTheEvents() throws {
    let result = try dualnorm(Brief.arguments(run) + ["--validate-every", "50"], limits: "ulimit -f 8")
    #expect(result.status == 1 && result.output == "")
    #expect(result.errors.hasPrefix("Error: \(run.events.path)/events.out.tfevents."))
    #expect(result.errors.hasSuffix(": cannot be written (File too large); make room for it on its disk.\n"))
    #expect(!FileManager.default.fileExists(atPath: run.last.path))
    try expectRefusal(
      "\(run.url.path): holds a run with other options (--validate-every is 50, not 5); go on with it by dualnorm train "
        + "--resume \(run.url.path), or give a new folder for --output.", of: Brief.arguments(run))
    let configuration = try String(contentsOf: run.configuration, encoding: .utf8)
    try Data(configuration.replacingOccurrences(of: "every: 50", with: "every: 5").utf8).write(to: run.configuration)
    try goOn()
  }

  /// Root may write everywhere except here.
  @Test func aFolderThatCannotBeWritten() throws {
    let output = URL(fileURLWithPath: "/proc/run")
    expectFailure(
      "\(output.path): cannot be made; give a folder for --output that you may write to.",
      try dualnorm(["train", "--data", Tiny.data.path, "--output", output.path] + Brief.options))
  }

  /// A folder stands in the way of a file to replace.
  @Test func aCheckpointThatCannotBeReplaced() throws {
    let inTheWay = run.last
    try FileManager.default.createDirectory(at: run.url, withIntermediateDirectories: true)
    for name in ["config.yaml", "model.json", "splits.json", "facts.json"] {
      let file = try Brief.run.folder.url.appendingPathComponent(name)
      try FileManager.default.copyItem(at: file, to: run.url.appendingPathComponent(name))
    }
    let best = run.checkpoints.appendingPathComponent("plain-best.safetensors/file")
    try FileManager.default.createDirectory(at: best, withIntermediateDirectories: true)
    expectFailure(
      "\(best.deletingLastPathComponent().path): cannot be written (Is a directory); choose another output.",
      try dualnorm("train", "--resume", run.url.path, "--quiet"))
    #expect(FileManager.default.fileExists(atPath: inTheWay.path))
    try FileManager.default.removeItem(at: best.deletingLastPathComponent())
    try goOn()
  }

  /// A run with prepared volumes no longer needs the files; a resumed run does.
  @Test func filesThatVanish() throws {
    let data = try Tiny.copyOfData(to: folder.file("data"))
    let arguments = try Brief.arguments(run, data: data)
    let command = try RunningCommand(arguments + ["--memory", "0.0001"])
    while command.isRunning, !FileManager.default.fileExists(atPath: run.log.path) { usleep(500) }
    try FileManager.default.moveItem(at: data, to: folder.file("elsewhere"))
    #expect(try command.finish().status == 0)
    #expect(try Brief.differences(of: run) == [])
    try FileManager.default.moveItem(at: folder.file("elsewhere"), to: data)
    let image = data.appendingPathComponent("Site-A/Case01.nii.gz")
    try FileManager.default.removeItem(at: image)
    let list = data.appendingPathComponent("Site-A/all_list.txt")
    expectFailure(
      "\(list.path), line 2: \(image.path) does not exist; correct the entry or restore the file.",
      try dualnorm("train", "--resume", run.url.path, "--quiet"))
    let lines = try String(contentsOf: list, encoding: .utf8).split(separator: "\n").filter { !$0.contains("Case01") }
    try Data(lines.joined(separator: "\n").utf8).write(to: list)
    let result = try dualnorm("train", "--resume", run.url.path, "--quiet")
    #expect(result.status == 1)
    #expect(
      result.errors.contains(" names Site-A/Case01, which is not in the data; correct the name or add the case.\n"))
    #expect(try Brief.differences(of: run) == [])
  }

  /// A run with images exchanged before it resumes could not be repeated.
  @Test func filesThatChange() throws {
    let data = try Tiny.copyOfData(to: folder.file("data"))
    #expect(try dualnorm(Brief.arguments(run, data: data)).status == 0)
    for name in ["Site-A/Case00.nii.gz", "Site-B/Case02.nii.gz"] {
      try change(image: data.appendingPathComponent(name)) { $0[77] += 300 }
    }
    expectFailure(
      "\(run.url.path): the image or mask of Site-A/Case00 and 1 other case is another one than this run was trained on so "
        + "far; restore the files, or train anew in another folder.",
      try dualnorm("train", "--resume", run.url.path, "--iterations", "14,12", "--quiet"))
    #expect(try Brief.differences(of: run) == [])
  }

  /// The second process is told of the first and does nothing. The lock of a killed process is taken over.
  @Test func twoProcessesOnOneRun() throws {
    let arguments = try Brief.arguments(run) + ["--iterations", "4000,8"]
    let first = try RunningCommand(arguments)
    while first.isRunning, !FileManager.default.fileExists(atPath: run.log.path) { usleep(500) }
    let sentence =
      "\(run.url.path): process \(first.processIdentifier) on \(hostName) is working in it; wait until that has ended, or "
      + "stop it."
    expectFailure(sentence, try dualnorm("train", "--resume", run.url.path))
    expectFailure(sentence, try dualnorm(arguments))
    #expect(first.isRunning)
    first.send(SIGKILL)
    _ = try first.finish()
    #expect(contents(of: run.url).contains(".lock"))
    let second = try RunningCommand(arguments)
    let log = try Data(contentsOf: run.log)
    while second.isRunning, try Data(contentsOf: run.log) == log { usleep(500) }
    second.interrupt()
    #expect(try second.finish().status == 130)
    #expect(!contents(of: run.url).contains(".lock"))
  }

  /// Two experiments cannot share a folder, and nobody else can train a cell of a running experiment.
  @Test(.endsSomeTime) func twoProcessesOnOneExperiment() throws {
    let output = folder.file("output")
    let arguments = try TinyExperiment.arguments(
      output, methods: "bn", "--jobs", "1", "--iterations", "3000,4", "--validate-every", "3000", "--quiet")
    let first = try RunningCommand(arguments)
    let cell = output.appendingPathComponent("cells/bn/Site-A/seed-1")
    let log = cell.appendingPathComponent("log.csv")
    while first.isRunning, (try? String(contentsOf: log, encoding: .utf8).contains("\nplain,1,")) != true {
      usleep(500)
    }
    expectFailure(
      "\(output.path): process \(first.processIdentifier) on \(hostName) is working in it; wait until that has ended, or "
        + "stop it.", try dualnorm(arguments))
    let result = try dualnorm("train", "--resume", cell.path)
    #expect(result.status == 1 && result.errors.hasPrefix("Error: \(cell.path): process "))
    #expect(result.errors.hasSuffix(" on \(hostName) is working in it; wait until that has ended, or stop it.\n"))
    first.interrupt()
    #expect(try first.finish().status == 130)
    #expect(!contents(of: output).contains { $0.hasSuffix(".lock") })
  }
}

private var hostName: String {
  var name = [CChar](repeating: 0, count: 256)
  gethostname(&name, 255)
  return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
