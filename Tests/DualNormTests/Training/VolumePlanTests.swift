import Foundation
import Testing

@testable import Basics
@testable import DualNorm

/// Windows, poolings and kernels are those that nnU-Net plans (`Tools/fixtures_plans.py`).
@Suite struct VolumePlanTests {
  private struct Known: Decodable {
    let topologies: [Topology]
    let windows: [ShrunkWindow]
  }

  /// [spacing, window, poolings of each axis, strides of each pooling, kernels of each level, padded window]
  private struct Topology: Decodable {
    let spacing: [Double]
    let window, poolings, padded: [Int]
    let strides, kernels: [[Int]]

    init(from decoder: any Decoder) throws {
      var row = try decoder.unkeyedContainer()
      spacing = try row.decode([Double].self)
      window = try row.decode([Int].self)
      poolings = try row.decode([Int].self)
      strides = try row.decode([[Int]].self)
      kernels = try row.decode([[Int]].self)
      padded = try row.decode([Int].self)
    }
  }

  /// [spacing, median size, most voxels, window, whether two axes had the largest share of the size]
  private struct ShrunkWindow: Decodable {
    let spacing: [Double]
    let size, window: [Int]
    let voxels: Int
    let isTied: Bool

    init(from decoder: any Decoder) throws {
      var row = try decoder.unkeyedContainer()
      spacing = try row.decode([Double].self)
      size = try row.decode([Int].self)
      voxels = try row.decode(Int.self)
      window = try row.decode([Int].self)
      isTied = try row.decode(Bool.self)
    }

    func plan() throws -> VolumePlan {
      VolumePlan([VolumeShape(size: size, spacing: spacing)], window: nil) { window, _ in
        window.sizes.reduce(1, *) <= voxels
      }
    }
  }

  /// The plan of real data.
  private struct Dataset: Decodable {
    let cases: [Case]
    let anisotropic: Bool
    let spacing, medianSize: [Double]
    let patch: [Int]
    let strides, kernels: [[Int]]
    let unbounded: Network

    var levels: Levels { Levels(poolings: strides, kernels: kernels) }

    /// The cases after nnU-Net's cropping and resampling.
    var shapes: [VolumeShape] {
      cases.map { item in
        let size = (0..<3).map { axis in
          let voxels = Double(item.cropped[axis]) * item.spacing[axis] / spacing[axis]
          return Int(voxels.rounded(.toNearestOrEven))
        }
        return VolumeShape(size: size, spacing: spacing)
      }
    }
  }

  private struct Network: Decodable {
    let patch: [Int]
    let strides, kernels: [[Int]]

    var levels: Levels { Levels(poolings: strides, kernels: kernels) }
  }

  /// [size, size after cropping, spacing]
  private struct Case: Decodable {
    let size, cropped: [Int]
    let spacing: [Double]

    init(from decoder: any Decoder) throws {
      var row = try decoder.unkeyedContainer()
      size = try row.decode([Int].self)
      cropped = try row.decode([Int].self)
      spacing = try row.decode([Double].self)
    }
  }

  private func data(_ name: String) throws -> Data {
    let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    return try Data(contentsOf: tests.deletingLastPathComponent().appendingPathComponent("Fixtures/plans/\(name)"))
  }

  private func known() throws -> Known { try JSONDecoder().decode(Known.self, from: data("topologies.json")) }

  private func dataset(_ name: String) throws -> Dataset {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try #require(try decoder.decode([String: Dataset].self, from: data("datasets.json"))[name])
  }

  @Test func levelsAreThoseOfNNUNet() throws {
    let rows = try known().topologies
    #expect(rows.count == 300)
    for row in rows {
      let levels = Levels(spacing: row.spacing, window: row.window)
      let place = "\(row.spacing) mm, \(row.window)"
      #expect(levels.poolings == row.strides, "\(place)")
      #expect(levels.kernels == row.kernels, "\(place)")
      #expect(levels.multiples == row.poolings.map { 1 << $0 }, "\(place)")
      #expect(levels.padded(row.window) == row.padded, "\(place)")
    }
  }

  /// A step's cost is the number of voxels here, in nnU-Net too.
  @Test func windowsShrinkAsThoseOfNNUNet() throws {
    let rows = try known().windows
    #expect(rows.count == 120)
    for row in rows where !row.isTied {
      #expect(try row.plan().window.sizes == row.window, "\(row.spacing) mm, \(row.size), \(row.voxels)")
    }
  }

  /// The last of axes with equal shares is shortened.
  @Test func tiedAxesShrinkInTheOrderOfNNUNet() throws {
    let rows = try known().windows.filter(\.isTied)
    #expect(rows.count > 20)
    for row in rows {
      #expect(try row.plan().window.sizes == row.window, "\(row.spacing) mm, \(row.size), \(row.voxels)")
    }
  }

