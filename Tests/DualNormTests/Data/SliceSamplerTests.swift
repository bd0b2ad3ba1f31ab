import Testing

@testable import DualNorm

@Suite struct SliceSamplerTests {
  private func slices(volume: Int, count: Int) -> [SliceSampler.Slice] {
    (0..<count).map { SliceSampler.Slice(volume: volume, z: $0) }
  }

  @Test func everyBatchHoldsEquallyManySlicesOfEachSite() {
    let sampler = SliceSampler(sites: [slices(volume: 0, count: 50), slices(volume: 1, count: 3)], seed: 1)
    for index in 0..<40 {
      let batch = sampler.batch(index, size: 6)
      #expect(batch.count { $0.volume == 0 } == 3)
    }
  }

  @Test func everySliceComesOnceBeforeAnyRepeats() {
    let sampler = SliceSampler(sites: [slices(volume: 0, count: 7)], seed: 1)
    let drawn = (0..<3).flatMap { sampler.batch($0, size: 7) }
    for round in 0..<3 { #expect(Set(drawn[round * 7..<round * 7 + 7]).count == 7) }
    #expect(drawn[0..<7] != drawn[7..<14])
  }

  @Test func aBatchDependsOnSeedAndIndexOnly() {
    let sites = [slices(volume: 0, count: 20)]
    let sampler = SliceSampler(sites: sites, seed: 1)
    #expect(sampler.batch(5, size: 4) == SliceSampler(sites: sites, seed: 1).batch(5, size: 4))
    #expect(sampler.batch(5, size: 4) != SliceSampler(sites: sites, seed: 2).batch(5, size: 4))
  }

  @Test func foregroundGetsItsShareAndEveryOtherSliceStillComes() {
    let slices = (0..<20).map { SliceSampler.Slice(volume: 0, z: $0, hasForeground: $0 < 4) }
    let sampler = SliceSampler(sites: [slices], foregroundShare: 0.5, seed: 1)
    let drawn = sampler.batch(0, size: 40)
    #expect(drawn.indices.filter { $0 % 2 == 1 }.allSatisfy { drawn[$0].hasForeground })
    #expect(Set(drawn.indices.filter { $0 % 2 == 0 }.map { drawn[$0].z }).count == 20)
  }

  @Test func aSiteWithoutForegroundIsDrawnFromAllTheSame() {
    let sampler = SliceSampler(sites: [slices(volume: 0, count: 5)], foregroundShare: 0.5, seed: 1)
    #expect(Set(sampler.batch(0, size: 5).map(\.z)).count == 5)
  }
}
