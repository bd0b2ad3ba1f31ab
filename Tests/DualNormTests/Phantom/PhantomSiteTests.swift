import MedicalImaging
import Testing

@testable import Datasets

@Suite struct PhantomSiteTests {
  @Test func namesAreLetters() {
    #expect(PhantomSite(index: 0).name == "Site-A")
    #expect(PhantomSite(index: 25).name == "Site-Z")
  }

  @Test func moreSitesThanPresetsAreDrawnFromTheSeed() {
    let six = PhantomSite.training(count: 6, seed: 1)
    #expect(six.map(\.index) == [0, 1, 2, 3, 4, 5])
    #expect(Array(six.prefix(5)) == PhantomSite.training(count: 5, seed: 1))
    #expect(Set(six.map(\.gain)).count == 6)
    let others = PhantomSite.training(count: 6, seed: 2)
    #expect(Array(others.prefix(3)) == Array(six.prefix(3)))
    #expect(others[3] != six[3] && others[3] != others[4])
  }

  /// Any two sites differ in mean or standard deviation by more than a third of the larger deviation.
  @Test func statisticsDifferBetweenSites() throws {
    let phantom = try PhantomTests.phantom()
    let statistics = PhantomTests.sites.map { site in
      let voxels = (0..<3).flatMap { phantom.makeCase($0, of: site).image.voxels }
      let mean = voxels.reduce(0, +) / Float(voxels.count)
      let variance = voxels.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / Float(voxels.count)
      return (mean: mean, deviation: variance.squareRoot())
    }
    for (index, one) in statistics.enumerated() {
      for other in statistics.dropFirst(index + 1) {
        let difference = max(abs(one.mean - other.mean), abs(one.deviation - other.deviation))
        #expect(3 * difference > max(one.deviation, other.deviation))
      }
    }
  }

  /// After z-score normalization, no intensity window finds the foreground of all sites.
  @Test func noThresholdSegments() throws {
    let phantom = try PhantomTests.phantom(size: [48, 48, 8])
    var foreground = [Double](repeating: 0, count: 80)  // per bin of 0.1 standard deviations from −3
    var all = foreground
    for site in PhantomTests.sites {
      for number in 0..<2 {
        let (image, labels) = phantom.makeCase(number, of: site)
        for (value, label) in zip(whitened(image.voxels), labels.voxels) {
          let bin = min(max(Int((value + 3) * 10), 0), 79)
          all[bin] += 1
          if label > 0 { foreground[bin] += 1 }
        }
      }
    }
    let truth = foreground.reduce(0, +)
    var best = 0.0
    for low in 0..<80 {
      for high in low..<80 {
        let (hit, taken) = (foreground[low...high].reduce(0, +), all[low...high].reduce(0, +))
        best = max(best, 2 * hit / (truth + taken))
      }
    }
    #expect(0.2...0.7 ~= best, "the best window has Dice \(best)")
  }

  private func whitened(_ voxels: [Float]) -> [Float] {
    let mean = voxels.reduce(0, +) / Float(voxels.count)
    let variance = voxels.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / Float(voxels.count)
    return voxels.map { ($0 - mean) / variance.squareRoot() }
  }
}
