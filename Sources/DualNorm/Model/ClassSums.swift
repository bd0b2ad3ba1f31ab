import Torch

/// The sums over pixels that all losses are computed from; each is [N, classes], one value per image and class.
///
/// p is the softmax of the logits, t the one-hot labels, and h the one-hot argmax of p.
struct ClassSums {
  /// Σ p t
  let overlap: Tensor
  /// Σ p
  let predicted: Tensor
  /// Σ p²
  let squares: Tensor
  /// Σ t
  let truth: Tensor
  /// Σ t log p
  let logs: Tensor
  /// Σ t log max(p, 0.005), for the published cross entropy
  let clampedLogs: Tensor
  /// Σ h t
  let chosenOverlap: Tensor
  /// Σ h
  let chosen: Tensor
  private let pixels: Int

  private static let leastProbability = 0.005

  /// logits: [N, classes, H, W]; labels: int64 [N, H, W]. Volumes have an axis D before H.
  init(_ logits: Tensor, _ labels: Tensor) {
    let classes = logits.size(1)
    let p = logits.softmax(1)
    let t = labels.oneHotChannels(classes).converted(to: logits.type)
    let h = p.detached().argmax(1).oneHotChannels(classes).converted(to: logits.type)
    let voxels = Array(2..<logits.rank)
    overlap = (p * t).sum(voxels)
    predicted = p.sum(voxels)
    squares = (p * p).sum(voxels)
    truth = t.sum(voxels)
    logs = (t * logits.logSoftmax(1)).sum(voxels)
    clampedLogs = (t * p.clamped(to: Self.leastProbability...1).log()).sum(voxels)
    chosenOverlap = (h * t).sum(voxels)
    chosen = h.sum(voxels)
    pixels = labels.count
  }

  /// Computes the same sums in one pass over the logits; the backward pass takes one more.
  init(fusing logits: Tensor, _ labels: Tensor) {
    let planes =
      labels.rank == 3 ? labels : labels.reshaped(labels.size(0), labels.size(1) * labels.size(2), labels.size(3))
    let sums = logits.planesJoined.classSums(planes, leastProbability: Self.leastProbability)
    overlap = sums.selectedLast(0)
    predicted = sums.selectedLast(1)
    squares = sums.selectedLast(2)
    truth = sums.selectedLast(3)
    logs = sums.selectedLast(4)
    clampedLogs = sums.selectedLast(5)
    chosenOverlap = sums.selectedLast(6)
    chosen = sums.selectedLast(7)
    pixels = labels.count
  }

  private var classes: Int { truth.size(1) }
}

extension ClassSums {
  /// 1 − mean over the foreground classes of (2 Σ p t + 1) / (Σ p² + Σ t + 1), with sums over the batch.
  var batchDiceLoss: Tensor {
    let dice = (2 * overlap.sum([0]) + 1.0) / (squares.sum([0]) + truth.sum([0]) + 1.0)
    return 1 - dice.narrowed(0, to: 1..<classes).mean()
  }

  /// 1 − mean Dice.
  ///
  /// Two classes: the mean over images and classes. More: the mean over the classes of Dice over the batch, with
  /// squared probabilities in the denominator.
  var softDiceLoss: Tensor {
    let overlap = classes == 2 ? overlap : overlap.sum([0])
    let cardinality = classes == 2 ? predicted + truth : squares.sum([0]) + truth.sum([0])
    return 1 - ((2 * overlap + smoothing) / (cardinality + smoothing)).mean()
  }

  /// 1 − mean over the classes of Dice over the batch, with h as the prediction.
  var hardDiceLoss: Tensor {
    let overlap = chosenOverlap.detached().sum([0])
    let cardinality = (chosen.detached() + truth.detached()).sum([0])
    return 1 - ((2 * overlap + smoothing) / (cardinality + smoothing)).mean()
  }

  /// Mean over the pixels of −log p of the true class.
  var crossEntropy: Tensor { -logs.sum() / Double(pixels) }

  /// Mean over the pixels of −w log max(p, 0.005) of the true class.
  ///
  /// - Parameter weighted: w = 1 − the class's share of the batch's pixels; otherwise w = 1.
  func clampedCrossEntropy(weighted: Bool) -> Tensor {
    let logs = clampedLogs.sum([0])
    return -(weighted ? (1 - truth.sum([0]) / Double(pixels)) * logs : logs).sum() / Double(pixels)
  }
}

private let smoothing = 1e-6
