import Foundation
import Testing

@testable import DualNorm

/// The command `train --resume RUN --iterations PLAIN,DUAL`.
@Suite struct TrainExtensionTests {
  let folder: TemporaryFolder
  private var run: RunFolder { RunFolder(folder.file("run")) }

  init() throws { folder = try TemporaryFolder() }

  private let options =
    "--width 2 --batch-size 2 --validate-every 4 --averaging 0.9 --threads 1 --quiet".split(separator: " ").map(
      String.init)

  private func train(_ run: RunFolder, _ iterations: String, _ more: String...) throws {
    let result = try dualnorm(
      ["train", "--data", Tiny.data.path, "--output", run.url.path, "--iterations", iterations] + options + more)
    #expect(result.status == 0 && messagesBesideWarnings(result.errors) == "")
  }

  private func extend(_ iterations: String) throws {
    let result = try dualnorm("train", "--resume", run.url.path, "--iterations", iterations, "--quiet")
    #expect(result.status == 0 && messagesBesideWarnings(result.errors) == "")
  }

  /// A plateau schedule does not depend on the length: training for 8 and then up to 16 equals training for 16.
  @Test func withAPlateauTheLengthMakesNoDifference() throws {
    let whole = RunFolder(folder.file("whole"))
    try train(whole, "16,12", "--schedule", "plateau")
    try train(run, "8,0", "--schedule", "plateau")
    try extend("16,0")
    try extend("16,4")
    try extend("16,12")
    for name in contents(of: whole.url) where name.contains(".") {
      #expect(
        try Data(contentsOf: run.url.appendingPathComponent(name))
          == Data(contentsOf: whole.url.appendingPathComponent(name)), "\(name)")
    }
    #expect(contents(of: run.url) == contents(of: whole.url))
  }

  /// From the present iteration, the rate follows the new length.
  @Test func aCosineIsThatOfTheNewLength() throws {
    try train(run, "8,0")
    try extend("20,0")
    for (index, rate) in try rates().enumerated() {
      let total = index < 8 ? 8.0 : 20
      let expected = 1e-3 * (0.01 + 0.99 * 0.5 * (1 + cos(.pi * Double(index) / total)))
      #expect(abs(rate - expected) < 1e-15, "iteration \(index + 1)")
    }
    #expect(try rates().count == 20)
  }

  /// An extended run that is stopped again ends with the bytes of an uninterrupted one.
  @Test func anExtendedRunIsAsExactAsAnyOther() throws {
    let stopped = RunFolder(folder.file("stopped"))
    try train(run, "8,4")
    try FileManager.default.copyItem(at: run.url, to: stopped.url)
    try extend("8,12")
    let command = try RunningCommand(["train", "--resume", stopped.url.path, "--iterations", "8,12", "--quiet"])
    while command.isRunning, try !String(contentsOf: stopped.log, encoding: .utf8).contains("dual,6,") { usleep(500) }
    command.send(SIGKILL)
    _ = try command.finish()
    // The run remembers its new iterations.
    #expect(try dualnorm("train", "--resume", stopped.url.path, "--quiet").status == 0)
    for file in ["model.safetensors", "log.csv", "config.yaml"] {
      #expect(
        try Data(contentsOf: run.url.appendingPathComponent(file))
          == Data(contentsOf: stopped.url.appendingPathComponent(file)), "\(file)")
    }
  }

  @Test func refusesFewerThanAreDone() throws {
    try train(run, "8,6")
    let before = try Data(contentsOf: run.last)
    for (iterations, sentence) in [
      ("8,5", "--iterations is 8,5, and this run has done 6 of its dual stage; give more than that for it."),
      ("10,6", "--iterations is 10,6, and the plain stage of this run is over after 8; give that number for it."),
      ("4,9", "--iterations is 4,9, and the plain stage of this run is over after 8; give that number for it."),
      (
        "9",
        "--iterations is 9; give two numbers, of the plain and of the dual stage, for example 4000,2000 (0 skips a stage)."
      ),
    ] {
      try expectRefusal(sentence, of: ["train", "--resume", run.url.path, "--iterations", iterations])
    }
    try expectRefusal(
      "--resume takes all options but --iterations from the run; leave the others out.", status: 64,
      of: ["train", "--resume", run.url.path, "--iterations", "8,9", "--width", "3"])
    #expect(try Data(contentsOf: run.last) == before)
    #expect(try TrainingConfiguration(yaml: run.configuration).iterations == [8, 6])
  }

  /// An unfinished stage can be shortened.
  @Test func aStageCanBeCutShort() throws {
    let command = try RunningCommand(
      ["train", "--data", Tiny.data.path, "--output", run.url.path, "--iterations", "4000,4"] + options)
    while command.isRunning, (try? String(contentsOf: run.log, encoding: .utf8).contains("plain,2,")) != true {
      usleep(500)
    }
    command.interrupt()
    #expect(try command.finish().status == 130)
    let done = try rates().count
    try extend("\(done + 2),4")
    #expect(try rates().count == done + 6)
  }

  private func rates() throws -> [Double] {
    try String(contentsOf: run.log, encoding: .utf8).split(separator: "\n").dropFirst().compactMap {
      Double($0.split(separator: ",", omittingEmptySubsequences: false)[2])
    }
  }
}

extension RunFolder {
  /// The checkpoint of a stopped run.
  var last: URL { checkpoints.appendingPathComponent("last.safetensors") }
}
