import Basics
import Datasets
public import Foundation
public import MedicalImaging
public import Scores
package import Torch

/// A trained network, or an ensemble of several, with everything that turns the files of a case into a mask.
public final class SegmentationModel {
  /// The description of the network, or what the members of an ensemble have in common.
  package let description: ModelDescription
  let members: NetworkMembers
  /// Members that prepare volumes alike, in order; others have grids, windows or orientations of their own.
  let groups: [Group]
  /// The axes along which each member also segments images mirrored.
  private let mirrorAxes: [[MirrorAxis]]
  package let device: Device
  /// Overlap of neighbouring windows, as a share of a window.
  package var overlap = defaultOverlap
  /// Bytes that the scores of a case may take; see `ScoreMemory`.
  var memory = VolumeMemory.ofMachine

  /// Reads run folders; several make an ensemble.
  ///
  /// - Parameters:
  ///   - mirrors: whether each image is also segmented mirrored, along the axes of the training.
  ///   - maskSource: replaces the model's own.
  ///   - precision: replaces the one it was trained in.
  ///   - device: where the networks run.
  ///   - limit: bytes for the weights of all. If they take more, one network is in memory at a time.
  /// - Throws: `Refusal` naming the file that is missing or does not fit.
  package init(
    contentsOf runs: [RunFolder], mirrors: Bool = false, maskSource: MaskSource? = nil, precision: Precision? = nil,
    device: Device = .cpu, limit: Int = SegmentationModel.weightLimit
  ) throws {
    let sources = try runs.map { try NetworkMembers.Source($0, maskSource) }
    description = try .ensemble(sources.map { ($0.run.url.path, $0.description) })
    mirrorAxes = try sources.map { mirrors ? try $0.description.usableMirrorAxes(of: $0.run.url.path) : [] }
    members = try NetworkMembers(sources, precision: precision, device: device, limit: limit)
    let plans = sources.map(\.description.preparation)
    groups = plans.indices.filter { plans.firstIndex(of: plans[$0]) == $0 }.map { first in
      Group(description: sources[first].description, members: plans.indices.filter { plans[$0] == plans[first] })
    }
    self.device = device
    guard groups.count == 1 || !description.needsReference else {
      throw Refusal(
        .input,
        "The members of the ensemble prepare volumes in \(groups.count) ways, and \(Setting.maskSource) "
          + "reference needs one", remedy: "leave \(Setting.maskSource) out, or give models of one preparation")
    }
  }

  /// Bytes that the weights of an ensemble may take together: a quarter of the memory.
  package static var weightLimit: Int { VolumeMemory.limit / 4 }

  /// - Throws: `Refusal` for members that prepare volumes differently, since batch statistics are of prepared volumes.
  package func requireAdaptable() throws {
    guard groups.count > 1 else { return }
    throw Refusal(
      .input, "The members of the ensemble prepare volumes in \(groups.count) ways, and \(Setting.adapt) needs one",
      remedy: "leave \(Setting.adapt) out")
  }

  /// Reads a run folder.
  package convenience init(
    contentsOf run: RunFolder, maskSource: MaskSource? = nil, precision: Precision? = nil, device: Device = .cpu
  ) throws {
    try self.init(contentsOf: [run], maskSource: maskSource, precision: precision, device: device)
  }

  /// The network, or that of an ensemble's first member.
  package var network: DualNormNetwork { members.network(0) }

  /// The passes of the networks; both if any has both.
  package var passes: [Pass] { description.passes }

  /// The segmenter of a site's images: the network, or the mean over a group's members and mirror images.
  ///
  /// - Parameters:
  ///   - site: its name; nil for another site than those of the training.
  ///   - keepsEntropy: whether scores tell what the members disagree in.
  private func segmenter(_ group: Group, ofSite site: String?, keepsEntropy: Bool = false) -> any Segmenter {
    // nnU-Net averages logits, other models probabilities.
    let averagesLogits = group.description.preparation.nnUNet != nil
    func member(_ index: Int) -> any Segmenter {
      let branch = members.sources[index].description.branch(ofSite: site)
      let one = members.network(index).segmenter(ofSite: branch)
      let axes = mirrorAxes[index]
      return axes.isEmpty
        ? one : Mirrored(base: one, axes: axes, averagesLogits: averagesLogits, keepsEntropy: keepsEntropy)
    }
    let all = group.members
    let one =
      all.count == 1
      ? member(all[0])
      : Ensemble(count: all.count, averagesLogits: averagesLogits, keepsEntropy: keepsEntropy) { member(all[$0]) }
    return keepsEntropy ? WithDisagreement(base: one) : one
  }

