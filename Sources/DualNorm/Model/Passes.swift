import Torch

/// The first pass has plain norms; the final pass has region-wise norms under the mask of `MaskSource`.
public enum Pass: String, Codable, Sendable, CaseIterable {
  case first, final
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
  ///   - sites: the sites of domain-specific batch norm; nil for an unknown site. Each pass then gives the logarithm of
  ///     the mean of all branches' class probabilities.
  ///   - reference: the true labels, int64 [N, H, W]; required if they are the mask.
  public func forEachPass(
    over images: Tensor, sites: SiteRows? = nil, reference: Tensor? = nil, _ mode: Mode,
    _ body: (Pass, PassLogits) throws -> Void
  ) rethrows {
    let first = siteLogits(images, mask: nil, sites: sites, mode)  // plain norms
    try body(.first, first)
    guard let dual = plan.dual else { return }
    let mask = mask(dual.maskSource, firstLogits: first.full, reference: reference)
    try body(.final, siteLogits(images, mask: mask, sites: sites, mode))  // region-wise norms
  }

  /// The mask of the final pass in evaluation, [N, classes, H, W]; nil without dual norms. See `forEachPass`.
  func finalMask(over images: Tensor, sites: SiteRows? = nil, reference: Tensor? = nil) -> Tensor? {
    plan.dual.map { dual in
      let logits = siteLogits(images, mask: nil, sites: sites, .evaluation).full
      return mask(dual.maskSource, firstLogits: logits, reference: reference)
    }
  }

  /// Makes a mask [N, classes, H, W] that sums to one over the classes.
  private func mask(_ source: MaskSource, firstLogits logits: Tensor, reference: Tensor?) -> Tensor {
    switch source {
    case .prediction: return logits.detached().softmax(1)
    case .uniform: return logits.detached() * 0 + 1 / Double(plan.classes)  // on the device, for CUDA graphs
    case .reference:
      guard let reference else { preconditionFailure("the reference mask needs the true labels") }
      return reference.oneHot(plan.classes).permuted(0, 3, 1, 2).converted(to: logits.type)
    }
  }

  private func siteLogits(_ images: Tensor, mask: Tensor?, sites: SiteRows?, _ mode: Mode) -> PassLogits {
    guard sites == nil, plan.sites > 1 else { return logits(images, mask: mask, sites: sites, mode) }
    if case .training = mode { preconditionFailure("domain-specific batch norm learns from known sites") }
    let branches = (0..<plan.sites).map { SiteRows(site: $0, count: images.size(0)) }
    let probabilities = branches.map { self(images, mask: mask, sites: $0, mode).softmax(1) }
    return PassLogits(full: (probabilities.dropFirst().reduce(probabilities[0], +) / Double(branches.count)).log())
  }
}
