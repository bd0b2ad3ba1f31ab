import Testing

@testable import DualNorm

@Suite struct LearningRateScheduleTests {
  @Test func cosineGoesFromTheBaseToAHundredthOfIt() {
    var schedule = LearningRateSchedule(.cosine, base: 1e-3)
    #expect(schedule.rate == 1e-3)
    schedule.finish(iteration: 50, of: 100, hardDiceLoss: 1)
    #expect(abs(schedule.rate - 1e-3 * (0.01 + 0.99 * 0.5)) < 1e-12)
    schedule.finish(iteration: 100, of: 100, hardDiceLoss: 1)
    #expect(abs(schedule.rate - 1e-5) < 1e-12)
  }

  /// PyTorch's ReduceLROnPlateau(factor 0.5, patience 5) after 1, 0.9 and then repeated 0.9.
  @Test func plateauHalvesAfterSixChecksWithoutProgress() {
    var schedule = LearningRateSchedule(.plateau, base: 1e-3)
    var iteration = 0
    func check(_ loss: Double) {
      for _ in 0..<50 {
        iteration += 1
        schedule.finish(iteration: iteration, of: 10_000, hardDiceLoss: loss)
      }
    }
    check(1)
    for _ in 0..<6 { check(0.9) }
    #expect(schedule.rate == 1e-3)
    check(0.9)
    #expect(schedule.rate == 5e-4)
    for _ in 0..<6 { check(0.9) }
    #expect(schedule.rate == 2.5e-4)
    check(0.8)
    for _ in 0..<5 { check(0.8) }
    #expect(schedule.rate == 2.5e-4)
    for _ in 0..<200 { check(0.8) }
    #expect(schedule.rate > 0.5e-5 && schedule.rate <= 1e-5)  // no checks after this point
  }
}