  /// The statistics of all batch norms over volumes; see `DualNormNetwork.batchStatistics`.
  func batchStatistics(
    of volumes: [PreparedVolume], site: String?, progress: (Int, Int) throws -> Void
  ) throws -> BatchStatistics {
    try requireAdaptable()
    members.keepAll()
    let found = try segmenter(groups[0], ofSite: site).batchStatistics(
      of: volumes, statisticsSampling, on: device, progress: progress)
    try requireMembers()
    return found
  }

  /// Throws the error of a member that could not be read again.
  func requireMembers() throws { if let failure = members.failure { throw failure } }

  /// One pass's result on the grid of the case's files.
  package struct Segmentation: Sendable {
    package let pass: Pass
    /// Mask in the label values of the data set.
    package let labels: LabelMap
    /// Class probabilities: one image per class, background first. They sum to 1 in each voxel. Empty unless requested.
    package let probabilities: [Image]
    /// nil unless requested.
    package var uncertainty: Uncertainty?
  }

  var sampling: any Sampling { DualNorm.sampling(description.preparation, overlap: overlap) }

  /// Windows for batch statistics, which cover volumes with as little overlap as can be.
  var statisticsSampling: any Sampling { DualNorm.sampling(description.preparation, overlap: 0) }

  /// γ and β of the dual layers in the middle window of a slice; see `DualNormNetwork.dualMaps`.
  package func dualMaps(of item: PreparedCase, slice z: Int) -> [DualMap] {
    network.dualMaps(
      of: item.volume, slice: item.volume.networkSlice(of: z), sampling,
      site: members.sources[0].description.branch(ofSite: item.source.site))
  }

  /// Pixels and size of the middle window of a slice; see `PreparedCase.shownChannels`.
  package func shownWindow(of item: PreparedCase, slice z: Int) throws -> (channels: [[Float]], size: ImageSize) {
    let slice = item.volume.networkSlice(of: z)
    let window = sampling.central(slice: slice, of: item.volume)
    return (try item.shownChannels(slice: slice, in: window), window.size)
  }

  /// Reads the model of a run folder.
  ///
  /// - Throws: `Refusal` for a folder that holds no model, or a damaged one.
  public convenience init(contentsOf folder: URL) throws { try self.init(contentsOf: RunFolder(folder)) }

  /// The classes and their values in masks.
  public var labels: LabelScheme { description.labels }

  /// Segments a volume or a picture on the grid of its file.
  ///
  /// - Parameter images: one file per modality, in the order of training.
  /// - Throws: `Refusal` for files that cannot be read or do not fit the model.
  public func segment(_ images: URL...) throws -> LabelMap {
    guard let first = images.first else {
      throw Refusal(
        .input, "No image is given", remedy: "give a file for each modality")
    }
    let scan = Case(name: first.lastPathComponent, site: "", images: images, mask: nil)
    return try segment(try description.prepared(scan), site: nil)[0].labels
  }

  /// Segments every slice of a case.
  ///
  /// An ensemble averages the probabilities of its members, each with its final pass under its own mask.
  ///
  /// - Parameters:
  ///   - item: consumed; its intensities are freed before post-processing, unless the caller keeps them.
  ///   - site: selects the branch of domain-specific batch norm. For nil or a site not trained on, each pass averages
  ///     the class probabilities of all branches, and the first pass's mean is the mask.
  ///   - statistics: replace those of the batch norms.
  ///   - largestComponent: selects the classes that keep only their largest connected component.
  ///   - keepsProbabilities: whether to return class probabilities, at 4 bytes per voxel, class and pass.
  ///   - keepsUncertainty: whether to return the uncertainty, at 8 bytes per voxel and pass.
  ///   - progress: called with the slices done in the last pass and their number, on the network's grid; false ends the
  ///     segmentation.
  /// - Throws: `Refusal` for a case whose scores take more than the memory, or a member whose file could not be read
  ///   again.
  package func segment(
    _ item: consuming PreparedCase, passes: Set<Pass> = [.final], site: String?, statistics: BatchStatistics? = nil,
    largestComponent: LargestComponentChoice = .asInModel, keepsProbabilities: Bool = false,
    keepsUncertainty: Bool = false, progress: ((_ done: Int, _ total: Int) -> Bool)? = nil
  ) throws -> [Segmentation] {
    try requireRoom(for: item, passes, keepsProbabilities: keepsProbabilities, keepsUncertainty: keepsUncertainty)
    guard groups.count == 1 else {
      return try segmentByGroups(
        item, passes, site: site, largestComponent: largestComponent, keepsProbabilities: keepsProbabilities,
        keepsUncertainty: keepsUncertainty, progress)
    }
    let grid = item.volume.grid
    let reduced = description.largestComponentClasses(largestComponent)
    var found = try results(
      of: item.volume, groups[0], passes, site: site, statistics: statistics, keepsProbabilities: keepsProbabilities,
      keepsUncertainty: keepsUncertainty, progress)
    try requireMembers()
    _ = consume item  // frees its intensities before the search for components
    return Pass.allCases.filter(passes.contains).map { pass in
      let result = found.removeValue(forKey: pass)!
      let (probabilities, sums) = (result.probabilities, result.uncertainty)
      let classes = ClassMap(voxels: (consume result).classes, geometry: grid.geometry).keepingLargestComponents(
        of: reduced)
      return Segmentation(
        pass: pass, labels: grid.turnedBack(description.labels.fileValues(of: consume classes), outside: 0),
        probabilities: grid.turnedBack(probabilities: probabilities),
        uncertainty: sums?.uncertainty { grid.turnedBack(Image(voxels: $0, geometry: grid.geometry), outside: 0) })
    }
  }

