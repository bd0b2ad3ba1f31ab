import Testing

@testable import DualNorm

@Suite struct AugmentationTests {
  /// A slice whose one channel is its label, so that both must move alike.
  private func twin(height: Int = 24, width: Int = 32) -> TrainingSlice {
    let labels = (0..<height * width).map { pixel -> UInt8 in
      let (y, x) = (pixel / width, pixel % width)
      return (6..<18).contains(y) && (8..<20).contains(x) ? 1 : 0
    }
    return TrainingSlice(
      image: labels.map(Float.init), labels: labels, channels: 1, size: ImageSize(height: height, width: width))
  }

  @Test func imageAndLabelsMoveTogether() {
    let augmentation = Augmentation(rotationDegrees: 10, flip: true, shiftPixels: 2, zoom: 1.5)
    var generator = SeededGenerator(seed: 3)
    var moved = 0
    for _ in 0..<50 {
      let original = twin()
      let slice = augmentation.apply(to: original, using: &generator)
      if slice.labels != original.labels { moved += 1 }
      // Bilinear and nearest interpolation agree except on the border, where a pixel is half in.
      let wrong = zip(slice.image, slice.labels).count { abs($0 - Float($1)) > 0.75 }
      #expect(wrong == 0)
    }
    #expect(moved > 30)
  }

  @Test func mirroringSwapsLeftAndRightExactly() {
    let image = (0..<12).map(Float.init)
    let slice = TrainingSlice(
      image: image, labels: image.map { UInt8($0) }, channels: 1, size: ImageSize(height: 3, width: 4))
    let mirrored = slice.transformed(by: PlaneMap(angle: 0, mirrors: true, scale: 1, shift: (0, 0)))
    #expect(mirrored.image == [3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8])
    #expect(mirrored.labels == [3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8])
  }

  @Test func aQuarterTurnOfASquareMovesCorners() {
    let slice = TrainingSlice(
      image: [1, 2, 3, 4], labels: [1, 2, 3, 4], channels: 1, size: ImageSize(height: 2, width: 2))
    let turned = slice.transformed(by: PlaneMap(angle: .pi / 2, mirrors: false, scale: 1, shift: (0, 0)))
    #expect(turned.labels == [2, 4, 1, 3])
  }

  @Test func aShiftRepeatsTheEdgeInTheImageAndIsBackgroundInTheLabels() {
    let slice = TrainingSlice(
      image: [1, 2, 3], labels: [1, 2, 3], channels: 1, size: ImageSize(height: 1, width: 3))
    let shifted = slice.transformed(by: PlaneMap(angle: 0, mirrors: false, scale: 1, shift: (1, 0)))
    #expect(shifted.image == [1, 1, 2])
    #expect(shifted.labels == [0, 1, 2])
  }

  @Test func onlyTwoClassesFlipAndShift() {
    let two = Augmentation(rotationDegrees: 10, flip: true, shiftPixels: 4, zoom: 1)
    let more = Augmentation(rotationDegrees: 10, flip: false, shiftPixels: 0, zoom: 1)
    #expect(Augmentation.published(classes: 2) == two)
    #expect(Augmentation.published(classes: 3) == more)
  }
}
