import Basics
package import Datasets
package import MedicalImaging
import Scores

extension TrainingConfiguration {
  /// The preparation and the levels of the network from the options; the cases determine the rest.
  ///
  /// - Parameter isCT: whether the data set says that its volumes are in Hounsfield units.
  package func plan(
    for facts: [CaseFacts], isCT: Bool = false
  ) throws -> (preparation: PreparationPlan, levels: Levels) {
    var settled = self
    settled.whitening = whitening ?? (isCT ? .ct : .foreground)
    return try settled.settledPlan(for: facts)
  }

  private func settledPlan(for facts: [CaseFacts]) throws -> (preparation: PreparationPlan, levels: Levels) {
    guard dimensions == 3 else {
      let isFlat = facts.allSatisfy { $0.geometry.size.z == 1 }
      let plan = try preparation(
        for: facts, resamplingOption(), size: size, context: context ?? (isFlat ? 1 : 3), .slices)
      return (plan, .slices)
    }
    try requireVolumes(facts)
    let (resampling, shapes) = try resampledShapes(facts)
    let volumes = try VolumePlan(shapes, window: size) { window, levels in
      let voxels = window.sizes.reduce(1, *)
      return try voxels <= Self.smallestPlannedWindow || isAffordable(window, levels, facts)
    }
    guard volumes.levels.depth > 0 else {
      throw Refusal(
        .input, "The window \(volumes.window) is too small for a pooling",
        remedy: "give \(Setting.size) with at least two sides of 8 voxels, or leave \(Setting.dimensions) out")
    }
    let preparation = try preparation(
      for: facts, resampling, size: volumes.window, context: 1, volumes.levels)
    return (preparation, volumes.levels)
  }

  /// The resampling of volumes, and their shapes after it.
  func resampledShapes(
    _ facts: [CaseFacts]
  ) throws -> (resampling: PreparationPlan.Resampling, shapes: [VolumeShape]) {
    let resampling = try resamplingOption() ?? VolumeShape.commonSpacing(facts.map { VolumeShape($0.geometry) })
    let unsized = try PreparationPlan(resampling: resampling)
    return (resampling, facts.map { VolumeShape($0.geometry.sized(unsized.resampledVoxels($0.geometry))) })
  }

  private func preparation(
    for facts: [CaseFacts], _ resampling: PreparationPlan.Resampling?, size: Extent?, context: Int, _ levels: Levels
  ) throws -> PreparationPlan {
    try PreparationPlan.derived(
      from: facts, window: window, resampling: resampling, networkSize: size, contextSlices: context,
      whitening: whitening ?? .foreground, padsSlices: padsSlices, multiples: levels.multiples)
  }

  private func requireVolumes(_ facts: [CaseFacts]) throws {
    guard facts.contains(where: { $0.geometry.size.z > 1 }) else {
      throw Refusal(
        .input, "\(Setting.dimensions) is 3, and every case is a picture or a single slice",
        remedy: "leave \(Setting.dimensions) out")
    }
  }

  /// The axes along which the augmentation mirrors windows.
  func mirrorAxes(classes: Int) -> [MirrorAxis] {
    augmentation.contains(.flip) ? flipAxes ?? Augmentation.standardFlips(classes: classes) : []
  }

  /// The preparation from the options, for unknown volumes.
  package func plan(orientation: Orientation? = nil) throws -> PreparationPlan {
    // That of CT needs the cases.
    let whitening = whitening == .ct ? .foreground : whitening ?? .foreground
    return try PreparationPlan(
      window: window, resampling: resamplingOption() ?? .none, networkSize: size,
      contextSlices: dimensions == 3 ? 1 : context ?? 3, whitening: whitening, orientation: orientation,
      padsSlices: padsSlices, multiples: dimensions == 3 ? [1, 1, 1] : Levels.slices.multiples)
  }

  /// The published network takes slices unpadded, unless the user gives a size or layer norm needs one.
  private var padsSlices: Bool { recipe != .published || size != nil || norm == .ln || dimensions == 3 }

  /// Refuses impossible sizes and widths before any data are read.
  func requireWorkable() throws {
    if dimensions == 3 {
      guard context ?? 1 == 1 else {
        throw Refusal(
          .input, "\(Setting.context) is \(context ?? 1), and \(Setting.dimensions) is 3",
          remedy: "leave \(Setting.context) out; a 3-D network sees whole windows")
      }
      guard size?.sizes.count ?? 3 == 3 else {
        throw Refusal(
          .input, "\(Setting.size) is \(size!), and \(Setting.dimensions) is 3",
          remedy: "give depth, height and width, for example 32,64,64")
      }
      guard resampleSize == nil else {
        throw Refusal(
          .input, "\(Setting.resampleSize) resamples slices, and \(Setting.dimensions) is 3",
          remedy: "give \(Setting.spacing) instead")
      }
    } else if let size, size.depth != nil {
      throw Refusal(
        .input, "\(Setting.size) is \(size), and \(Setting.dimensions) is 2", remedy: "give height and width")
    } else if spacing?.z != nil {
      throw Refusal(
        .input, "\(Setting.spacing) has three numbers, and \(Setting.dimensions) is 2", remedy: "give x and y in mm")
    }
    try requireUsableFlips()
    _ = try plan()
    let levels = dimensions == 3 ? Levels.volumes(poolings: Self.largestDepth) : .slices
    let smallest = norm == .ln ? Extent(levels.multiples.map { _ in 16 }) : nil
    var smallestPlan = NetworkPlan(
      network, levels: levels, classes: 2, width: width, norm: norm, dual: dualPlan, size: smallest)
    smallestPlan.transformer = transformer
    try smallestPlan.validate()
  }

