import Basics
import Datasets
package import MedicalImaging
import Scores

extension TrainingConfiguration {
  /// The preparation from the options; the cases determine the rest.
  func plan(for facts: [CaseFacts]) throws -> PreparationPlan {
    try PreparationPlan.derived(
      from: facts, window: window, resampling: resamplingOption(), networkSize: size,
      contextSlices: context ?? (facts.allSatisfy { $0.geometry.size.z == 1 } ? 1 : 3), whitening: whitening,
      padsSlices: padsSlices, sizeMultiple: network.sizeMultiple)
  }

  /// The preparation from the options, for unknown volumes.
  package func plan(orientation: Orientation? = nil) throws -> PreparationPlan {
    try PreparationPlan(
      window: window, resampling: resamplingOption() ?? .none, networkSize: size,
      contextSlices: context ?? 3, whitening: whitening, orientation: orientation,
      padsSlices: padsSlices, sizeMultiple: network.sizeMultiple)
  }

  /// The published network takes slices unpadded, unless the user gives a size or layer norm needs one.
  private var padsSlices: Bool { recipe != .published || size != nil || norm == .ln }

  /// Refuses impossible sizes and widths before any data are read.
  func requireWorkable() throws {
    _ = try plan()
    let smallest = ImageSize(height: network.sizeMultiple, width: network.sizeMultiple)
    try NetworkPlan(network, classes: 2, width: width, norm: norm, dual: dualPlan, size: norm == .ln ? smallest : nil)
      .validate()
  }

  /// The dual norms from the options; nil without dual blocks.
  var dualPlan: DualPlan? {
    guard !dualBlocks.isEmpty else { return nil }
    return DualPlan(
      dualBlocks, maskKind: mask, maskSource: maskSource, reduction: reduction, localStatistics: localStatistics)
  }

  private func resamplingOption() throws -> PreparationPlan.Resampling? {
    guard spacing == nil || resampleSize == nil else {
      throw Refusal(
        .input, "\(Setting.spacing) and \(Setting.resampleSize) exclude each other", remedy: "give one of them")
    }
    return spacing.map { .spacingMM(x: $0.x, y: $0.y) }
      ?? resampleSize.map { .size(height: $0.height, width: $0.width) }
  }

  /// The number of slices per batch; by default the smallest multiple of the number of sites that is at least 8.
  func slicesPerBatch(sites: Int) -> Int { batchSize ?? (8 + sites - 1) / sites * sites }

  /// The network for the options and the data.
  func network(labels: LabelScheme, plan: PreparationPlan, modalities: Int, sites: Int = 1) throws -> NetworkPlan {
    let network = NetworkPlan(
      network, classes: labels.classCount, inputChannels: plan.contextSlices * modalities, width: width, norm: norm,
      dual: dualPlan, size: norm == .ln ? plan.networkSize : nil, sites: norm == .dsbn ? sites : 1,
      deepSupervision: deepSupervision)
    try network.validate()
    guard !weightedCrossEntropy || labels.classCount > 2 else {
      throw Refusal(
        .input,
        "\(Setting.weightedCrossEntropy) weights the classes of the cross entropy, which the published loss of two "
          + "classes (background and \(labels.names[0])) does not have", remedy: "leave it out")
    }
    let side = network.architecture.sizeMultiple
    if plan.networkSize == ImageSize(height: side, width: side) { try requireSeveralValues(network, sites: sites) }
    return network
  }

  /// Refuses batches that have a single value per channel at the deepest level, and so no variance for batch norm.
  ///
  /// The smallest slices are a single pixel there.
  private func requireSeveralValues(_ network: NetworkPlan, sites: Int) throws {
    let side = network.architecture.sizeMultiple
    guard batchSize != 1 || !network.usesBatchNormAtTheBottom else {
      throw Refusal(
        .input,
        "\(Setting.batchSize) is 1 and slices are \(side)×\(side), so batch normalization has a single value a channel "
          + "at the deepest level", remedy: "give at least 2 slices a batch")
    }
    let slices = slicesPerBatch(sites: sites)
    guard norm != .dsbn || slices >= 2 * sites else {
      throw Refusal(
        .input,
        "A batch has \(slices) slices of \(side)×\(side) from \(sites) sites, so domain-specific batch normalization "
          + "has a single value a channel of a site at the deepest level",
        remedy: "give \(Setting.batchSize) \(2 * sites) or more")
    }
  }
}
