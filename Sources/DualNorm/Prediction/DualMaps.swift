import Torch

/// γ and β that one dual layer computes from the mask of a slice, for y = x̂ · (1 + γ) + β.
package struct DualMap: Sendable {
  package let block: Block
  /// 0 or 1: the block's first or second dual layer.
  package let index: Int
  package let channels: Int
  /// Size of the layer's slices in pixels: the window's, pooled `block.level` times.
  package let size: ImageSize
  /// γ and β, channels × height × width each.
  package let gamma, beta: [Float]
  /// The mask that the layer saw, classes × height × width, background first.
  package let mask: [Float]
}

extension DualNormNetwork {
  /// γ and β of every dual layer in a window, from the final pass of a prediction; empty without dual blocks.
  ///
  /// A 3-D network has them for the whole window; those of the slice are taken.
  ///
  /// - Parameter site: index of the volume's site among the training sites; nil for another site.
  func dualMaps(
    of volume: PreparedVolume, slice z: Int, _ sampling: any Sampling, site: Int? = nil
  ) -> [DualMap] {
    guard let dual = plan.dual else { return [] }
    let window = sampling.central(slice: z, of: volume)
    return withoutGradients {
      let input = sampling.input([(volume, window)], on: device)
      let first = segmenter(ofSite: site).firstProbabilities(of: input)
      let mask = finalMask(after: first, reference: input.labels)!
      let levels = MaskLevels(mask, dual.maskKind)
      return dualNorms.flatMap { block, norms -> [DualMap] in
        let sizes = plan.levels.size(input.images.spatialShape, at: block.level)
        func values(_ tensor: Tensor) -> [Float] {
          guard tensor.rank == 5 else { return tensor.values() }
          let plane = (z - window.slices.lowerBound) * sizes[0] / window.slices.count
          return tensor.narrowed(2, to: plane..<plane + 1).values()
        }
        let resized = levels.resized(like: Tensor(repeating: 0, shape: [1, 1] + sizes))
        let seen = values(resized)
        return norms.enumerated().map { index, norm in
          let (gamma, beta) = norm.modulation(by: resized)
          return DualMap(
            block: block, index: index, channels: gamma.size(1), size: Extent(sizes).slice, gamma: values(gamma),
            beta: values(beta), mask: seen)
        }
      }
    }
  }
}
