import Torch

/// The loss that is minimized, and the Dice loss of the hard segmentation, which only the schedule looks at.
public struct SegmentationLoss {
  /// Scalar, differentiable.
  public let value: Tensor
  /// Scalar: 1 − mean over the classes of Dice over the batch, of the most probable classes.
  public let hardDice: Tensor

  /// The published loss: Dice; with more than two classes plus cross entropy.
  ///
  /// - Parameters:
  ///   - logits: [N, classes, H, W]
  ///   - labels: int64 [N, H, W], 0 up to classes − 1
  ///   - weighted: weight the classes of the cross entropy by 1 − their share of the batch
  public init(logits: Tensor, labels: Tensor, weighted: Bool = false) {
    let classes = logits.size(1)
    let probabilities = logits.softmax(1)
    let truth = labels.oneHot(classes).permuted(0, 3, 1, 2)
    let dice = softDiceLoss(probabilities, truth)
    value = classes == 2 ? dice : dice + crossEntropy(probabilities, truth, weighted: weighted)
    hardDice = withoutGradients { hardDiceLoss(probabilities.detached(), truth) }
  }
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
