import Torch

extension DualNormUNet {
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
    var losses: [StepLoss] = []
    forEachPass(over: images, sites: sites, reference: labels, .training) { pass, logits in
      let loss = SegmentationLoss(
        logits, labels: labels, kind: kind, weighted: weighted, fused: fuses)
      losses.append(StepLoss(pass: pass, value: loss.value.item, hardDice: loss.hardDice.item))
      // Nothing to learn for a pass that uses frozen parameters only.
      guard loss.value.requiresGradient else { return }
      optimizer.clearGradients()
      loss.value.backward()
      optimizer.step(clippingTo: pass == passes.last ? Self.gradientLimit : .infinity)
    }
    return losses
  }
}

/// The losses of one pass of one iteration.
public struct StepLoss: Equatable, Sendable {
  public let pass: Pass
  public let value: Double
  public let hardDice: Double
}
