import MedicalImaging
import Testing

@testable import Datasets

@Suite struct PhantomTests {
  static let sites = PhantomSite.training(count: 3, seed: 1) + [PhantomSite.unseen(index: 3)]

  static func phantom(classes: Int = 2, size: SIMD3<Int> = [32, 32, 8], seed: UInt64 = 1) throws -> Phantom {
    try Phantom(PhantomConfiguration(sites: sites, cases: 0..<4, size: size, foregroundClasses: classes, seed: seed))
  }

  @Test func aCaseDependsOnSeedSiteAndNumberOnly() throws {
    let site = PhantomTests.sites[1]
    let one = try PhantomTests.phantom().makeCase(2, of: site)
    let configuration = PhantomConfiguration(sites: [site], cases: 2..<3, size: [32, 32, 8], seed: 1)
    let same = try Phantom(configuration).makeCase(2, of: site)
    #expect(one.image == same.image && one.labels == same.labels)

    let others = [
      try PhantomTests.phantom(seed: 2).makeCase(2, of: site), try PhantomTests.phantom().makeCase(1, of: site),
      try PhantomTests.phantom().makeCase(2, of: PhantomTests.sites[0]),
    ]
    for other in others { #expect(other.image.voxels != one.image.voxels && other.labels.voxels != one.labels.voxels) }
  }

  @Test func everyCaseHasEveryClass() throws {
    for seed in 1...4 as ClosedRange<UInt64> {
      let phantom = try PhantomTests.phantom(classes: 3, size: [32, 32, 4], seed: seed)
      for site in PhantomTests.sites {
        for number in 0..<3 {
          let labels = phantom.makeCase(number, of: site).labels.voxels
          for label in 0...3 { #expect(labels.count { $0 == label } >= 20, "\(site.name) \(number): \(label)") }
        }
      }
    }
  }

  @Test func fewerClassesAreTheSamePatient() throws {
    let one = try PhantomTests.phantom(classes: 1).makeCase(0, of: PhantomTests.sites[0])
    let two = try PhantomTests.phantom(classes: 2).makeCase(0, of: PhantomTests.sites[0])
    let three = try PhantomTests.phantom(classes: 3).makeCase(0, of: PhantomTests.sites[0])
    #expect(one.image == three.image && two.image == three.image)
    #expect(one.labels.voxels == three.labels.voxels.map { $0 == 1 ? 1 : 0 })
    #expect(two.labels.voxels == three.labels.voxels.map { $0 == 3 ? 0 : $0 })
  }

  @Test func theNeighbourTouchesTheOrgan() throws {
    for site in PhantomTests.sites {
      let labels = try PhantomTests.phantom().makeCase(0, of: site).labels
      let width = labels.geometry.size.x
      let contacts = labels.voxels.indices.dropLast(width).count {
        labels.voxels[$0] + labels.voxels[$0 + width] == 3 && labels.voxels[$0] * labels.voxels[$0 + width] == 2
      }
      #expect(contacts >= 10)
    }
  }

  @Test func shapesVaryBetweenPatients() throws {
    let phantom = try PhantomTests.phantom()
    let volumes = (0..<12).map { number in
      Double(phantom.makeCase(number, of: PhantomTests.sites[0]).labels.voxels.count { $0 == 1 })
    }
    let mean = volumes.reduce(0, +) / 12
    let deviation = (volumes.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / 12).squareRoot()
    #expect(deviation > 0.1 * mean)
  }

  @Test func everySiteHasItsGrid() throws {
    let phantom = try PhantomTests.phantom()
    let grids = PhantomTests.sites.map { phantom.makeCase(0, of: $0).image.geometry }
    #expect(Set(grids.map(\.direction)).count == 4)
    #expect(Set(grids.map(\.spacingMM)).count == 4)
    for (site, grid) in zip(PhantomTests.sites, grids) {
      #expect(grid.size == [32, 32, 8])
      #expect(grid.spacingMM == SIMD3(5, 5, 8) * site.spacingScale)
      for a in 0..<3 {
        for b in 0..<3 {
          let product = (0..<3).reduce(0) { $0 + grid.direction[3 * $1 + a] * grid.direction[3 * $1 + b] }
          #expect(abs(product - (a == b ? 1 : 0)) < 1e-12)
        }
      }
    }
    #expect(grids[1].direction == [-1, 0, 0, 0, 1, 0, 0, 0, 1])
  }

  @Test func aFlippedAxisShowsTheSamePatientMirrored() throws {
    let plain = PhantomSite(index: 0)
    var flipped = plain
    flipped.direction = [-1, 0, 0, 0, 1, 0, 0, 0, 1]
    let phantom = try PhantomTests.phantom()
    let (one, other) = (phantom.makeCase(0, of: plain).labels, phantom.makeCase(0, of: flipped).labels)
    let mirrored = one.voxels.indices.map { one.voxels[$0 / 32 * 32 + 31 - $0 % 32] }
    #expect(other.voxels == mirrored && other.voxels != one.voxels)
    // The first voxel of one lies where the other's row has its last.
    #expect(abs(one.geometry.originMM.x - (other.geometry.originMM.x - 31 * 5)) < 1e-9)
  }

  @Test func valuesAreWholeNumbersOfInt16() throws {
    for site in PhantomTests.sites {
      let voxels = try PhantomTests.phantom().makeCase(0, of: site).image.voxels
      #expect(voxels.allSatisfy { $0.rounded() == $0 && -32768...32767 ~= $0 })
      #expect(Set(voxels).count > 100)
    }
  }

  @Test func bigGainsStayInInt16() throws {
    var loud = PhantomSite(index: 0)
    loud.gain = 1e6
    #expect(try PhantomTests.phantom().makeCase(0, of: loud).image.voxels.max() == 32767)
  }

  @Test func noiseIsRicianOrGaussian() throws {
    var magnitude = PhantomSite(index: 0)
    magnitude.noise = 0.1
    var signed = magnitude
    signed.isRician = false
    let phantom = try PhantomTests.phantom()
    // Air in the first rows: a Rayleigh distribution with mean σ √(π/2), or a normal one with mean 0.
    let (rician, gaussian) = (
      phantom.makeCase(0, of: magnitude).image.voxels[0..<64],
      phantom.makeCase(0, of: signed).image.voxels[0..<64]
    )
    #expect(rician.allSatisfy { $0 >= 0 })
    #expect(105...145 ~= rician.reduce(0, +) / 64)
    #expect(abs(gaussian.reduce(0, +) / 64) < 45)
    #expect(gaussian.contains { $0 < 0 })
  }

  @Test func aNegativeContrastInverts() throws {
    var inverted = PhantomSite(index: 0)
    inverted.contrast = -0.8
    func contrast(_ site: PhantomSite) throws -> Float {
      let (image, labels) = try PhantomTests.phantom().makeCase(0, of: site)
      func mean(_ label: UInt8) -> Float {
        let values = zip(image.voxels, labels.voxels).filter { $1 == label }.map(\.0)
        return values.reduce(0, +) / Float(values.count)
      }
      return mean(2) - mean(1)
    }
    #expect(try contrast(PhantomSite(index: 0)) > 50)
    #expect(try contrast(inverted) < -50)
  }
}
