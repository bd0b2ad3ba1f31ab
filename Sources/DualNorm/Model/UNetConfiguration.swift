import Basics

/// The normalization of the first pass.
package enum PlainNorm: String, Codable, Sendable, CaseIterable {
  /// Batch, instance, group and layer normalization.
  case bn, `in`, gn, ln
  /// Domain-specific batch normalization (Chang et al., CVPR 2019): a batch norm for each training site.
  case dsbn

  /// GroupNorm's number of groups.
  static let groups = 16
}

/// The residual blocks of the network, from input to output.
package enum BlockName: String, Codable, Sendable, CaseIterable {
  case inc, down1, down2, down3, down4, mid, up1, up2, up3, up4

  /// How often the input was halved where the block works.
  package var level: Int {
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
package enum MaskKind: String, Codable, Sendable, CaseIterable {
  /// Bilinear, corners aligned.
  case soft
  /// Nearest neighbour.
  case hard
}

/// What the dual layers of the final pass see as the mask of the classes.
package enum MaskSource: String, Codable, Sendable, CaseIterable {
  /// The first pass's class probabilities: the method of the paper.
  case prediction
  /// The true labels, one-hot: what the method could reach with a perfect first pass.
  case reference
  /// Each class with the same probability everywhere: what the dual layers give without a mask.
  case uniform
}

/// What a dual layer does between its global batch norm and the scale and shift that it predicts from the mask.
package enum LocalStatistics: String, Codable, Sendable, CaseIterable {
  /// Nothing: the method of the paper.
  case predicted
  /// Normalizes each region of the mask by its own mean and variance; see `Tensor.normalized(inRegionsOf:)`.
  case measured
}

/// What a U-Net looks like. The published network has width 32 and dual blocks inc, down1, down2 and down3.
package struct UNetConfiguration: Codable, Equatable, Sendable {
  /// Classes of the output, background included; at least 2.
  package var classes: Int
  /// Context slices × modalities.
  package var inputChannels: Int
  /// Channels of the first level; each level below has twice as many.
  package var width: Int
  package var norm: PlainNorm
  /// Blocks with region-wise norms in the final pass; with none there is a single pass.
  package var dualBlocks: [BlockName]
  package var maskKind: MaskKind
  /// A dual layer's hidden channels are its channels divided by this.
  package var reduction: Int
  /// The only size the network works for; layer norm needs it.
  package var size: ImageSize?
  /// Branches of domain-specific batch norm, one a training site; 1 for other norms.
  package var sites: Int
  package var maskSource: MaskSource
  package var localStatistics: LocalStatistics
  /// Whether the blocks up1, up2 and up3 have outputs of their own, which only training looks at.
  package var deepSupervision: Bool

  package init(
    classes: Int, inputChannels: Int = 3, width: Int = 32, norm: PlainNorm = .bn, dualBlocks: [BlockName] = [],
    maskKind: MaskKind = .soft, reduction: Int = 2, size: ImageSize? = nil, sites: Int = 1,
    maskSource: MaskSource = .prediction, localStatistics: LocalStatistics = .predicted, deepSupervision: Bool = false
  ) {
    self.classes = classes
    self.inputChannels = inputChannels
    self.width = width
    self.norm = norm
    self.dualBlocks = dualBlocks
    self.maskKind = maskKind
    self.reduction = reduction
    self.size = size
    self.sites = sites
    self.maskSource = maskSource
    self.localStatistics = localStatistics
    self.deepSupervision = deepSupervision
  }

  private enum CodingKeys: String, CodingKey {
    case classes, width, norm, reduction, size, sites
    case inputChannels = "input_channels"
    case dualBlocks = "dual_blocks"
    case maskKind = "mask"
    case maskSource = "mask_source"
    case localStatistics = "local_statistics"
    case deepSupervision = "deep_supervision"
  }

  /// Files of earlier versions lack the keys of what was added since; they mean what those versions did.
  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    func value<Value: Decodable>(_ key: CodingKeys, absent: Value) throws -> Value {
      try container.decodeIfPresent(Value.self, forKey: key) ?? absent
    }
    self.init(
      classes: try container.decode(Int.self, forKey: .classes),
      inputChannels: try container.decode(Int.self, forKey: .inputChannels),
      width: try container.decode(Int.self, forKey: .width), norm: try container.decode(PlainNorm.self, forKey: .norm),
      dualBlocks: try container.decode([BlockName].self, forKey: .dualBlocks),
      maskKind: try container.decode(MaskKind.self, forKey: .maskKind),
      reduction: try container.decode(Int.self, forKey: .reduction),
      size: try container.decodeIfPresent(ImageSize.self, forKey: .size), sites: try value(.sites, absent: 1),
      maskSource: try value(.maskSource, absent: .prediction),
      localStatistics: try value(.localStatistics, absent: .predicted),
      deepSupervision: try value(.deepSupervision, absent: false))
  }

  /// Fewer numbers than the network has, known before any memory is taken for it.
  var leastWeightCount: Double {
    let width = Double(width)
    let planes = norm == .ln ? Double(size?.height ?? 0) * Double(size?.width ?? 0) : 0
    // Both convolutions of the deepest block, the first and the last convolution, a norm of the first level.
    return 2 * 9 * 256 * width * width + width * (Double(inputChannels) + Double(classes) + Double(sites) + planes)
  }

  /// Whether anything in the network depends on batch statistics.
  package var usesBatchNorm: Bool { norm == .bn || norm == .dsbn || !dualBlocks.isEmpty }

  /// - Throws: `InputError` naming the value that no network can have.
  func validate() throws {
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
    try require(
      sites >= 1 && (sites == 1 || norm == .dsbn),
      "The network has \(sites) sites; domain-specific batch norm (dsbn) has at least 1, every other norm exactly 1.")
    let repeated = Dictionary(grouping: dualBlocks, by: { $0 }).first { $0.value.count > 1 }
    try require(repeated == nil, "The dual block \(repeated?.key.rawValue ?? "") is named twice; name each block once.")
  }
}
