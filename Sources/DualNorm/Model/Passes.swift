import Torch

/// The first pass has plain norms; the final pass has region-wise norms under the first pass's mask.
public enum Pass: String, Codable, Sendable, CaseIterable {
  case first, final
}

extension DualNormUNet {
  /// The passes of this network: one without dual blocks.
  public var passes: [Pass] { configuration.dualBlocks.isEmpty ? [.first] : [.first, .final] }

  /// Runs each pass on images [N, inputChannels, H, W] and hands on its logits [N, classes, H, W].
  ///
  /// The final pass takes the first one's class probabilities, cut off from the graph, as its mask. Training and
  /// prediction share this function; training takes its first step inside `body`, before the final pass runs.
  public func forEachPass(over images: Tensor, _ mode: Mode, _ body: (Pass, Tensor) throws -> Void) rethrows {
    let logits = self(images, mode)
    try body(.first, logits)
    guard passes.contains(.final) else { return }
    let mask = logits.detached().softmax(1)
    try body(.final, self(images, mask: mask, mode))
  }
}
