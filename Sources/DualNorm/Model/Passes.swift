public import Torch

/// The first pass has plain norms; the final pass has region-wise norms under the mask of `MaskSource`.
public enum Pass: String, Codable, Sendable, CaseIterable {
  case first, final
}

extension ModelDescription {
  /// The passes of the networks; both if any has both.
  package var passes: [Pass] { networks.contains { $0.dual != nil } ? [.first, .final] : [.first] }
}

extension DualNormNetwork {
  /// The passes of this network; only the first without dual norms.
  package var passes: [Pass] { plan.dual == nil ? [.first] : [.first, .final] }

  /// Runs each pass on images [N, inputChannels, H, W] and passes its logits to `body`.
  ///
  /// The mask of the final pass is the first pass's class probabilities without their gradients, unless `MaskSource`
  /// names another. Training and prediction share this function. Training takes its first step inside `body`, before
  /// the final pass runs.
  ///
  /// - Parameters:
  ///   - sites: of the rows; domain-specific batch norm needs them.
  ///   - reference: int64 [N, H, W], the true labels; needed where they are the mask.
  public func forEachPass(
    over images: Tensor, sites: SiteRows? = nil, reference: Tensor? = nil, _ mode: Mode,
    _ body: (Pass, PassLogits) throws -> Void
  ) rethrows {
    let first = logits(images, mask: nil, sites: sites, mode)  // plain norms
    try body(.first, first)
    guard let mask = finalMask(after: first.full.detached().softmax(1), reference: reference) else { return }
    try body(.final, logits(images, mask: mask, sites: sites, mode))  // region-wise norms
  }

  /// The mask of the final pass, [N, classes, H, W], one in the sum over the classes; nil without dual norms.
  ///
  /// - Parameters:
  ///   - probabilities: of the first pass, [N, classes, H, W].
  ///   - reference: see `forEachPass`.
  func finalMask(after probabilities: Tensor, reference: Tensor?) -> Tensor? {
    switch plan.dual?.maskSource {
    case nil: return nil
    case .prediction: return probabilities
    case .uniform: return probabilities * 0 + 1 / Double(plan.classes)  // made where a graph can capture it
    case .reference:
      guard let reference else { preconditionFailure("the reference mask needs the true labels") }
      return reference.oneHotChannels(plan.classes).converted(to: probabilities.type)
    }
  }
}
