package import Torch

/// The loss that training minimizes.
public enum LossKind: String, Codable, Sendable, CaseIterable {
  /// Two classes: Dice over each image and class. More: Dice over the batch for each class, plus cross entropy.
  case published
  /// Cross entropy plus Dice over the whole batch for each foreground class, so that images without a class do not
  /// distort it. The denominator has squared probabilities (Milletari et al. 2016).
  case batchDice = "batch-dice"
}

/// The minimized loss, and the Dice loss of the argmax segmentation, which only the learning rate schedule uses.
package struct SegmentationLoss {
  /// Scalar, differentiable.
  package let value: Tensor
  /// Scalar: 1 − mean over the classes of Dice over the batch, for the argmax segmentation.
  package let hardDice: Tensor

  /// - Parameters:
  ///   - logits: [N, classes, H, W]
  ///   - labels: int64 [N, H, W], 0 up to classes − 1
  ///   - weighted: whether to weight the classes of the published cross entropy by 1 − their share of the batch
  ///   - fused: whether to take the sums in one pass over the logits
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

  /// Computes the loss with deep supervision: the weighted mean over the levels. Each level weighs twice the next
  /// coarser one, as in nnU-Net. `hardDice` is that of full size.
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