  private var transformer: TransformerPlan {
    let usual = TransformerPlan()
    return TransformerPlan(layers: transformerLayers ?? usual.layers, heads: transformerHeads ?? usual.heads)
  }

  private func requireUsableFlips() throws {
    guard let flipAxes, !flipAxes.isEmpty else { return }
    let found = "\(Setting.flipAxes) is \(flipAxes.map(\.rawValue).joined(separator: ","))"
    guard augmentation.contains(.flip) else {
      throw Refusal(
        .input, found + ", and \(Setting.augmentation) has no flip",
        remedy: "add flip to \(Setting.augmentation), or leave \(Setting.flipAxes) out")
    }
    guard dimensions == 3 || !flipAxes.contains(.z) else {
      throw Refusal(
        .input, found + ", and \(Setting.dimensions) is 2",
        remedy: "leave z out; the slices of a 2-D network keep their order")
    }
  }

  /// The most poolings of a 3-D network, whose blocks the options may name before the cases are known.
  package static let largestDepth = 10

  /// The most poolings that these options allow.
  var largestDepth: Int { dimensions == 3 ? Self.largestDepth : Levels.slices.depth }

  /// The dual norms from the options; nil without dual blocks.
  var dualPlan: DualPlan? { dualPlan(dualBlocks) }

  private func dualPlan(_ blocks: [BlockName]) -> DualPlan? {
    guard !blocks.isEmpty else { return nil }
    return DualPlan(
      blocks, maskKind: mask, maskSource: maskSource, reduction: reduction, localStatistics: localStatistics)
  }

  private func resamplingOption() throws -> PreparationPlan.Resampling? {
    guard spacing == nil || resampleSize == nil else {
      throw Refusal(
        .input, "\(Setting.spacing) and \(Setting.resampleSize) exclude each other", remedy: "give one of them")
    }
    return spacing.map { .spacingMM(x: $0.x, y: $0.y, z: $0.z) }
      ?? resampleSize.map { .size(height: $0.height, width: $0.width) }
  }

  /// The number of rows per batch; by default the smallest multiple of the number of sites that is at least 8, or 2 in
  /// 3-D.
  func batchSize(sites: Int) -> Int {
    let least = dimensions == 3 ? 2 : 8
    return batchSize ?? (least + sites - 1) / sites * sites
  }

  /// The dual blocks of a network with these levels. The default names blocks by the number of levels.
  private func dualBlocks(of levels: Levels) -> [BlockName] {
    hasStandardDualBlocks ? network.standardDualBlocks(depth: levels.depth) : dualBlocks
  }

  /// Tells whether the dual blocks are those of the default.
  var hasStandardDualBlocks: Bool { dualBlocks == network.standardDualBlocks }

  /// Tells whether the dual blocks are those of the default for some number of levels.
  var hasStandardDualBlocksOfSomeDepth: Bool { dualBlocks == network.standardDualBlocks(depth: dualBlocks.count) }

  /// The network for the options and the data.
  func network(
    labels: LabelScheme, plan: PreparationPlan, levels: Levels = .slices, modalities: Int, sites: Int = 1
  ) throws -> NetworkPlan {
    var network = NetworkPlan(
      network, levels: levels, classes: labels.classCount, inputChannels: plan.contextSlices * modalities, width: width,
      norm: norm, dual: dualPlan(dualBlocks(of: levels)), size: norm == .ln ? plan.networkSize : nil,
      sites: norm == .dsbn ? sites : 1, deepSupervision: deepSupervision)
    network.transformer = transformer
    try network.validate()
    guard !weightedCrossEntropy || labels.classCount > 2 else {
      throw Refusal(
        .input,
        "\(Setting.weightedCrossEntropy) weights the classes of the cross entropy, which the published loss of two "
          + "classes (background and \(labels.names[0])) does not have", remedy: "leave it out")
    }
    if let size = plan.networkSize, size.sizes == levels.multiples {
      try requireSeveralValues(network, size, sites: sites)
    }
    return network
  }

  /// Refuses batches that have a single value per channel at the deepest level, and so no variance for batch norm.
  ///
  /// The smallest slices are a single pixel there.
  private func requireSeveralValues(_ network: NetworkPlan, _ size: Extent, sites: Int) throws {
    let kind = dimensions == 3 ? "windows" : "slices"
    guard batchSize != 1 || !network.usesBatchNormAtTheBottom else {
      throw Refusal(
        .input,
        "\(Setting.batchSize) is 1 and \(kind) are \(size), so batch normalization has a single value a channel "
          + "at the deepest level", remedy: "give at least 2 \(kind) a batch")
    }
    let rows = batchSize(sites: sites)
    guard norm != .dsbn || rows >= 2 * sites else {
      throw Refusal(
        .input,
        "A batch has \(rows) \(kind) of \(size) from \(sites) sites, so domain-specific batch normalization "
          + "has a single value a channel of a site at the deepest level",
        remedy: "give \(Setting.batchSize) \(2 * sites) or more")
    }
  }
}
