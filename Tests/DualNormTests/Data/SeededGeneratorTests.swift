import Foundation
import Testing

@testable import Basics

@Suite struct SeededGeneratorTests {
  @Test func aSeedGivesTheSameNumbersForever() {
    var generator = SeededGenerator(seed: 0)
    // SplitMix64's published first outputs for seed 0.
    #expect(generator.next() == 0xE220_A839_7B1D_CDAF)
    #expect(generator.next() == 0x6E78_9E6A_A1B9_65F4)
    #expect(generator.next() == 0x06C4_5D18_8009_454F)
  }

  @Test func streamsDifferInSeedAndEveryIndex() {
    let streams = [
      SeededGenerator.stream(seed: 1), .stream(seed: 2), .stream(seed: 1, 0), .stream(seed: 1, 1),
      .stream(seed: 1, 0, 0), .stream(seed: 1, 0, 1), .stream(seed: 1, 1, 0), .stream(seed: 1, -1),
    ]
    let first = Set(
      streams.map { stream -> UInt64 in
        var stream = stream
        return stream.next()
      })
    #expect(first.count == streams.count)
    #expect(SeededGenerator.stream(seed: 1, 0, 1) == .stream(seed: 1, 0, 1))
  }

  @Test func uniformAndNormalHaveTheirMoments() {
    var generator = SeededGenerator(seed: 3)
    let count = 100_000
    let uniform = (0..<count).map { _ in generator.uniform() }
    let normal = (0..<count).map { _ in generator.normal() }
    func moments(_ values: [Double]) -> (mean: Double, variance: Double) {
      let mean = values.reduce(0, +) / Double(count)
      return (mean, values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(count))
    }
    #expect(uniform.allSatisfy { $0 >= 0 && $0 < 1 })
    #expect(abs(moments(uniform).mean - 0.5) < 0.005 && abs(moments(uniform).variance - 1 / 12.0) < 0.002)
    #expect(abs(moments(normal).mean) < 0.015 && abs(moments(normal).variance - 1) < 0.02)
  }

  @Test func integersAndShufflesReachEverything() {
    var generator = SeededGenerator(seed: 4)
    let drawn = (0..<1000).map { _ in generator.integer(below: 7) }
    #expect(Set(drawn) == Set(0..<7))
    let orders = Set((0..<500).map { _ in generator.shuffled([1, 2, 3]) })
    #expect(orders.count == 6)
    #expect(generator.integer(below: 1) == 0)
  }

  @Test func theStateSurvivesJSON() throws {
    var generator = SeededGenerator(seed: 5)
    _ = generator.next()
    var copy = try JSONDecoder().decode(SeededGenerator.self, from: JSONEncoder().encode(generator))
    #expect(copy.next() == generator.next())
  }
}
