import Basics
import Foundation
import MedicalImaging
import Testing
import Torch

@testable import Datasets
@testable import DualNorm
@testable import DualNormCLI

/// `train --time`: width and iterations chosen by measured steps.
@Suite struct TrainTimeTests {
  private static func pace(_ step: Double, validation: Double = 0) -> TrainingPace {
    TrainingPace(
      [.plain: .init(step: step, validation: validation), .dual: .init(step: 2 * step, validation: validation)],
      validateEvery: nil)
  }

  private func choose(
    _ seconds: Double, _ asked: StageIterations = [4000, 2000], widths: [Int] = [32, 16, 8],
    _ pace: (Int) -> TrainingPace
  ) throws -> TimedTraining {
    try TimedTraining(seconds: seconds, of: "20m", asked, widths: widths, pace: pace)
  }

  @Test func theTimeIsUsedAndKept() throws {
    let pace = Self.pace(0.1, validation: 2)
    let choice = try choose(1000) { _ in pace }
    #expect(choice.width == 32 && choice.seconds <= 1000 && choice.seconds > 990)
    #expect(abs(Double(choice.iterations.plain) / Double(choice.iterations.dual) - 2) < 0.01)
    // One more iteration would not fit.
    let more = StageIterations(plain: choice.iterations.plain + 3, dual: choice.iterations.dual + 2)
    #expect(pace.seconds(of: [(.plain, more.plain), (.dual, more.dual)]) > 1000)
  }

  @Test func aNarrowerNetworkTrainsForEnoughIterations() throws {
    // Steps of 1, 0.4 and 0.1 s: 600 s hold 450, 1125 and 4500 iterations.
    let choice = try choose(600) { Self.pace([32: 1, 16: 0.4, 8: 0.1][$0]!) }
    #expect(choice.width == 8 && choice.iterations.total > 2000)
    let least = try choose(60) { Self.pace([32: 1, 16: 0.4, 8: 0.1][$0]!) }
    #expect(least.width == 8 && (400...460).contains(least.iterations.total))
    #expect(try choose(6000) { Self.pace([32: 1, 16: 0.4, 8: 0.1][$0]!) }.width == 32)
  }

  @Test func withoutADualStageAllIterationsArePlain() throws {
    let choice = try choose(100, [4000, 0]) { _ in Self.pace(0.01) }
    #expect(choice.iterations.dual == 0 && (9990...10000).contains(choice.iterations.plain))
  }

  @Test func aTimeShorterThanAValidationIsRefused() throws {
    let error = #expect(throws: Refusal.self) { try choose(5) { _ in Self.pace(0.1, validation: 30) } }
    let sentence = try #require(error.map { "\($0)" })
    #expect(
      sentence.contains("--time is 20m, and one iteration of each stage with its validation takes about 61 s")
        && sentence.contains("5 s are left after the data were read"), "\(sentence)")
  }

  /// Memory limits the width before any step is measured.
  @Test func theWidestNetworkThatTheMemoryHoldsIsTriedFirst() throws {
    let dataset = try Dataset(contentsOf: Tiny.data)
    let data = CheckedData(dataset: dataset, facts: DataCheck.run(on: dataset).facts)
    var configuration = TrainingConfiguration()
    (configuration.width, configuration.precision, configuration.device) = (32, .float32, .cpu)
    let split = try configuration.split(of: dataset.cases)
    let network = try configuration.description(of: split, data: data).network
    let window = [32, 32]
    // More windows than the memory holds at a width of 32, and fewer than at 16.
    let bytes = StepMemory(network, rows: 1, .float32).bytes(window)
    let rows = Int(1.5 * Double(VolumeMemory.ofMachine) / bytes)
    configuration.batchSize = rows
    let fitting = try configuration.withRoom(of: split, data: data, choosesWidth: true)
    #expect(fitting.configuration.width == 16 && fitting.description.network.width == 16)
    #expect(fitting.configuration.timedWidths == [16, 8])
    // A width that the user gave stays, and a network that is too large at any width is refused.
    for (factor, choosesWidth) in [(1, false), (8, true)] {
      configuration.batchSize = factor * rows
      let error = #expect(throws: Refusal.self) {
        try configuration.withRoom(of: split, data: data, choosesWidth: choosesWidth)
      }
      #expect(error.map { "\($0)" }?.contains("a step of ") == true)
    }
    configuration.batchSize = 2
    #expect(try configuration.withRoom(of: split, data: data, choosesWidth: true).configuration.width == 32)
  }

  @Test func aRunRecordsItsChoiceAndGoesOnWithIt() throws {
    let folder = try TemporaryFolder()
    let run = RunFolder(folder.file("run"))
    let arguments = [
      "train", "--data", try Tiny.data.path, "--output", run.url.path, "--time", "4s", "--threads", "1", "--precision",
      "float32", "--dual-blocks", "none",
    ]
    let result = try dualnorm(arguments + ["--batch-size", "2"])
    #expect(result.status == 0 && result.errors.contains("Time: 4s chooses a width of "), "\(result.errors)")
    let configuration = try TrainingConfiguration(yaml: run.configuration)
    #expect(configuration.iterations.dual == 0 && configuration.iterations.plain != 4000)
    #expect(try run.readDescription().network.width == configuration.width)
    let rows = try String(contentsOf: run.log, encoding: .utf8).split(separator: "\n")
    #expect(rows.count == 1 + configuration.iterations.plain)
    // The same command does not choose again.
    let again = try dualnorm(arguments + ["--batch-size", "2"])
    #expect(again.status == 0 && !again.errors.contains("chooses"), "\(again.errors)")
    #expect(try TrainingConfiguration(yaml: run.configuration) == configuration)
    let other = try dualnorm(arguments + ["--batch-size", "4"])
    #expect(other.status == 1 && other.errors.contains("--batch-size is 2, not 4"), "\(other.errors)")
  }

  @Test(arguments: [
    (["--iterations", "5,5"], "--time chooses the iterations; leave --iterations out."),
    (["--time", "20"], "'20' is invalid for '--time <duration>'"),
    (["--time", "0m"], "'0m' is invalid for '--time <duration>'"),
  ])
  func wrongUsage(options: [String], sentence: String) throws {
    let folder = try TemporaryFolder()
    let result = try dualnorm(
      ["train", "--data", Tiny.data.path, "--output", folder.file("run").path]
        + (options[0] == "--time" ? options : ["--time", "5s"] + options))
    #expect(result.status == 64 && result.errors.contains(sentence), "\(result.errors)")
  }

  /// Before the time is divided, the run has iterations that nobody chose, so `--resume` is no advice.
  @Test(.endsSomeTime) func aStopBeforeTheChoiceBeginsAgain() throws {
    let folder = try TemporaryFolder()
    let run = RunFolder(folder.file("run"))
    let command = try RunningCommand([
      "train", "--data", Tiny.data.path, "--output", run.url.path, "--time", "9s", "--width", "64", "--threads", "1",
      "--precision", "float32", "--quiet",
    ])
    while command.isRunning, !run.isBegun { usleep(200) }
    command.interrupt()
    let result = try command.finish()
    #expect(result.status == 130, "\(result.errors)")
    #expect(
      messagesBesideWarnings(result.errors)
        == "Stopped before --time chose the iterations; the same command begins again.\n")
  }

  @Test func unitsOfTime() {
    #expect(TimeLimit(argument: "90s")?.seconds == 90 && TimeLimit(argument: "1.5h")?.seconds == 5400)
    #expect(TimeLimit(argument: "20m")?.seconds == 1200 && TimeLimit(argument: "m") == nil)
  }
}
