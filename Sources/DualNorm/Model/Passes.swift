import Torch

/// The first pass has plain norms; the final pass has region-wise norms under the mask of `MaskSource`.
package enum Pass: String, Codable, Sendable, CaseIterable {
  case first, final
}

extension DualNormUNet {
  /// The passes of this network: one without dual blocks.
  package var passes: [Pass] { configuration.dualBlocks.isEmpty ? [.first] : [.first, .final] }

  /// Runs each pass on images [N, inputChannels, H, W] and hands on its logits.
  ///
  /// The final pass takes the first one's class probabilities, cut off from the graph, as its mask, or what `MaskSource`
  /// names instead. Training and prediction share this function; training takes its first step inside `body`, before the
  /// final pass runs.
  ///
  /// - Parameters:
  ///   - sites: for domain-specific batch norm; nil where the site is unknown to it, and then each pass hands on the
  ///     logarithm of the mean of all branches' class probabilities.
  ///   - reference: int64 [N, H, W], the true labels; needed where they are the mask.
  package func forEachPass(
    over images: Tensor, sites: SiteRows? = nil, reference: Tensor? = nil, _ mode: Mode,
    _ body: (Pass, PassLogits) throws -> Void
  ) rethrows {
    let logits = siteLogits(images, mask: nil, sites: sites, mode)
    try body(.first, logits)
    guard passes.contains(.final) else { return }
    let mask = mask(firstLogits: logits.full, reference: reference)
    try body(.final, self.siteLogits(images, mask: mask, sites: sites, mode))
  }

  /// The mask that the final pass takes in evaluation, [N, classes, H, W]; for the rest see `forEachPass`.
  func finalMask(over images: Tensor, sites: SiteRows? = nil, reference: Tensor? = nil) -> Tensor {
    mask(firstLogits: siteLogits(images, mask: nil, sites: sites, .evaluation).full, reference: reference)
  }

  /// [N, classes, H, W], one in the sum over the classes.
  private func mask(firstLogits logits: Tensor, reference: Tensor?) -> Tensor {
    switch configuration.maskSource {
    case .prediction: return logits.detached().softmax(1)
    case .uniform:
      return logits.detached() * 0 + 1 / Double(configuration.classes)
    case .reference:
      guard let reference else { preconditionFailure("the reference mask needs the true labels") }
      return reference.oneHot(configuration.classes).permuted(0, 3, 1, 2).converted(to: logits.type)
    }
  }

  private func siteLogits(_ images: Tensor, mask: Tensor?, sites: SiteRows?, _ mode: Mode) -> PassLogits {
    guard sites == nil, configuration.sites > 1 else { return logits(images, mask: mask, sites: sites, mode) }
    if case .training = mode { preconditionFailure("domain-specific batch norm learns from known sites") }
    let branches = (0..<configuration.sites).map { SiteRows(site: $0, count: images.size(0)) }
    let probabilities = branches.map { self(images, mask: mask, sites: $0, mode).softmax(1) }
    return PassLogits(full: (probabilities.dropFirst().reduce(probabilities[0], +) / Double(branches.count)).log())
  }
}
