import Foundation
import Testing
import Torch

@testable import DualNorm

@Suite struct LossTests {
  /// Two images of 1×2 pixels, two classes; the second image has no foreground.
  private let logits = Tensor([0, 2, 1, 0, 3, 3, 0, 0] as [Float], shape: [2, 2, 1, 2])
  private let labels = Tensor([0, 1, 0, 0], shape: [2, 1, 2])

  /// Calculated by hand: p₁ = σ(logit₁ − logit₀) = σ(1), σ(−2), σ(−3), σ(−3).
  @Test func batchDiceIsCrossEntropyPlusOneDiceOverTheBatch() {
    let p = [0.7310586, 0.1192029, 0.0474259, 0.0474259]
    let crossEntropy = -([1 - p[0], p[1], 1 - p[2], 1 - p[3]].map { log($0) }.reduce(0, +)) / 4
    let dice = (2 * p[1] + 1) / (p.map { $0 * $0 }.reduce(0, +) + 1 + 1)
    let loss = SegmentationLoss(logits: logits, labels: labels, kind: .batchDice)
    #expect(abs(loss.value.item - (1 - dice + crossEntropy)) < 1e-5)
  }

  /// The published two-class loss gives an image without foreground a Dice of 0. Dice over the batch does not.
  @Test func anImageWithoutTheClassDoesNotDecideTheLoss() {
    let good = Tensor([9, -9, -9, 9, 9, 9, -9, -9] as [Float], shape: [2, 2, 1, 2])
    let published = SegmentationLoss(logits: good, labels: labels, kind: .published).value.item
    let batch = SegmentationLoss(logits: good, labels: labels, kind: .batchDice).value.item
    #expect(published > 0.005)
    #expect(batch < 1e-6)
  }

  @Test func everyClassOfManyCountsAlike() {
    // Class 1 is right everywhere and class 2 is missed: foreground Dice ½.
    let logits = Tensor([0, 0, 9, 90, 90, 0, 0, 0, 0] as [Float], shape: [1, 3, 1, 3])
    let labels = Tensor([1, 1, 2], shape: [1, 1, 3])
    let loss = SegmentationLoss(logits: logits, labels: labels, kind: .batchDice)
    let missed = 1.0 / (1 + 1)  // (0 + 1) / (0 + 1 + 1)
    #expect(abs(loss.value.item - (1 - (1 + missed) / 2 + 3)) < 1e-3)  // cross entropy 9 on one of three pixels
  }
}
