import Foundation
import MedicalImaging
import Testing
import Torch

@testable import Basics
@testable import DualNorm

/// Windows of volumes see every voxel, and their scores are joined as nnU-Net and MONAI join them
/// (`Tools/fixtures_windows3d.py`).
@Suite struct VolumeWindowTests {
  private static let file = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Fixtures/windows/volumes.safetensors")

  init() { LibTorch.configure(threads: 1) }

  /// The final pass of a window has the first pass of the same window as its mask.
  ///
  /// MONAI places windows as nnU-Net does where a volume is a whole number of steps.
  @Test(arguments: [("uneven", "uneven_nnunet"), ("even", "even_monai")])
  func windowsAreJoinedAsOthersJoinThem(name: String, key: String) throws {
    let file = try Safetensors.read(Self.file)
    let network = try network(of: file)
    let sides = try JSONDecoder().decode([Int].self, from: Data(try #require(file.metadata["window"]).utf8))
    let stored = try #require(file[name])
    let geometry = Geometry(size: [stored.shape[2], stored.shape[1], stored.shape[0]])
    let plan = try PreparationPlan(
      networkSize: Extent(sides), contextSlices: 1, multiples: network.plan.levels.multiples)
    let volume = try PreparedVolume(
      images: [Image(voxels: stored.floats, geometry: geometry)], labels: nil, plan: plan, names: ["scan"])
    var found: [Pass: [Float]] = [:]
    network.segmenter(ofSite: nil).forEachSlab(
      of: volume, VolumeSampling(plan), passes: [.first, .final], on: .cpu
    ) { pass, _, scores in
      found[pass, default: []] += scores.probabilitiesByClass[1]
    }
    let (first, final) = (try #require(found[.first]), try #require(found[.final]))
    let expected = try #require(file[key]).floats
    #expect(first.count == geometry.voxelCount && final.count == geometry.voxelCount)
    #expect(difference(first + final, expected) < 1e-5)
    // The passes differ by far more than the tolerance.
    #expect(difference(first, final) > 0.1)
  }

  private func network(of file: Safetensors) throws -> DualNormNetwork {
    let json = Data(try #require(file.metadata["configuration"]).utf8)
    let network = try DualNormNetwork(try JSONDecoder().decode(NetworkPlan.self, from: json), seed: 1)
    let prefix = "weights/"
    let state: StateDictionary = file.tensors.filter { $0.name.hasPrefix(prefix) }
      .map { (name: String($0.name.dropFirst(prefix.count)), tensor: $0.tensor) }
    try network.parameters.load(state, file: Self.file.lastPathComponent)
    return network
  }

  /// 5×8×8 is the smallest slice that a preparation takes.
  @Test(arguments: [[1, 20, 20], [3, 17, 40], [60, 16, 16], [5, 8, 8]])
  func everyVoxelIsSeen(size: [Int]) throws {
    let volume = try prepared(size)
    let windows = try sampling().windows(covering: volume)
    let seen = counts(windows, size)
    #expect(!seen.contains(0))
    #expect(seen.contains { $0 > 1 } == zip(size, [8, 16, 16]).contains { $0 > $1 })
    for window in windows {
      #expect(window.extent == Extent(depth: 8, height: 16, width: 16))
      for (range, length) in zip([window.slices, window.rows, window.columns], size) {
        // Within the volume, or all of it with padding on both sides.
        let isInside = range.lowerBound >= 0 && range.upperBound <= length
        #expect(length >= range.count ? isInside : range == centred(range.count, in: length))
      }
    }
    #expect(Set(windows).count == windows.count)
  }

  @Test func withoutOverlapEveryVoxelIsSeenOnce() throws {
    let size = [16, 32, 48]
    let windows = try sampling(overlap: 0).windows(covering: prepared(size))
    #expect(windows.count == 12)
    #expect(counts(windows, size).allSatisfy { $0 == 1 })
  }

  @Test func windowsAreSortedByTheirFirstSlice() throws {
    let windows = try sampling().windows(covering: prepared([29, 40, 33]))
    let starts = windows.map(\.slices.lowerBound)
    #expect(starts == starts.sorted())
    #expect(Set(starts).sorted() == windowStarts(29, window: 8, overlap: 0.5))
  }

  @Test func aSmallerVolumeHasOneWindowAroundItsCentre() throws {
    let volume = try prepared([5, 8, 9])
    let windows = try sampling().windows(covering: volume)
    #expect(windows == [Window(slices: -1..<7, rows: -4..<12, columns: -3..<13)])
    #expect(try sampling().central(slice: 2, of: volume) == windows[0])
    // Its edge is repeated.
    let input = volume.input(slices: windows[0].slices, in: windows[0])
    #expect(input.count == 8 * 16 * 16)
    #expect(Array(input.prefix(256)) == Array(input[256..<512]))
    #expect(input[0] == volume.channels[0])
  }

  @Test func theCentralWindowHoldsItsSlice() throws {
    let volume = try prepared([20, 24, 30])
    for z in 0..<20 {
      let window = try sampling().central(slice: z, of: volume)
      #expect(window.slices.contains(z) && window.slices.count == 8)
      #expect(window.slices.lowerBound >= 0 && window.slices.upperBound <= 20)
      #expect(window.rows == 4..<20 && window.columns == 7..<23)
    }
  }

  /// Two small structures in corners: windows around the foreground hold one, and the others lie anywhere.
  @Test func trainingWindowsSeekTheForeground() throws {
    let labels: ClassMap = DualNormTests.volume(Geometry(size: [50, 40, 30])) { x, y, z in
      z == 1 && y == 39 && x > 44 ? 1 : z == 28 && y == 2 && x == 0 ? 2 : 0
    }
    let volume = try prepared([30, 40, 50], labels: labels)
    let sampling = try sampling()
    func windows(aroundForeground: Bool) throws -> [Window] {
      try (0..<200).map { index in
        var generator = SeededGenerator.stream(seed: 5, index)
        return try sampling.trainingWindow(
          slice: index % 2 == 0 ? 1 : 28, of: volume, aroundForeground: aroundForeground, using: &generator)
      }
    }
    let around = try windows(aroundForeground: true)
    #expect(try around == windows(aroundForeground: true))
    for (index, window) in around.enumerated() {
      let found = Set(try #require(volume.labels(in: window)))
      #expect(found.contains(index % 2 == 0 ? 1 : 2))
    }
    let anywhere = try windows(aroundForeground: false)
    #expect(try anywhere == windows(aroundForeground: false))
    for window in around + anywhere {
      #expect(window.extent == Extent(depth: 8, height: 16, width: 16))
      #expect(window.slices.lowerBound >= 0 && window.slices.upperBound <= 30)
      #expect(window.rows.lowerBound >= 0 && window.rows.upperBound <= 40)
      #expect(window.columns.lowerBound >= 0 && window.columns.upperBound <= 50)
    }
    #expect(Set(anywhere.map(\.slices.lowerBound)).count > 15)
    #expect(Set(anywhere.map(\.rows.lowerBound)).count > 15)
    #expect(Set(anywhere.map(\.columns.lowerBound)).count > 20)
  }

  /// Slices beyond the volume repeat its edge, and are background.
  @Test func anExampleHasTheVoxelsOfItsWindow() throws {
    let labels: ClassMap = DualNormTests.volume(Geometry(size: [20, 18, 5])) { x, y, z in UInt8((x + y + z) % 3) }
    let volume = try prepared([5, 18, 20], labels: labels)
    let window = try sampling().central(slice: 2, of: volume)
    let example = try sampling().example(window, of: volume)
    #expect(example.channels == 1 && example.extent == Extent(depth: 8, height: 16, width: 16))
    #expect(example.image == volume.input(slices: window.slices, in: window))
    #expect(example.labels == volume.labels(in: window))
    #expect(example.labels.prefix(256).allSatisfy { $0 == 0 })
  }

  /// One window a volume, windows along one axis, and along all.
  @Test(arguments: [[1, 20, 20], [5, 8, 8], [60, 16, 16], [13, 20, 24]])
  func slabsComeInOrderAndCoverAllSlices(size: [Int]) throws {
    let levels = Levels(poolings: [[1, 2, 2]], kernels: [[1, 3, 3], [3, 3, 3]])
    let network = try DualNormNetwork(
      NetworkPlan(levels: levels, classes: 2, inputChannels: 1, width: 2, dual: DualPlan([.inc])), seed: 3)
    let volume = try prepared(size)
    var next: [Pass: Int] = [.first: 0, .final: 0]
    network.segmenter(ofSite: nil).forEachSlab(
      of: volume, try sampling(), passes: [.first, .final], on: .cpu
    ) { pass, slices, scores in
      #expect(slices.lowerBound == next[pass] && !slices.isEmpty)
      next[pass] = slices.upperBound
      let probabilities = scores.probabilitiesByClass
      #expect(probabilities.count == 2)
      for values in probabilities {
        #expect(values.count == slices.count * size[1] * size[2])
        #expect(values.allSatisfy { $0 >= 0 && $0 <= 1 })
      }
    }
    #expect(next == [.first: size[0], .final: size[0]])
  }

  /// Windows of 8×16×16.
  private func sampling(overlap: Double = defaultOverlap) throws -> VolumeSampling {
    let plan = try PreparationPlan(
      networkSize: Extent(depth: 8, height: 16, width: 16), contextSlices: 1, multiples: [1, 2, 2])
    return VolumeSampling(plan, overlap: overlap)
  }

  /// - Parameter size: depth, height and width.
  private func prepared(_ size: [Int], labels: ClassMap? = nil) throws -> PreparedVolume {
    let geometry = Geometry(size: [size[2], size[1], size[0]])
    let plan = try PreparationPlan(contextSlices: 1, multiples: [1, 2, 2])
    return try PreparedVolume(images: [noise(geometry, seed: 1)], labels: labels, plan: plan, names: ["scan"])
  }

  /// The number of windows that see each voxel.
  private func counts(_ windows: [Window], _ size: [Int]) -> [Int] {
    var seen = [Int](repeating: 0, count: size.reduce(1, *))
    for window in windows {
      for z in window.slices.clamped(to: 0..<size[0]) {
        for y in window.rows.clamped(to: 0..<size[1]) {
          for x in window.columns.clamped(to: 0..<size[2]) { seen[(z * size[1] + y) * size[2] + x] += 1 }
        }
      }
    }
    return seen
  }

  private func difference(_ a: [Float], _ b: [Float]) -> Float {
    guard a.count == b.count else { return .infinity }
    return zip(a, b).map { abs($0 - $1) }.max() ?? .infinity
  }
}
