import Basics

/// The contents of a phantom; equal configurations make equal voxels.
package struct PhantomConfiguration: Equatable, Sendable {
  package var sites: [PhantomSite]
  /// Numbers of the cases of every site.
  ///
  /// A case depends only on the seed, its site and its number. So 0..<16 and 16..<20 are sixteen patients to train on
  /// and four others to test on.
  package var cases: Range<Int>
  /// Voxels along x, y and z.
  package var size: SIMD3<Int>
  /// Spacing in mm before the sites' scales.
  package var spacingMM: SIMD3<Double>
  /// The number of labels besides background, 1 to 3: organ, neighbour, vessel. The anatomy does not depend on it.
  package var foregroundClasses: Int
  var seed: UInt64

  /// Without a spacing, the field of view is 160 mm in plane (the longer side) and 64 mm along z.
  package init(
    sites: [PhantomSite]? = nil, cases: Range<Int> = 0..<8, size: SIMD3<Int> = [64, 64, 16],
    spacingMM: SIMD3<Double>? = nil, foregroundClasses: Int = 2, seed: UInt64 = 1
  ) {
    self.sites = sites ?? PhantomSite.training(count: 3, seed: seed)
    self.cases = cases
    self.size = size
    let inPlaneMM = 160 / Double(max(size.x, size.y, 1))
    self.spacingMM = spacingMM ?? [inPlaneMM, inPlaneMM, 64 / Double(max(size.z, 1))]
    self.foregroundClasses = foregroundClasses
    self.seed = seed
  }

  /// - Throws: `Refusal` for numbers that make no phantom, and for sites that share a name.
  func validate() throws {
    guard !sites.isEmpty, sites.count <= PhantomSite.maximumCount else {
      throw Refusal(.input, "A phantom has 1 to \(PhantomSite.maximumCount) sites, not \(sites.count)")
    }
    guard Set(sites.map(\.index)).count == sites.count else {
      throw Refusal(.input, "Two sites of the phantom have the same name", remedy: "give each its own index")
    }
    guard !cases.isEmpty, cases.lowerBound >= 0, cases.upperBound <= 1000 else {
      throw Refusal(
        .input, "A phantom's cases are numbered within 0 to 999, not \(cases.lowerBound)..<\(cases.upperBound)")
    }
    guard size.x >= 32, size.y >= 32, size.z >= 4, size.max() <= 512 else {
      throw Refusal(
        .input, "A phantom of \(size.x)x\(size.y)x\(size.z) voxels cannot be made",
        remedy: "choose a size from 32x32x4 to 512x512x512")
    }
    guard spacingMM.min() > 0, spacingMM.max() < .infinity else {
      throw Refusal(.input, "A phantom's spacing is above 0 mm, not \(spacingMM.x), \(spacingMM.y), \(spacingMM.z)")
    }
    guard 1...3 ~= foregroundClasses else {
      throw Refusal(.input, "A phantom has 1 to 3 foreground classes, not \(foregroundClasses)")
    }
  }
}
