public import Torch

extension DualNormNetwork {
  /// The largest magnitude of a gradient's elements in the last pass; larger ones are clipped.
  static let gradientLimit = 0.1

  /// Trains one iteration; returns the losses of its passes.
  ///
  /// Without dual blocks there is one pass and one optimizer step with clipped gradients. With dual blocks, the first
  /// pass takes its own unclipped step. The final pass, under the first one's mask, takes a clipped step. A pass whose
  /// parameters are all frozen takes none.
  ///
  /// - Parameters:
  ///   - images: [N, inputChannels, H, W]
  ///   - labels: int64 [N, H, W]
  ///   - sites: the site of each row, for domain-specific batch norm.
  @discardableResult
  public func trainingStep(
    images: Tensor, labels: Tensor, sites: SiteRows? = nil, optimizer: Adam, loss kind: LossKind = .published,
    weighted: Bool = false
  ) -> [StepLoss] {
    beginTrainingStep(
      images: images, labels: labels, sites: sites, optimizer: optimizer, loss: kind, weighted: weighted
    ).losses
  }

  /// Like `trainingStep`, but returns before a GPU has finished.
  func beginTrainingStep(
    images: Tensor, labels: Tensor, sites: SiteRows?, optimizer: Adam, loss kind: LossKind, weighted: Bool
  ) -> BegunStep {
    var losses: [SegmentationLoss] = []
    forEachPass(over: images, sites: sites, reference: labels, .training) { pass, logits in
      let loss = SegmentationLoss(
        logits, labels: labels, kind: kind, weighted: weighted, fused: fuses)
      losses.append(loss)
      // A pass that uses frozen parameters only has nothing to learn.
      guard loss.value.requiresGradient else { return }
      optimizer.clearGradients()
      loss.value.backward()
      optimizer.step(clippingTo: pass == passes.last ? Self.gradientLimit : .infinity)
    }
    return BegunStep(passes: passes, losses)
  }
}

/// The losses of an iteration that the GPU may not have finished.
struct BegunStep {
  private let passes: [Pass]
  /// [2 · passes]: for each pass the loss, then the hard Dice loss.
  private let values: Tensor

  init(passes: [Pass], _ losses: [SegmentationLoss]) {
    self.passes = passes
    values = withoutGradients {
      .concatenate(losses.flatMap { [$0.value.reshaped(1), $0.hardDice.reshaped(1)] }, dimension: 0)
    }
  }

  /// The losses; waits for the GPU.
  var losses: [StepLoss] {
    let values = values.values(Double.self)
    return passes.enumerated().map { StepLoss(pass: $1, value: values[2 * $0], hardDice: values[2 * $0 + 1]) }
  }
}

/// The losses of one pass of one iteration.
public struct StepLoss: Equatable, Sendable {
  public let pass: Pass
  public let value: Double
  let hardDice: Double
}
