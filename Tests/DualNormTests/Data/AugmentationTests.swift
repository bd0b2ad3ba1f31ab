import Testing

@testable import Basics
@testable import DualNorm

@Suite struct AugmentationTests {
  /// A slice whose single channel equals its labels, so that both must move alike.
  private func twin(height: Int = 24, width: Int = 32) -> TrainingExample {
    let labels = (0..<height * width).map { pixel -> UInt8 in
      let (y, x) = (pixel / width, pixel % width)
      return (6..<18).contains(y) && (8..<20).contains(x) ? 1 : 0
    }
    return TrainingExample(
      image: labels.map(Float.init), labels: labels, channels: 1, extent: Extent(height: height, width: width))
  }

  @Test func imageAndLabelsMoveTogether() {
    let augmentation = Augmentation([.rotation, .flip, .shift, .scale], classes: 2, zoom: 1.5)
    var generator = SeededGenerator(seed: 3)
    var moved = 0
    for _ in 0..<50 {
      let original = twin()
      let slice = augmentation.apply(to: original, using: &generator)
      if slice.labels != original.labels { moved += 1 }
      // Bilinear and nearest interpolation agree except for partly covered pixels on the border.
      let wrong = zip(slice.image, slice.labels).count { abs($0 - Float($1)) > 0.75 }
      #expect(wrong == 0)
    }
    #expect(moved > 30)
  }

  @Test(arguments: [
    (MirrorAxis.x, [3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8] as [UInt8]), (.y, [8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3]),
  ])
  func mirroringIsExact(axis: MirrorAxis, expected: [UInt8]) {
    let image = (0..<12).map(Float.init)
    let slice = TrainingExample(
      image: image, labels: image.map { UInt8($0) }, channels: 1, extent: Extent(height: 3, width: 4))
    let mirrored = slice.transformed(by: PlaneMap(angle: 0, mirrors: [axis], scale: 1, shift: (0, 0)))
    #expect(mirrored.image == expected.map(Float.init))
    #expect(mirrored.labels == expected)
  }

  /// Each axis is mirrored in half of the examples, and every combination occurs.
  @Test func flipsOfTwoAxes() {
    let image: [Float] = [1, 2, 3, 4, 5, 6]
    let original = TrainingExample(
      image: image, labels: image.map { UInt8($0) }, channels: 1, extent: Extent(height: 2, width: 3))
    var generator = SeededGenerator(seed: 4)
    let augmentation = Augmentation([.flip], classes: 5, flips: [.x, .y])
    var counts: [[Float]: Int] = [:]
    for _ in 0..<400 {
      let example = augmentation.apply(to: original, using: &generator)
      #expect(example.labels == example.image.map { UInt8($0) })
      counts[example.image, default: 0] += 1
    }
    let all: [[Float]] = [[1, 2, 3, 4, 5, 6], [3, 2, 1, 6, 5, 4], [4, 5, 6, 1, 2, 3], [6, 5, 4, 3, 2, 1]]
    #expect(Set(counts.keys) == Set(all) && counts.values.allSatisfy { (70...130).contains($0) })
  }

  @Test func aQuarterTurnOfASquareMovesCorners() {
    let slice = TrainingExample(
      image: [1, 2, 3, 4], labels: [1, 2, 3, 4], channels: 1, extent: Extent(height: 2, width: 2))
    let turned = slice.transformed(by: PlaneMap(angle: .pi / 2, mirrors: [], scale: 1, shift: (0, 0)))
    #expect(turned.labels == [2, 4, 1, 3])
  }

  @Test func aShiftRepeatsTheEdgeInTheImageAndIsBackgroundInTheLabels() {
    let slice = TrainingExample(
      image: [1, 2, 3], labels: [1, 2, 3], channels: 1, extent: Extent(height: 1, width: 3))
    let shifted = slice.transformed(by: PlaneMap(angle: 0, mirrors: [], scale: 1, shift: (1, 0)))
    #expect(shifted.image == [1, 1, 2])
    #expect(shifted.labels == [0, 1, 2])
  }

  @Test func onlyTwoClassesFlipAndShift() {
    var generator = SeededGenerator(seed: 1)
    let original = twin()
    for _ in 0..<20 {
      #expect(Augmentation([.flip, .shift], classes: 3).apply(to: original, using: &generator) == original)
    }
    let moved = (0..<20).count { _ in
      Augmentation([.flip, .shift], classes: 2).apply(to: original, using: &generator) != original
    }
    #expect(moved > 10)
  }

