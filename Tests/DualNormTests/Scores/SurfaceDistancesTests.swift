import Foundation
import MedicalImaging
import Testing

@testable import Basics
@testable import Scores

@Suite struct SurfaceDistancesTests {
  /// A mask of the voxels within `radius` voxels of the centre.
  static func sphere(_ radius: Int, at centre: SIMD3<Int>, size: Int = 99, spacingMM: SIMD3<Double> = [1, 1, 1]) -> Mask
  {
    var mask = Mask(repeating: false, geometry: Geometry(size: SIMD3(repeating: size), spacingMM: spacingMM))
    let range = (lower: centre &- radius, upper: centre &+ radius)
    for z in max(0, range.lower.z)...min(size - 1, range.upper.z) {
      for y in max(0, range.lower.y)...min(size - 1, range.upper.y) {
        for x in max(0, range.lower.x)...min(size - 1, range.upper.x) {
          let d = SIMD3(x, y, z) &- centre
          mask[x, y, z] = d.x * d.x + d.y * d.y + d.z * d.z <= radius * radius
        }
      }
    }
    return mask
  }

  /// Two concentric spheres, cut by the image's border; the values of all conventions come from scipy.
  struct Spheres: Sendable {
    let spacingMM: SIMD3<Double>
    let means: [Double]
    let meanOfMeans: Double
    let pooledMean: Double
    let percentiles95: [Double]
    let pooledPercentile95: Double
    let maxima: [Double]
  }