  /// Classes and, if kept, class probabilities of all voxels, in the network's orientation.
  ///
  /// - Throws: `CancellationError` where `progress` ends the segmentation.
  func results(
    of volume: PreparedVolume, _ group: Group, _ passes: Set<Pass>, site: String?, statistics: BatchStatistics?,
    keepsProbabilities: Bool, keepsUncertainty: Bool, _ progress: ((_ done: Int, _ total: Int) -> Bool)? = nil
  ) throws -> [Pass: PassResult] {
    let last = passes.contains(.final) ? Pass.final : .first
    let grid = volume.grid
    let classes = description.labels.classCount
    let empty = PassResult(
      voxelCount: grid.geometry.voxelCount, maps: keepsProbabilities ? classes : 0,
      uncertainty: keepsUncertainty ? UncertaintySums(classes: classes) : nil)
    var found = Dictionary(uniqueKeysWithValues: passes.map { ($0, empty) })
    let segmenter = segmenter(group, ofSite: site, keepsEntropy: keepsUncertainty)
    let sampling = DualNorm.sampling(group.description.preparation, overlap: overlap)
    // nnU-Net resamples logits.
    let areLogitsRestored = group.description.preparation.nnUNet != nil
    var restoring = Dictionary(uniqueKeysWithValues: passes.map { ($0, SliceRestoring(grid)) })
    var goesOn = true
    func predict() {
      func asks() -> Bool { goesOn }
      segmenter.forEachSlab(of: volume, sampling, passes: passes, on: device, goesOn: asks) { pass, slices, scores in
        if pass == last { goesOn = progress?(slices.upperBound, volume.depth) ?? true }
        if !grid.isResampled { found[pass]!.classes += scores.classes }
        guard keepsProbabilities || keepsUncertainty || grid.isResampled else { return }
        let disagreement = scores.further.map { [$0.values(Float.self)] } ?? []
        let values = areLogitsRestored ? scores.valuesByClass : scores.probabilitiesByClass
        let restored = restoring[pass]!.restored(values + disagreement, slices: slices)
        let restoredMaps = Array(restored.prefix(classes))
        let isSoftmaxNeeded = areLogitsRestored && scores.areLogits && (keepsProbabilities || keepsUncertainty)
        let maps = isSoftmaxNeeded ? probabilities(ofLogits: restoredMaps) : restoredMaps
        let decided = grid.isResampled || keepsUncertainty ? mostProbableClasses(maps) : []
        if grid.isResampled { found[pass]!.classes += decided }
        found[pass]!.uncertainty?.add(maps, decided, disagreement: Array(restored.dropFirst(classes).joined()))
        guard keepsProbabilities else { return }
        for (index, map) in maps.enumerated() { found[pass]!.probabilities[index] += map }
      }
    }
    if let statistics { statistics.applied(predict) } else { predict() }
    guard goesOn else { throw CancellationError() }
    return found
  }
}

extension NetworkMembers.Source {
  /// Reads what a run folder says of its model, and reports its warnings.
  ///
  /// - Parameter maskSource: replaces the model's own.
  fileprivate init(_ run: RunFolder, _ maskSource: MaskSource?) throws {
    var (weights, description) = try run.weights(of: run.readDescription())
    if let maskSource { description.network.dual?.maskSource = maskSource }
    for warning in description.warnings { Warnings.report("\(run.url.path): \(warning)") }
    self.init(run: run, weights: weights, description: description)
  }
}

/// The result of one pass, to which each slab is appended.
struct PassResult {
  var classes: [UInt8] = []
  var probabilities: ClassProbabilities
  var uncertainty: UncertaintySums?

  /// Reserves room for all voxels, because growing would copy them.
  init(voxelCount: Int, maps: Int, uncertainty: UncertaintySums?) {
    self.uncertainty = uncertainty
    classes.reserveCapacity(voxelCount)
    probabilities = (0..<maps).map { _ in
      var map: [Float] = []
      map.reserveCapacity(voxelCount)
      return map
    }
  }
}
