import Testing

@testable import Basics
@testable import DualNorm

/// Augmentation of volumes: image and labels move together, in space or slice by slice.
@Suite struct VolumeAugmentationTests {
  private static let extent = Extent(depth: 16, height: 20, width: 24)

  /// A box whose two channels equal its labels.
  private func twin(sliceDistance: Double = 1) -> TrainingExample {
    let labels = (0..<16 * 20 * 24).map { voxel -> UInt8 in
      let (z, y, x) = (voxel / 480, voxel / 24 % 20, voxel % 24)
      return (4..<12).contains(z) && (6..<15).contains(y) && (5..<17).contains(x) ? 1 : 0
    }
    return TrainingExample(
      image: (labels + labels).map(Float.init), labels: labels, channels: 2, extent: Self.extent,
      sliceDistance: sliceDistance)
  }

  @Test(arguments: [1, 1.5, 6.0]) func imageAndLabelsMoveTogether(sliceDistance: Double) {
    let augmentation = Augmentation([.rotation, .flip, .shift, .scale, .elastic], classes: 2)
    var generator = SeededGenerator(seed: 3)
    var moved = 0
    for _ in 0..<20 {
      let original = twin(sliceDistance: sliceDistance)
      let example = augmentation.apply(to: original, using: &generator)
      if example.labels != original.labels { moved += 1 }
      let count = example.labels.count
      #expect(example.image.prefix(count) == example.image.suffix(count))
      // A voxel of interpolated image beyond 7/8 lies in the box by nearest neighbour, too.
      let wrong = zip(example.image, example.labels).count { abs($0 - Float($1)) > 0.875 }
      #expect(wrong == 0)
    }
    #expect(moved > 12)
  }

  /// Slices are mirrored whether they turn in space or move alike.
  @Test(arguments: [1, 6.0]) func flipsAlongTheSlices(sliceDistance: Double) {
    let values = (0..<2 * 3 * 2).map { UInt8($0) }
    let original = TrainingExample(
      image: (values + values).map(Float.init), labels: values, channels: 2,
      extent: Extent(depth: 2, height: 3, width: 2),
      sliceDistance: sliceDistance)
    let reversed = Array(values[6...] + values[..<6])
    var generator = SeededGenerator(seed: 4)
    let augmentation = Augmentation([.flip], classes: 9, flips: [.z])
    let found = (0..<40).map { _ in augmentation.apply(to: original, using: &generator) }
    #expect(found.allSatisfy { $0.labels == values || $0.labels == reversed })
    #expect(found.allSatisfy { $0.image == ($0.labels + $0.labels).map(Float.init) })
    #expect((10...30).contains(found.count { $0.labels == reversed }))
  }

  @Test func thickSlicesMoveAlike() {
    var generator = SeededGenerator(seed: 3)
    let augmentation = Augmentation([.rotation, .elastic], classes: 3)
    for _ in 0..<10 {
      let labels = augmentation.apply(to: twin(sliceDistance: 6), using: &generator).labels
      let slices = (4..<12).map { Array(labels[$0 * 480..<($0 + 1) * 480]) }
      #expect(slices.allSatisfy { $0 == slices[0] })
      #expect(labels.prefix(4 * 480).allSatisfy { $0 == 0 })
    }
  }

  @Test func aQuarterTurnAboutXExchangesTheOtherAxes() {
    let side = 4
    let values = (0..<side * side * side).map { UInt8($0) }
    let cube = TrainingExample(
      image: values.map(Float.init), labels: values, channels: 1,
      extent: Extent(depth: side, height: side, width: side))
    let turned = cube.transformed(
      by: SpaceMap(PlaneMap(), angles: (.pi / 2, 0), shift: 0, mirrors: false), bending: nil)
    for z in 0..<side {
      for y in 0..<side {
        for x in 0..<side {
          // A target voxel (y, z) from the middle has its source at (−z, y).
          let expected = values[(y * side + side - 1 - z) * side + x]
          #expect(turned.labels[(z * side + y) * side + x] == expected)
          #expect(abs(turned.image[(z * side + y) * side + x] - Float(expected)) < 1e-4)
        }
      }
    }
  }

  @Test func withoutPartsNothingChanges() {
    var generator = SeededGenerator(seed: 3)
    #expect(Augmentation([], classes: 2).apply(to: twin(), using: &generator) == twin())
  }

  @Test func equalSeedsGiveEqualBits() {
    let augmentation = Augmentation(Augmentation.Part.allCases, classes: 2)
    var (one, two) = (SeededGenerator(seed: 5), SeededGenerator(seed: 5))
    #expect(augmentation.apply(to: twin(), using: &one) == augmentation.apply(to: twin(), using: &two))
  }
}
