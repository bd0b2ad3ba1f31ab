/// The normalization of the first pass.
public enum PlainNorm: String, Codable, Sendable, CaseIterable {
  /// Batch, instance, group and layer normalization.
  case bn, `in`, gn, ln

  /// GroupNorm's number of groups.
  static let groups = 16
}

/// The residual blocks of the network, from input to output.
public enum BlockName: String, Codable, Sendable, CaseIterable {
  case inc, down1, down2, down3, down4, mid, up1, up2, up3, up4

  /// How often the input was halved where the block works.
  public var level: Int {
    switch self {
    case .inc, .up4: 0
    case .down1, .up3: 1
    case .down2, .up2: 2
    case .down3, .up1: 3
    case .down4, .mid: 4
    }
  }
}

/// How a class mask is brought to a block's size.
public enum MaskKind: String, Codable, Sendable, CaseIterable {
  /// Bilinear, corners aligned.
  case soft
  /// Nearest neighbour.
  case hard
}

/// Height and width of a slice, in pixels.
public struct SliceSize: Codable, Equatable, Hashable, Sendable {
  public var height: Int
  public var width: Int

  public init(height: Int, width: Int) {
    self.height = height
    self.width = width
  }
}

/// What a U-Net looks like. The published network has width 32 and dual blocks inc, down1, down2 and down3.
public struct UNetConfiguration: Codable, Equatable, Sendable {
  /// Classes of the output, background included; at least 2.
  public var classes: Int
  /// Context slices × modalities.
  public var inputChannels: Int
  /// Channels of the first level; each level below has twice as many.
  public var width: Int
  public var norm: PlainNorm
  /// Blocks with region-wise norms in the final pass; with none there is a single pass.
  public var dualBlocks: [BlockName]
  public var maskKind: MaskKind
  /// A dual layer's hidden channels are its channels divided by this.
  public var reduction: Int
  /// The only size the network works for; layer norm needs it.
  public var size: SliceSize?

  public init(
    classes: Int, inputChannels: Int = 3, width: Int = 32, norm: PlainNorm = .bn, dualBlocks: [BlockName] = [],
    maskKind: MaskKind = .soft, reduction: Int = 2, size: SliceSize? = nil
  ) {
    self.classes = classes
    self.inputChannels = inputChannels
    self.width = width
    self.norm = norm
    self.dualBlocks = dualBlocks
    self.maskKind = maskKind
    self.reduction = reduction
    self.size = size
  }

  /// - Throws: `InputError` naming the value that no network can have.
  public func validate() throws {
    func require(_ condition: Bool, _ sentence: String) throws {
      if !condition { throw InputError(sentence) }
    }
    try require(classes >= 2, "A network needs at least 2 classes (background and one more), not \(classes).")
    try require(inputChannels >= 1, "A network needs at least 1 input channel, not \(inputChannels).")
    try require((1...1024).contains(width), "The width is \(width); choose 1 to 1024.")
    try require(
      reduction >= 1 && reduction <= width,
      "The reduction is \(reduction); choose 1 to the width, \(width), so that a dual layer keeps a hidden channel.")
    try require(
      norm != .gn || width % PlainNorm.groups == 0,
      "Group norm works on \(PlainNorm.groups) groups, so the width must be a multiple of it, not \(width).")
    try require(
      norm != .ln || size != nil, "Layer norm works for one slice size only; give the network's size (--size).")
    let repeated = Dictionary(grouping: dualBlocks, by: { $0 }).first { $0.value.count > 1 }
    try require(repeated == nil, "The dual block \(repeated?.key.rawValue ?? "") is named twice; name each block once.")
  }
}
