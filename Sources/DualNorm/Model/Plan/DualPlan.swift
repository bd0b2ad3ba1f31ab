/// The dual norms of a network. The published network has them in inc, down1, down2 and down3.
public struct DualPlan: Equatable, Sendable, ExpressibleByArrayLiteral {
  /// The blocks with region-wise norms in the final pass; at least one.
  package var blocks: [BlockName]
  package var maskKind: MaskKind
  package var maskSource: MaskSource
  /// The number by which a dual norm's channels are divided to get its hidden channels.
  package var reduction: Int
  package var localStatistics: LocalStatistics

  package init(
    _ blocks: [BlockName], maskKind: MaskKind = .soft, maskSource: MaskSource = .prediction, reduction: Int = 2,
    localStatistics: LocalStatistics = .predicted
  ) {
    self.blocks = blocks
    self.maskKind = maskKind
    self.maskSource = maskSource
    self.reduction = reduction
    self.localStatistics = localStatistics
  }

  public init(arrayLiteral blocks: BlockName...) { self.init(blocks) }
}

/// The interpolation that resizes a class mask to a block's size.
package enum MaskKind: String, Codable, Sendable, CaseIterable {
  /// Bilinear, corners aligned.
  case soft
  /// Nearest neighbour.
  case hard
}

/// The source of the class mask that the dual norms use in the final pass.
package enum MaskSource: String, Codable, Sendable, CaseIterable {
  /// The first pass's class probabilities, as in the paper.
  case prediction
  /// The true labels, one-hot, to measure the method with a perfect first pass.
  case reference
  /// The same probability for each class everywhere, to measure the dual norms without a mask.
  case uniform
}

/// The step of a dual norm between its global batch norm and the predicted scale and shift.
package enum LocalStatistics: String, Codable, Sendable, CaseIterable {
  /// No step, as in the paper.
  case predicted
  /// Normalizes each region of the mask by its own mean and variance; see `Tensor.normalized(inRegionsOf:)`.
  case measured
}
