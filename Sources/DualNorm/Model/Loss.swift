import Torch

/// What is minimized.
public enum LossKind: String, Codable, Sendable, CaseIterable {
  /// Two classes: Dice of each image and class. More: Dice of each class over the batch, plus cross entropy.
  case published
  /// Cross entropy plus one Dice a foreground class over the whole batch, which images without the class cannot spoil; its
  /// denominator takes squared probabilities (Milletari et al. 2016).
  case batchDice = "batch-dice"
}

/// The loss that is minimized, and the Dice loss of the hard segmentation, which only the schedule looks at.
package struct SegmentationLoss {
  /// Scalar, differentiable.
  package let value: Tensor
  /// Scalar: 1 − mean over the classes of Dice over the batch, of the most probable classes.
  package let hardDice: Tensor

  /// - Parameters:
  ///   - logits: [N, classes, H, W]
  ///   - labels: int64 [N, H, W], 0 up to classes − 1
  ///   - weighted: weight the classes of the published cross entropy by 1 − their share of the batch
  ///   - fused: take the sums in one pass over the logits
  package init(
    logits: Tensor, labels: Tensor, kind: LossKind = .published, weighted: Bool = false, fused: Bool = true
  ) {
    let sums = fused ? ClassSums(fusing: logits, labels) : ClassSums(logits, labels)
    switch kind {
    case .published:
      let dice = sums.softDiceLoss
      value = logits.size(1) == 2 ? dice : dice + sums.clampedCrossEntropy(weighted: weighted)
    case .batchDice:
      value = sums.batchDiceLoss + sums.crossEntropy
    }
    hardDice = withoutGradients { sums.hardDiceLoss }
  }

  /// With deep supervision: the mean over the levels, full size weighing twice the next coarser one and so on, as in
  /// nnU-Net. `hardDice` stays that of full size.
  init(_ logits: PassLogits, labels: Tensor, kind: LossKind, weighted: Bool, fused: Bool) {
    let levels = ([logits.full] + logits.coarse).map {
      Self(logits: $0, labels: labels, kind: kind, weighted: weighted, fused: fused)
    }
    hardDice = levels[0].hardDice
    let weights = levels.indices.map { 1 / Double(1 << $0) }
    let coarser = zip(levels, weights).dropFirst().map { $0.value * $1 }
    value = coarser.reduce(levels[0].value, +) / weights.reduce(0, +)
  }
}
