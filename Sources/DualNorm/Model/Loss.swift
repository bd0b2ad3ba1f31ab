import Torch

/// What is minimized.
public enum LossKind: String, Codable, Sendable, CaseIterable {
  /// Two classes: Dice of each image and class. More: Dice of each class over the batch, plus cross entropy.
  case published
  /// Cross entropy plus one Dice a foreground class over the whole batch, which images without the class cannot spoil.
  case batchDice = "batch-dice"
}

/// The loss that is minimized, and the Dice loss of the hard segmentation, which only the schedule looks at.
public struct SegmentationLoss {
  /// Scalar, differentiable.
  public let value: Tensor
  /// Scalar: 1 − mean over the classes of Dice over the batch, of the most probable classes.
  public let hardDice: Tensor

  /// - Parameters:
  ///   - logits: [N, classes, H, W]
  ///   - labels: int64 [N, H, W], 0 up to classes − 1
  ///   - weighted: weight the classes of the published cross entropy by 1 − their share of the batch
  public init(logits: Tensor, labels: Tensor, kind: LossKind = .published, weighted: Bool = false) {
    let classes = logits.size(1)
    let probabilities = logits.softmax(1)
    let truth = labels.oneHot(classes).permuted(0, 3, 1, 2)
    switch kind {
    case .published:
      let dice = softDiceLoss(probabilities, truth)
      value = classes == 2 ? dice : dice + crossEntropy(probabilities, truth, weighted: weighted)
    case .batchDice:
      value = batchDiceLoss(probabilities, truth) + logits.crossEntropy(labels)
    }
    hardDice = withoutGradients { hardDiceLoss(probabilities.detached(), truth) }
  }
}

/// 1 − mean over the foreground classes of (2 Σ p t + 1) / (Σ p + Σ t + 1), sums over the batch.
private func batchDiceLoss(_ probabilities: Tensor, _ truth: Tensor) -> Tensor {
  let overlap = (probabilities * truth).sum([0, 2, 3])
  let cardinality = probabilities.sum([0, 2, 3]) + truth.sum([0, 2, 3])
  let dice = (2 * overlap + 1.0) / (cardinality + 1.0)
  let classes = dice.size(0)
  let foreground = Tensor((0..<classes).map { Float($0 == 0 ? 0 : 1) / Float(classes - 1) }, shape: [classes])
  return 1 - (dice * foreground).sum()
}

private let smoothing = 1e-6

/// Two classes: Dice per image and class. More: one Dice per class over the batch, with squared cardinalities.
private func softDiceLoss(_ probabilities: Tensor, _ truth: Tensor) -> Tensor {
  let twoClasses = probabilities.size(1) == 2
  let overlap = (probabilities * truth).sum(twoClasses ? [2, 3] : [0, 2, 3])
  let cardinality =
    twoClasses
    ? probabilities.sum([2, 3]) + truth.sum([2, 3])
    : (probabilities * probabilities).sum([0, 2, 3]) + (truth * truth).sum([0, 2, 3])
  return 1 - ((2 * overlap + smoothing) / (cardinality + smoothing)).mean()
}

private func hardDiceLoss(_ probabilities: Tensor, _ truth: Tensor) -> Tensor {
  let chosen = probabilities.argmax(1).oneHot(probabilities.size(1)).permuted(0, 3, 1, 2)
  let overlap = (chosen * truth).sum([0, 2, 3])
  let cardinality = (chosen + truth).sum([0, 2, 3])
  return 1 - ((2 * overlap + smoothing) / (cardinality + smoothing)).mean()
}

/// Mean over the pixels of −w_c log p_c of their class c, the probabilities clamped to [0.005, 1].
private func crossEntropy(_ probabilities: Tensor, _ truth: Tensor, weighted: Bool) -> Tensor {
  let logs = probabilities.clamped(to: 0.005...1).log()
  guard weighted else { return -(truth * logs).sum([1]).mean() }
  let share = truth.sum([0, 2, 3]).converted(to: .float32) / truth.sum().converted(to: .float32)
  return -((1 - share).reshaped(1, -1, 1, 1) * truth * logs).sum([1]).mean()
}
