/// The dual norms of a network. The published one has them in inc, down1, down2 and down3.
public struct DualPlan: Equatable, Sendable, ExpressibleByArrayLiteral {
  /// The blocks with region-wise norms in the final pass; at least one.
  package var blocks: [BlockName]
  package var maskKind: MaskKind
  package var maskSource: MaskSource
  /// A dual norm's hidden channels are its channels divided by this.
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

/// How a class mask is resized to a block's size.
package enum MaskKind: String, Codable, Sendable, CaseIterable {
  /// Bilinear, corners aligned.
  case soft
  /// Nearest neighbour.
  case hard
}

/// The mask of the classes that the dual norms of the final pass see.
package enum MaskSource: String, Codable, Sendable, CaseIterable {
  /// The first pass's class probabilities: the method of the paper.
  case prediction
  /// The true labels, one-hot: what the method could reach with a perfect first pass.
  case reference
  /// Each class with the same probability everywhere: what the dual norms give without a mask.
  case uniform
}

/// The step of a dual norm between its global batch norm and the scale and shift that it predicts from the mask.
package enum LocalStatistics: String, Codable, Sendable, CaseIterable {
  /// None: the method of the paper.
  case predicted
  /// Normalizes each region of the mask by its own mean and variance; see `Tensor.normalized(inRegionsOf:)`.
  case measured
}
