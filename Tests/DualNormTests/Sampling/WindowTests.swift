import Foundation
import MedicalImaging
import Testing

@testable import Basics
@testable import DualNorm

/// Windows are nnU-Net's (`Tools/fixtures_windows.py`), and together they see every voxel.
@Suite struct WindowTests {
  private struct Known: Decodable {
    let starts: [Start]
    let weights: [Weight]
  }

  /// [length, window, overlap in percent, starts]
  private struct Start: Decodable {
    let length, window, percent: Int
    let starts: [Int]

    init(from decoder: any Decoder) throws {
      var row = try decoder.unkeyedContainer()
      (length, window, percent) = (try row.decode(Int.self), try row.decode(Int.self), try row.decode(Int.self))
      starts = try row.decode([Int].self)
    }
  }

  /// [sides, place, weight]
  private struct Weight: Decodable {
    let sides, place: [Int]
    let weight: Double

    init(from decoder: any Decoder) throws {
      var row = try decoder.unkeyedContainer()
      (sides, place, weight) = (try row.decode([Int].self), try row.decode([Int].self), try row.decode(Double.self))
    }
  }

  private func known() throws -> Known {
    let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    let file = tests.deletingLastPathComponent().appendingPathComponent("Fixtures/windows/windows.json")
    return try JSONDecoder().decode(Known.self, from: Data(contentsOf: file))
  }

  @Test func startsAreThoseOfNNUNet() throws {
    let rows = try known().starts
    #expect(rows.count == 1000)
    for row in rows where Double(row.window) * (1 - Double(row.percent) / 100) >= 1 {
      #expect(
        windowStarts(row.length, window: row.window, overlap: Double(row.percent) / 100) == row.starts,
        "\(row.length), \(row.window), \(row.percent) %")
    }
  }

  @Test func weightsAreThoseOfNNUNet() throws {
    let rows = try known().weights
    #expect(rows.count == 1000)
    for row in rows {
      let weight = zip(row.sides, row.place).reduce(1) { $0 * windowWeights($1.0)[$1.1] }
      #expect(abs(weight - row.weight) <= 1e-6 * row.weight + 1e-9, "\(row.sides) at \(row.place)")
    }
  }

  @Test func aShorterAxisHasOneWindowAroundItsCentre() {
    #expect(windowStarts(16, window: 16, overlap: 0.5) == [0])
    #expect(windowStarts(9, window: 16, overlap: 0.5) == [-3])
    #expect(windowStarts(1, window: 16, overlap: 0.5) == [-7])
  }

  @Test(arguments: [(9, 20), (51, 35), (64, 64), (17, 129)])
  func everyPixelOfEverySliceIsSeen(height: Int, width: Int) throws {
    let volume = try prepared([width, height, 70])
    let sampling = SliceSampling(try PreparationPlan(networkSize: Extent(height: 32, width: 48)))
    var seen = [Int](repeating: 0, count: 70 * height * width)
    var last = 0
    for window in sampling.windows(covering: volume) {
      #expect(window.size == ImageSize(height: 32, width: 48) && window.slices.lowerBound >= last)
      last = window.slices.lowerBound
      for z in window.slices {
        for y in window.rows.clamped(to: 0..<height) {
          for x in window.columns.clamped(to: 0..<width) { seen[(z * height + y) * width + x] += 1 }
        }
      }
    }
    #expect(!seen.contains(0))
    #expect((height > 32 || width > 48) == seen.contains { $0 > 1 })
  }

  /// 9 wide and 20 high in 16×32: 3 columns and 6 rows before the first.
  @Test func beyondTheVolumeItsEdgeIsRepeatedAsBackground() throws {
    let labels: ClassMap = DualNormTests.volume(Geometry(size: [9, 20, 1])) { x, y, _ in UInt8(10 * y + x + 1) }
    let volume = try prepared([9, 20, 1], labels: labels)
    let window = SliceSampling(try PreparationPlan(networkSize: Extent(height: 32, width: 16)))
      .central(slice: 0, of: volume)
    #expect(window.rows == -6..<26 && window.columns == -3..<13)
    let (shown, classes) = (volume.input(slices: 0..<1, in: window), try #require(volume.labels(in: window)))
    for y in 0..<32 {
      for x in 0..<16 {
        let (row, column) = (y - 6, x - 3)
        let isInside = (0..<20).contains(row) && (0..<9).contains(column)
        #expect(shown[y * 16 + x] == volume.channels[nearest(row, of: 20) * 9 + nearest(column, of: 9)])
        #expect(classes[y * 16 + x] == (isInside ? UInt8(10 * row + column + 1) : 0))
      }
    }
    // A window within the volume, and one that is all beyond it.
    let inner = Window(slices: 0..<1, rows: 4..<7, columns: 2..<4)
    #expect(volume.labels(in: inner) == [43, 44, 53, 54, 63, 64])
    let beyond = Window(slices: 0..<1, rows: 30..<32, columns: 20..<22)
    #expect(volume.labels(in: beyond) == [0, 0, 0, 0])
    #expect(volume.input(slices: 0..<1, in: beyond) == [Float](repeating: volume.channels[179], count: 4))
  }

  /// A small structure far from the centre: a share of the windows holds it, the others lie anywhere.
  @Test func trainingWindowsSeekTheForeground() throws {
    let labels: ClassMap = DualNormTests.volume(Geometry(size: [96, 80, 1])) { x, y, _ in
      y == 75 && x > 3 && x < 90 ? 1 : y == 2 && x == 94 ? 2 : 0
    }
    let volume = try prepared([96, 80, 1], labels: labels)
    let sampling = SliceSampling(try PreparationPlan(networkSize: Extent(height: 32, width: 32)))
    func windows(aroundForeground: Bool) throws -> [Window] {
      try (0..<400).map { index in
        var generator = SeededGenerator.stream(seed: 5, index)
        return try sampling.trainingWindow(
          slice: 0, of: volume, aroundForeground: aroundForeground, using: &generator)
      }
    }
    let around = try windows(aroundForeground: true)
    #expect(try around == windows(aroundForeground: true))
    let found = around.map { Set(volume.labels(in: $0)!).subtracting([0]) }
    #expect(found.allSatisfy { !$0.isEmpty })
    // Both classes are equally likely, though one has 86 pixels and the other a single one.
    let share = Double(found.count { $0.contains(2) }) / 400
    #expect(abs(share - 0.5) < 0.1)
    let anywhere = try windows(aroundForeground: false)
    for window in around + anywhere {
      #expect(window.rows.lowerBound >= 0 && window.rows.upperBound <= 80 && window.size.height == 32)
      #expect(window.columns.lowerBound >= 0 && window.columns.upperBound <= 96 && window.size.width == 32)
    }
    #expect(Set(anywhere.map(\.rows.lowerBound)).count > 30 && Set(anywhere.map(\.columns.lowerBound)).count > 40)
  }

  private func prepared(_ size: SIMD3<Int>, labels: ClassMap? = nil) throws -> PreparedVolume {
    try PreparedVolume(
      images: [noise(Geometry(size: size), seed: 1)], labels: labels, plan: PreparationPlan(), names: ["scan"])
  }
}