  @Test(arguments: [
    Spheres(
      spacingMM: [1, 1, 1], means: [12.040034, 15.911314], meanOfMeans: 13.975674, pooledMean: 15.117741,
      percentiles95: [19.924859, 20.099751], pooledPercentile95: 20.049938, maxima: [20.099751, 20.223748]),
    Spheres(
      spacingMM: [0.85, 1.2, 0.9], means: [10.968264, 15.844747], meanOfMeans: 13.406505, pooledMean: 14.845117,
      percentiles95: [18.9, 22.471938], pooledPercentile95: 22.176170, maxima: [21.6, 24.045426]),
  ])
  func concentricSpheres(expected: Spheres) throws {
    let distances = try #require(
      SurfaceDistances(
        prediction: Self.sphere(20, at: [20, 33, 22], spacingMM: expected.spacingMM),
        reference: Self.sphere(40, at: [20, 33, 22], spacingMM: expected.spacingMM)))
    let (ab, ba) = (distances.predictionToReferenceMM, distances.referenceToPredictionMM)
    let means = [ab, ba].map { $0.reduce(0, +) / Double($0.count) }
    expectClose(means, expected.means)
    expectClose([means.reduce(0, +) / 2], [expected.meanOfMeans])
    expectClose([distances.averageSymmetricMM], [expected.pooledMean])
    expectClose([ab, ba].map { percentile(95, ofSorted: $0) }, expected.percentiles95)
    expectClose([distances.hausdorffMM(percentile: 95)], [expected.percentiles95.max()!])
    expectClose([percentile(95, ofSorted: (ab + ba).sorted())], [expected.pooledPercentile95])
    expectClose([ab, ba].map { $0.last! }, expected.maxima)
    expectClose([distances.hausdorffMM()], [expected.maxima.max()!])
  }

  /// The pictures of MONAI's own test of the surface Dice with a spacing of 0.85 by 1.2; values from MONAI 1.6.1.
  ///
  /// One mask is all but the first 50 columns of 480 × 640 pixels, the other all but the first 60; then the remaining
  /// columns.
  @Test func shiftedHalvesOfAPicture() throws {
    let geometry = Geometry(size: [640, 480, 1], spacingMM: [1.2, 0.85, 7])
    func half(_ belongs: (Int) -> Bool) -> Mask {
      Mask(voxels: (0..<480).flatMap { _ in (0..<640).map(belongs) }, geometry: geometry)
    }
    let right = try #require(SurfaceDistances(prediction: half { $0 >= 50 }, reference: half { $0 >= 60 }))
    let left = try #require(SurfaceDistances(prediction: half { $0 < 50 }, reference: half { $0 < 60 }))
    func nsd(_ distances: SurfaceDistances) -> [Double] {
      [0, 1, 9, 10, 11, 12, 13].map { distances.nsd(toleranceMM: $0) }
    }
    let perimeters = (left: Double(480 * 4 + 48 * 2 + 58 * 2), right: Double(480 * 4 + 588 * 2 + 578 * 2))
    #expect(nsd(left)[0] == 1 - (478 + 480 + 9 * 2) / perimeters.left)
    #expect(abs(nsd(right)[0] - (1 - (478 + 480 + 9 * 2) / perimeters.right)) < 1e-15)
    expectClose(
      nsd(left), [0.5422138571739197, 0.5431519746780396, 0.5581613779, 0.5600374937, 0.5619136691, 1, 1], within: 1e-7)
    expectClose(
      nsd(right), [0.7704609632492065, 0.7709313035, 0.7784572244, 0.7793979049, 0.780338645, 1, 1], within: 1e-7)
    expectClose(
      [left, right].flatMap { [$0.averageSymmetricMM, $0.hausdorffMM(percentile: 95), $0.hausdorffMM()] },
      [5.368902206420898, 12, 12, 2.6920273303985596, 12, 12])
  }

  /// A single slice is a slice along any axis.
  @Test(arguments: [[0, 1, 2], [0, 2, 1], [1, 2, 0]]) func theGridDecidesWhatIsASlice(place: [Int]) throws {
    func mask(_ columns: Range<Int>) -> Mask {
      var (size, spacing) = (SIMD3(1, 1, 1), SIMD3<Double>(repeating: 5))
      (size[place[0]], size[place[1]]) = (9, 8)
      (spacing[place[0]], spacing[place[1]]) = (0.5, 2)
      return Mask(
        voxels: (0..<8).flatMap { y in (0..<9).map { columns.contains($0) && (1..<7).contains(y) } },
        geometry: Geometry(size: size, spacingMM: spacing))
    }
    let distances = try #require(SurfaceDistances(prediction: mask(1..<7), reference: mask(2..<8)))
    #expect(distances.predictionToReferenceMM.count == 20)
    // The contours share 10 of 20 pixels; the others are one column apart.
    expectClose([distances.averageSymmetricMM, distances.hausdorffMM()], [0.25, 0.5], within: 1e-15)
    #expect(distances.nsd(toleranceMM: 0) == 0.5)
  }

  @Test func shiftedSpheres() throws {
    let distances = try #require(
      SurfaceDistances(
        prediction: Self.sphere(20, at: [20, 20, 20]), reference: Self.sphere(20, at: [19, 19, 19])))
    expectClose([distances.hausdorffMM(), distances.averageSymmetricMM], [1.732051, 0.895743])
  }

  @Test func anEmptyMaskHasNoDistances() {
    let geometry = Geometry(size: [3, 3, 3])
    let empty = Mask(repeating: false, geometry: geometry)
    let full = Mask(repeating: true, geometry: geometry)
    #expect(SurfaceDistances(prediction: empty, reference: full) == nil)
    #expect(SurfaceDistances(prediction: full, reference: empty) == nil)
    #expect(SurfaceDistances(prediction: empty, reference: empty) == nil)
  }

  @Test func oneVoxelOnTheBorder() throws {
    let geometry = Geometry(size: [4, 1, 1], spacingMM: [0.5, 1, 2])
    let a = Mask(voxels: [true, false, false, false], geometry: geometry)
    let b = Mask(voxels: [false, false, true, true], geometry: geometry)
    let distances = try #require(SurfaceDistances(prediction: a, reference: b))
    #expect(distances.predictionToReferenceMM == [1])
    #expect(distances.referenceToPredictionMM == [1, 1.5])
  }

  /// Distances are 1, 1 and 1.5 mm, so none, two and all three of the surface voxels lie within the tolerances.
  @Test func nsdCountsVoxelsWithinTheTolerance() throws {
    let geometry = Geometry(size: [4, 1, 1], spacingMM: [0.5, 1, 2])
    let distances = try #require(
      SurfaceDistances(
        prediction: Mask(voxels: [true, false, false, false], geometry: geometry),
        reference: Mask(voxels: [false, false, true, true], geometry: geometry)))
    let found = [0.99, 1, 1.49, 1.5, 2].map { distances.nsd(toleranceMM: $0) }
    expectClose(found, [0, 2.0 / 3, 2.0 / 3, 1, 1], within: 1e-15)
  }

  @Test func aSpacingRoundedToFloatStillMeetsItsTolerance() throws {
    let geometry = Geometry(size: [2, 1, 1], spacingMM: [Double(Float(0.6)), 1, 1])
    #expect(Double(Float(0.6)) > 0.6)
    let distances = try #require(
      SurfaceDistances(
        prediction: Mask(voxels: [true, false], geometry: geometry),
        reference: Mask(voxels: [false, true], geometry: geometry)))
    #expect(distances.nsd(toleranceMM: 0.6) == 1)
  }
}

func expectClose(
  _ found: [Double], _ expected: [Double], within tolerance: Double = 1e-6,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(found.count == expected.count, sourceLocation: sourceLocation)
  for (a, b) in zip(found, expected) {
    #expect(abs(a - b) <= tolerance, "\(a) is not \(b)", sourceLocation: sourceLocation)
  }
}
