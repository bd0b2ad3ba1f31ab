import Foundation
import Testing
import Torch

@testable import Basics
@testable import DualNorm

/// Faults during training do not get into the checkpoint.
extension TrainerTests {
  /// Changes a tensor of the last checkpoint, like an exploding gradient.
  private func spoil(_ run: RunFolder, _ prefix: String, with value: Float) throws {
    let file = try Safetensors.read(run.last)
    let place = try #require(file.tensors.firstIndex { $0.name.hasPrefix(prefix) && !$0.name.contains("step/") })
    var tensors = file.tensors
    let old = tensors[place].tensor
    tensors[place].tensor = Tensor([Float](repeating: value, count: old.shape.reduce(1, *)), shape: old.shape).stored
    try Safetensors(tensors: tensors, metadata: file.metadata).write(to: run.last)
  }

  /// Trains three iterations, which the checkpoint holds.
  private func stopped(_ configuration: TrainingConfiguration) throws -> RunFolder {
    let (trainer, run) = try trainer(in: "run", configuration)
    var done = 0
    #expect(try !trainer.train(shouldStop: { done >= 3 }, progress: { _ in done += 1 }))
    return run
  }

  @Test func aLossThatIsNoNumberStopsBeforeTheCheckpointIsWritten() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let run = try stopped(configuration())
    try spoil(run, "model/outc.conv.2.weight", with: .nan)
    let before = try Data(contentsOf: run.last)
    let error = try #require(throws: Refusal.self) {
      try trainer(in: "run", configuration()).0.train(shouldStop: { true }, progress: { _ in })
    }
    #expect(
      error.description.wholeMatch(
        of:
          /The loss is no longer a number at iteration 4 of the plain stage, on slices of [AB]\/Case\d(, [AB]\/Case\d)*; check these cases or lower --learning-rate. The last checkpoint is intact./
      ) != nil, "\(error)")
    #expect(try Data(contentsOf: run.last) == before)
    let log = try String(contentsOf: run.log, encoding: .utf8)
    #expect(log.split(separator: "\n").count == 4 && !log.contains("nan") && !log.contains("inf"))
  }

  /// The loss is finite, but the following step makes weights that are not.
  @Test func weightsThatAreNoNumbersStopBeforeTheCheckpointIsWritten() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let run = try stopped(configuration())
    try spoil(run, "optimizer/first/inc.block.conv_0.weight", with: .infinity)
    let before = try Data(contentsOf: run.last)
    let error = try #require(throws: Refusal.self) {
      try trainer(in: "run", configuration()).0.train(shouldStop: { true }, progress: { _ in })
    }
    #expect(
      error.description.wholeMatch(
        of:
          /The weights \(inc.block.conv_0.weight\) are no longer numbers after iteration 4 of the plain stage, on slices of [AB]\/Case\d(, [AB]\/Case\d)*; check these cases or lower --learning-rate. The last checkpoint is intact./
      ) != nil, "\(error)")
    #expect(try Data(contentsOf: run.last) == before)
  }

  /// The loader's thread reads volumes from files on a failing disk.
  #if os(Linux)
    @Test func volumesThatCannotBeReadBack() throws {
      defer { try? FileManager.default.removeItem(at: folder) }
      let long = configuration(iterations: [20, 4])
      let (whole, wholeRun) = try trainer(in: "whole", long)
      #expect(try whole.train(shouldStop: never, progress: { _ in }))
      let (trainer, run) = try trainer(in: "run", long, inFiles: true)
      var iterations = 0
      let error = try #require(throws: Refusal.self) {
        try trainer.train(shouldStop: never) { report in
          iterations = report.iteration
          if iterations == 5 { for file in try nameless(in: run.url) { #expect(truncate(file, 0) == 0) } }
        }
      }
      #expect(
        error.description
          == "Prepared volumes, which wait in files of the run folder, cannot be read back; check its disk, or "
          + "raise --memory so that they stay in memory.")
      // The loader is at most four batches ahead.
      #expect((5...10).contains(iterations))
      let state = try #require(try Checkpoint.state(of: run))
      #expect(state.iteration == 4 || state.iteration == 8)
      #expect(try self.trainer(in: "run", long).0.train(shouldStop: never, progress: { _ in }))
      #expect(try Data(contentsOf: run.model) == Data(contentsOf: wholeRun.model))
      #expect(try Data(contentsOf: run.log) == Data(contentsOf: wholeRun.log))
    }

    /// Open files of this process that no longer have a name in a folder.
    private func nameless(in folder: URL) throws -> [String] {
      let descriptors = "/proc/self/fd"
      return try FileManager.default.contentsOfDirectory(atPath: descriptors).map { "\(descriptors)/\($0)" }.filter {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: $0))?.hasPrefix(folder.path + "/.prepared-") == true
      }
    }
  #endif

  /// A run killed between writing the checkpoint and the best weights writes the best weights again.
  @Test(arguments: [4, 6, 10]) func theBestWeightsAreInTheCheckpointToo(row: Int) throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let (whole, wholeRun) = try trainer(in: "whole", configuration())
    #expect(try whole.train(shouldStop: never, progress: { _ in }))
    let (trainer, run) = try trainer(in: "run", configuration())
    var done = 0
    #expect(try !trainer.train(shouldStop: { done >= row }, progress: { _ in done += 1 }))
    let state = try #require(try Checkpoint.state(of: run))
    let best = run.best(state.stage)
    if state.bestIteration == state.iteration { try FileManager.default.removeItem(at: best) }
    #expect(try self.trainer(in: "run", configuration()).0.train(shouldStop: never, progress: { _ in }))
    #expect(try Data(contentsOf: run.model) == Data(contentsOf: wholeRun.model))
  }

  /// A run stopped after every iteration ends with the bytes of an uninterrupted one.
  @Test func everyIterationIsAPlaceToStop() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let (whole, wholeRun) = try trainer(in: "whole", configuration())
    #expect(try whole.train(shouldStop: never, progress: { _ in }))
    var reached: [Int] = []
    for _ in 0..<12 {
      let before = reached.count
      _ = try trainer(in: "run", configuration()).0.train(
        shouldStop: { reached.count > before }, progress: { reached.append($0.iteration) })
    }
    #expect(reached == [1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6])
    let run = RunFolder(folder.appendingPathComponent("run"))
    for (own, other) in [(run.model, wholeRun.model), (run.last, wholeRun.last), (run.log, wholeRun.log)] {
      #expect(try Data(contentsOf: own) == Data(contentsOf: other), "\(own.lastPathComponent)")
    }
  }

  @Test func longPausesBetweenValidationsHaveCheckpointsToo() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    var rare = configuration()
    rare.validateEvery = 100
    let (trainer, run) = try trainer(in: "run", rare)
    trainer.recorder.secondsBetweenCheckpoints = 0
    var reached: [Int] = []
    #expect(
      try trainer.train(shouldStop: never) { _ in reached.append(try Checkpoint.state(of: run)?.iteration ?? 0) })
    #expect(reached == [0, 1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5])
  }

  /// Counts that no training can reach are refused instead of trapping.
  @Test func statesThatNoTrainingWrites() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    var averaged = configuration()
    averaged.averaging = 0.9
    let run = try stopped(averaged)
    let whole = try Safetensors.read(run.last)
    for (old, new) in [
      ("\"iteration\":3", "\"iteration\":-3"), ("\"iteration\":3", "\"iteration\":9000000000000000000"),
    ] {
      let state = try #require(whole.metadata["state"]).replacingOccurrences(of: old, with: new)
      try Safetensors(tensors: whole.tensors, metadata: ["state": state]).write(to: run.last)
      #expect(
        throws: Refusal(
          .input, sentence: "\(run.last.path): holds no training state; give a run folder that train wrote.")
      ) {
        try trainer(in: "run", averaged)
      }
    }
    for value in [Float.nan, -1, 1e30] {
      for name in ["optimizer/step/", "average/updates"] {
        let tensors = whole.tensors.map { entry in
          entry.name.hasPrefix(name) ? (name: entry.name, tensor: Tensor([value], shape: []).stored) : entry
        }
        try Safetensors(tensors: tensors, metadata: whole.metadata).write(to: run.last)
        #expect(throws: Refusal.self) {
          try trainer(in: "run", averaged).0.train(shouldStop: never, progress: { _ in })
        }
      }
    }
  }
}