  @Test func bendingMovesImageAndLabelsTogetherAndTearsNothing() {
    let augmentation = Augmentation([.elastic], classes: 2)
    var generator = SeededGenerator(seed: 3)
    let original = twin(height: 64, width: 64)
    var moved = 0
    for _ in 0..<60 {
      let slice = augmentation.apply(to: original, using: &generator)
      if slice.labels != original.labels { moved += 1 }
      #expect(zip(slice.image, slice.labels).allSatisfy { abs($0 - Float($1)) <= 0.75 })
    }
    #expect((4...25).contains(moved))  // fires with probability 1/5
  }

  @Test func bendingRarelyFoldsALargeSlice() {
    func largest(_ side: Int) -> Double { ElasticMap.largestDeviation(ImageSize(height: side, width: side)) }
    #expect(largest(64) == 2.56 && abs(largest(256) - 10.24) < 1e-9 && abs(largest(384) - 10.24) < 1e-9)
    var generator = SeededGenerator(seed: 5)
    let side = 384
    let whole = (0..<12).count { _ in
      let map = ElasticMap(size: ImageSize(height: side, width: side), using: &generator)
      // Every third pixel; pixels are a tenth of a node's distance apart.
      return stride(from: 0, to: side - 1, by: 3).allSatisfy { y in
        stride(from: 0, to: side - 1, by: 3).allSatisfy { x in
          let (here, right) = (map.displacement(x: x, y: y), map.displacement(x: x + 1, y: y))
          let below = map.displacement(x: x, y: y + 1)
          let across = (1 + right.x - here.x) * (1 + below.y - here.y)
          return across - (right.y - here.y) * (below.x - here.x) > 0
        }
      }
    }
    #expect(whole >= 10)
  }

  /// Each change alters the image of a slice with an edge, but not the labels.
  @Test(arguments: IntensityChange.order) func intensitiesChangeAndLabelsStay(part: Augmentation.Part) {
    let original = twin()
    for seed in 1...20 {
      var generator = SeededGenerator(seed: UInt64(seed))
      var slice = original
      IntensityChange(part, using: &generator).apply(to: &slice)
      #expect(slice.labels == original.labels)
      #expect(slice.image.allSatisfy { $0.isFinite })
      // A gamma curve preserves 0 and 1, the only values of this slice.
      #expect((slice.image == original.image) == (part == .gamma))
      let inside = zip(slice.image, slice.labels).filter { $1 == 1 }.map(\.0).reduce(0, +) / 144
      #expect(abs(inside - 1) < 0.9)
    }
  }

  @Test func aGammaCurveKeepsTheRangeAndTheOrder() {
    var generator = SeededGenerator(seed: 2)
    let image = (0..<16).map { Float($0) - 5 }
    var slice = TrainingExample(
      image: image, labels: [UInt8](repeating: 0, count: 16), channels: 1, extent: Extent(height: 4, width: 4))
    IntensityChange(.gamma, using: &generator).apply(to: &slice)
    #expect(slice.image != image)
    #expect(slice.image.first == -5 && abs(slice.image.last! - 10) < 1e-5)
    #expect(zip(slice.image, slice.image.dropFirst()).allSatisfy { $0 < $1 })
  }

  @Test func blurringKeepsTheSumAwayFromTheEdge() {
    var generator = SeededGenerator(seed: 2)
    var slice = twin()
    IntensityChange(.blur, using: &generator).apply(to: &slice)
    #expect(abs(slice.image.reduce(0, +) - 144) < 1e-3)
    #expect(slice.image[5 * 32 + 12] > 0 && slice.image[5 * 32 + 12] < 0.5)
  }

  /// A disabled part does not change the random numbers of the others.
  @Test func partsDrawIndependently() {
    let original = twin()
    for seed in 1...30 {
      var (one, both) = (SeededGenerator(seed: UInt64(seed)), SeededGenerator(seed: UInt64(seed)))
      let rotated = Augmentation([.rotation], classes: 2).apply(to: original, using: &one)
      let noisy = Augmentation([.rotation, .noise], classes: 2).apply(to: original, using: &both)
      #expect(rotated.labels == noisy.labels)
      #expect(one == both)
    }
  }
}
