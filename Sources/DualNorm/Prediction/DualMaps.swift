import Torch

/// γ and β that one dual layer computes from the mask of a slice, for y = x̂ · (1 + γ) + β.
package struct DualMap: Sendable {
  package let block: Block
  /// 0 or 1: the block's first or second dual layer.
  package let index: Int
  package let channels: Int
  /// Size of the layer in pixels: the window's, halved `block.level` times.
  package let size: ImageSize
  /// γ and β, channels × height × width each.
  package let gamma, beta: [Float]
  /// The mask that the layer saw, classes × height × width, background first.
  package let mask: [Float]
}

extension DualNormNetwork {
  /// γ and β of every dual layer in a window, from the final pass of a prediction; empty without dual blocks.
  ///
  /// - Parameter site: index of the volume's site among the training sites; nil for another site.
  func dualMaps(
    of volume: PreparedVolume, in window: Window, _ sampling: some Sampling, site: Int? = nil
  ) -> [DualMap] {
    guard let dual = plan.dual else { return [] }
    return withoutGradients {
      let input = sampling.input([(volume, window)], on: device)
      let first = segmenter(ofSite: site).scores(of: input, .evaluation)[.first]!
      let mask = finalMask(after: first.probabilities, reference: input.labels)!
      let levels = MaskLevels(mask, dual.maskKind)
      return dualNorms.flatMap { block, norms -> [DualMap] in
        let size = ImageSize(height: window.rows.count >> block.level, width: window.columns.count >> block.level)
        let seen = levels.resized(height: size.height, width: size.width).values(Float.self)
        return norms.enumerated().map { index, norm in
          let (gamma, beta) = norm.modulation(by: levels, height: size.height, width: size.width)
          return DualMap(
            block: block, index: index, channels: gamma.size(1), size: size, gamma: gamma.values(Float.self),
            beta: beta.values(Float.self), mask: seen)
        }
      }
    }
  }
}
