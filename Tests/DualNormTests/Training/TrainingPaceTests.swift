import Foundation
import Testing

@testable import DualNorm

/// The estimated time of a training.
@Suite struct TrainingPaceTests {
  /// The remaining steps and validations: 60 of 100 iterations of the plain stage, with validations after 50 and 100;
  /// 100 iterations of the dual stage with 2.
  @Test func secondsOfWhatIsLeft() {
    let pace = TrainingPace(
      [.plain: .init(step: 1, validation: 10), .dual: .init(step: 2, validation: 30)], validateEvery: nil)
    let stages = [(stage: Stage.plain, iterations: 100), (stage: Stage.dual, iterations: 100)]
    #expect(pace.seconds(of: stages) == 100 + 20 + 200 + 60)
    #expect(pace.seconds(of: stages, done: 40) == 60 + 20 + 200 + 60)
    #expect(pace.seconds(of: stages, done: 150) == 100 + 30)
    #expect(pace.seconds(of: stages, done: 200) == 0)
    let often = TrainingPace([.plain: .init(step: 1, validation: 10)], validateEvery: 10)
    #expect(often.seconds(of: [(.plain, 100)]) == 200)
  }

  /// Timing leaves no trace: the weights equal those of an untimed training.
  @Test func timingChangesNoBit() throws {
    let tests = TrainerTests()
    defer { try? FileManager.default.removeItem(at: tests.folder) }
    let models = try [false, true].map { isTimed in
      let (trainer, run) = try tests.trainer(in: "timed-\(isTimed)", tests.configuration())
      if isTimed {
        let pace = try trainer.pace()
        #expect(Set(pace.times.keys) == [.plain, .dual])
        #expect(pace.times.values.allSatisfy { $0.step > 0 && $0.validation > 0 })
        _ = try trainer.pace(width: 4)
      }
      _ = try trainer.train(shouldStop: { false }, progress: { _ in })
      return try Data(contentsOf: run.model)
    }
    #expect(models[0] == models[1])
  }
}
