import Basics

extension NetworkPlan: Codable {
  private enum CodingKeys: String, CodingKey {
    case architecture, classes, width, norm, reduction, size, sites, dimensions, poolings, kernels, stages
    case layers, heads
    case largestWidth = "cap"
    case inputChannels = "input_channels"
    case dualBlocks = "dual_blocks"
    case maskKind = "mask"
    case maskSource = "mask_source"
    case localStatistics = "local_statistics"
    case deepSupervision = "deep_supervision"
  }

  /// Reads files of earlier versions too: a missing key means what those versions did.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    func value<Value: Decodable>(_ key: CodingKeys, absent: Value) throws -> Value {
      try container.decodeIfPresent(Value.self, forKey: key) ?? absent
    }
    let dual = DualPlan(
      try container.decode([BlockName].self, forKey: .dualBlocks),
      maskKind: try container.decode(MaskKind.self, forKey: .maskKind),
      maskSource: try value(.maskSource, absent: .prediction),
      reduction: try container.decode(Int.self, forKey: .reduction),
      localStatistics: try value(.localStatistics, absent: .predicted))
    let levels = Levels(
      poolings: try value(.poolings, absent: Levels.slices.poolings),
      kernels: try value(.kernels, absent: Levels.slices.kernels))
    guard levels.areValid else {
      throw Refusal(.input, "The network's poolings and kernels do not fit together", remedy: "restore the file")
    }
    let architecture = try value(.architecture, absent: Architecture.residualUNet)
    self.init(
      architecture,
      levels: levels,
      classes: try container.decode(Int.self, forKey: .classes),
      inputChannels: try container.decode(Int.self, forKey: .inputChannels),
      width: try container.decode(Int.self, forKey: .width),
      largestWidth: try container.decodeIfPresent(Int.self, forKey: .largestWidth),
      norm: try container.decode(PlainNorm.self, forKey: .norm),
      dual: dual.blocks.isEmpty ? nil : dual, size: try container.decodeIfPresent(Extent.self, forKey: .size),
      sites: try value(.sites, absent: 1), deepSupervision: try value(.deepSupervision, absent: false))
    if architecture.isNNUNet, let found = try container.decodeIfPresent(Stages.self, forKey: .stages) { stages = found }
    let usual = transformer
    transformer = TransformerPlan(
      layers: try value(.layers, absent: usual.layers), heads: try value(.heads, absent: usual.heads))
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    let dual = dual ?? []
    if architecture != .residualUNet { try container.encode(architecture, forKey: .architecture) }
    if levels != .slices || architecture.isNNUNet {
      try container.encode(levels.dimensions, forKey: .dimensions)
      try container.encode(levels.poolings, forKey: .poolings)
      try container.encode(levels.kernels, forKey: .kernels)
      try container.encode(largestWidth, forKey: .largestWidth)
    }
    try container.encode(classes, forKey: .classes)
    try container.encode(inputChannels, forKey: .inputChannels)
    try container.encode(width, forKey: .width)
    try container.encode(norm, forKey: .norm)
    try container.encode(dual.blocks, forKey: .dualBlocks)
    try container.encode(dual.maskKind, forKey: .maskKind)
    try container.encode(dual.reduction, forKey: .reduction)
    try container.encodeIfPresent(size, forKey: .size)
    try container.encode(sites, forKey: .sites)
    try container.encode(dual.maskSource, forKey: .maskSource)
    try container.encode(dual.localStatistics, forKey: .localStatistics)
    try container.encode(deepSupervision, forKey: .deepSupervision)
    try container.encodeIfPresent(stages, forKey: .stages)
    if architecture == .transUNet {
      try container.encode(transformer.layers, forKey: .layers)
      try container.encode(transformer.heads, forKey: .heads)
    }
  }
}