  @Test func shrunkWindowsFit() throws {
    for row in try known().windows {
      let plan = try row.plan()
      #expect(plan.window.sizes.reduce(1, *) <= row.voxels)
      #expect(plan.levels.padded(plan.window.sizes) == plan.window.sizes)
      #expect(plan.levels == Levels(spacing: row.spacing, window: plan.window.sizes))
    }
  }

  /// Compares with nnU-Net's plan 3d_fullres of real data.
  ///
  /// Cases have nnU-Net's cropping and target spacing, which a preparation of ours lacks. Without a bound, window and
  /// levels are equal. nnU-Net then cuts the patch to its memory, by another rule than ours. So its final patch is the
  /// given window, and the levels for it are equal. The batch is not compared.
  @Test(arguments: ["hippocampus", "prostate"]) func realDataArePlannedAsByNNUNet(name: String) throws {
    let known = try dataset(name)
    let shapes = known.shapes
    #expect((0..<3).map { axis in median(shapes.map { Double($0.size[axis]) })! } == known.medianSize)
    let unbounded = VolumePlan(shapes, window: nil) { _, _ in true }
    #expect(unbounded.window.sizes == known.unbounded.patch)
    #expect(unbounded.levels == known.unbounded.levels)
    let given = VolumePlan(shapes, window: Extent(known.patch)) { _, _ in false }
    #expect(given.window.sizes == known.patch)
    #expect(given.levels == known.levels)
    #expect(given.levels.padded(known.patch) == known.patch)
  }

  /// Memory does not cut the hippocampus's patch.
  @Test func theHippocampusIsSeenWhole() throws {
    let known = try dataset("hippocampus")
    #expect(known.patch == [40, 56, 40] && known.unbounded.patch == known.patch && !known.anisotropic)
    #expect(known.levels == Levels.volumes(poolings: 3))
    // Volumes as their files have them, without nnU-Net's preparation.
    let shapes = known.cases.map { VolumeShape(size: $0.size, spacing: $0.spacing) }
    let plan = VolumePlan(shapes, window: nil) { _, _ in true }
    #expect(plan.window == Extent(depth: 40, height: 56, width: 40) && plan.levels == known.levels)
  }

  /// nnU-Net resamples the prostate's slices to the 10th percentile of their distances, 3 mm. A plan keeps the median.
  @Test func thickSlicesArePooledLess() throws {
    let known = try dataset("prostate")
    #expect(known.patch == [24, 256, 256] && known.anisotropic && known.spacing[0] == 3)
    #expect(known.levels.multiples == [4, 64, 64])
    #expect(known.levels.kernels.prefix(3) == [[1, 3, 3], [1, 3, 3], [3, 3, 3]])
  }

  /// An axis of one voxel is never pooled. Its kernel follows its spacing.
  @Test func anAxisOfOneVoxelStays() throws {
    let levels = Levels(spacing: [5, 1, 1], window: [1, 64, 60])
    #expect(levels.poolings == Array(repeating: [1, 2, 2], count: 4))
    #expect(levels.kernels == [[1, 3, 3], [1, 3, 3], [3, 3, 3], [3, 3, 3], [3, 3, 3]])
    #expect(levels.padded([1, 64, 60]) == [1, 64, 64])
    let shapes = [VolumeShape(size: [1, 64, 60], spacing: [5, 1, 1])]
    let plan = VolumePlan(shapes, window: nil) { _, _ in true }
    #expect(plan.window.sizes == [1, 64, 64] && plan.levels == levels)
    let given = VolumePlan(shapes, window: Extent(depth: 1, height: 32, width: 48)) { _, _ in true }
    #expect(given.window.sizes == [1, 32, 48] && given.levels.multiples == [1, 8, 8])
  }

  /// The relatively longest axis becomes shorter, in steps that the poolings divide.
  @Test(arguments: [1000, 30_000, 100_000, 400_000]) func aBoundShrinksTheWindow(voxels: Int) throws {
    let shapes = [VolumeShape(size: [60, 90, 120], spacing: [2, 1, 1])]
    var tried: [Extent] = []
    let plan = VolumePlan(shapes, window: nil) { window, levels in
      tried.append(window)
      #expect(levels.padded(window.sizes) == window.sizes)
      return window.sizes.reduce(1, *) <= voxels
    }
    #expect(tried.count > 1 && tried.last == plan.window)
    #expect(tried.dropLast().allSatisfy { $0.sizes.reduce(1, *) > voxels })
    #expect(plan.window.sizes.reduce(1, *) <= voxels)
    #expect(plan.levels.padded(plan.window.sizes) == plan.window.sizes)
  }

  @Test func aBoundThatNothingMeetsEnds() throws {
    let shapes = [VolumeShape(size: [24, 320, 320], spacing: [3, 0.6, 0.6])]
    let plan = VolumePlan(shapes, window: nil) { _, _ in false }
    #expect(plan.window.sizes.allSatisfy { (1..<24).contains($0) })
    #expect(plan.levels.padded(plan.window.sizes) == plan.window.sizes)
  }
}
