import Torch

extension DualNormNetwork {
  /// Gradients of the last pass are clipped to this, element by element.
  static let gradientLimit = 0.1

  /// One iteration of training; returns the losses of the passes that ran.
  ///
  /// Without dual blocks: one pass, clipped, one optimizer step. With dual blocks the first pass takes an unclipped
  /// step of its own, and the final pass, under the mask of the first, a clipped one. A pass all of whose parameters are
  /// frozen takes no step.
  ///
  /// - Parameters:
  ///   - images: [N, inputChannels, H, W]
  ///   - labels: int64 [N, H, W]
  ///   - sites: of the rows; domain-specific batch norm needs them.
  @discardableResult
  public func trainingStep(
    images: Tensor, labels: Tensor, sites: SiteRows? = nil, optimizer: Adam, loss kind: LossKind = .published,
    weighted: Bool = false
  ) -> [StepLoss] {
    beginTrainingStep(
      images: images, labels: labels, sites: sites, optimizer: optimizer, loss: kind, weighted: weighted
    ).losses
  }

  /// The same without a look at any result, so that a GPU may still be at it.
  func beginTrainingStep(
    images: Tensor, labels: Tensor, sites: SiteRows?, optimizer: Adam, loss kind: LossKind, weighted: Bool
  ) -> BegunStep {
    var losses: [SegmentationLoss] = []
    forEachPass(over: images, sites: sites, reference: labels, .training) { pass, logits in
      let loss = SegmentationLoss(
        logits, labels: labels, kind: kind, weighted: weighted, fused: fuses)
      losses.append(loss)
      // Nothing to learn for a pass that uses frozen parameters only.
      guard loss.value.requiresGradient else { return }
      optimizer.clearGradients()
      loss.value.backward()
      optimizer.step(clippingTo: pass == passes.last ? Self.gradientLimit : .infinity)
    }
    return BegunStep(passes: passes, losses)
  }
}

/// The losses of an iteration, which may not have been calculated yet.
struct BegunStep {
  private let passes: [Pass]
  /// [2 passes]: of each the loss, then the hard Dice loss.
  private let values: Tensor

  init(passes: [Pass], _ losses: [SegmentationLoss]) {
    self.passes = passes
    values = withoutGradients {
      .concatenate(losses.flatMap { [$0.value.reshaped(1), $0.hardDice.reshaped(1)] }, dimension: 0)
    }
  }

  /// Waits for them.
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
