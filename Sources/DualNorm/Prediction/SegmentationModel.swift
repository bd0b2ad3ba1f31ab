import Basics
import Datasets
import Foundation
import MedicalImaging
import Scores
import Torch

/// A trained network with all that turns the files of a case into a mask.
public final class SegmentationModel {
  package let description: ModelDescription
  package let network: DualNormNetwork

  /// Reads a run folder.
  ///
  /// - Parameters:
  ///   - maskSource: takes the place of the model's own.
  ///   - precision: takes the place of the one it was trained in.
  ///   - device: where the network runs.
  /// - Throws: `Refusal` naming the file that is missing or does not fit.
  package init(
    contentsOf run: RunFolder, maskSource: MaskSource? = nil, precision: Precision? = nil, device: Device = .cpu
  ) throws {
    var (weights, description) = try run.weights(of: run.readDescription())
    if let maskSource { description.network.dual?.maskSource = maskSource }
    for warning in description.warnings { Warnings.report("\(run.url.path): \(warning)") }
    self.description = description
    let state = try Safetensors.read(weights).tensors
    let found = state.reduce(0.0) { $0 + $1.tensor.shape.reduce(1.0) { $0 * Double($1) } }
    guard found >= description.network.leastWeightCount else {
      throw Refusal(
        .input, weights.path, "holds \(Int(found)) numbers, far fewer than the network of \(run.description.path) has",
        remedy: "restore both files from the same run")
    }
    network = try DualNormNetwork(description.network, seed: 0, device: device)
    network.precision = precision ?? description.precision
    try network.parameters.load(state, file: weights.path)
  }

  /// One pass's result on the grid of the case's files.
  package struct Segmentation: Sendable {
    package let pass: Pass
    /// The values that masks of the data set use.
    package let labels: LabelMap
    /// One image a class, background first; they add up to 1 in each voxel. Empty unless asked for.
    package let probabilities: [Image]
  }

  /// Throws where the case has other channels than the network takes.
  private func requireChannels(of scan: Case) throws {
    let wanted = "the model takes \(description.modalities.count) (\(description.modalities.joined(separator: ", ")))"
    if scan.images.count == 1, scan.isPicture {
      let count = try Image.channelCount(contentsOf: scan.images[0])
      guard count == description.modalities.count else {
        throw Refusal(
          .input, scan.images[0].path,
          "is \(count == 1 ? "grey, so it has 1 channel" : "in colour, so it has \(count) channels"), and \(wanted)",
          remedy: "convert it, or use a model of such pictures")
      }
    } else if scan.images.count != description.modalities.count {
      throw Refusal(
        .input, scan.images[0].path, "has \(scan.images.count) modalities, and \(wanted)",
        remedy: "give one file for each")
    }
  }

  /// Tells whether the final pass takes the true labels as its mask, so that only labelled cases can be segmented.
  package var needsReference: Bool { description.network.dual?.maskSource == .reference }

  /// Reads a case and brings it onto the network's grid.
  ///
  /// - Parameter excluded: values that are background in the mask, where it is needed, beside those the model excludes.
  /// - Throws: `Refusal` for files that cannot be used.
  package func prepared(_ scan: Case, excluding excluded: [UInt8] = []) throws -> PreparedCase {
    try requireChannels(of: scan)
    guard !needsReference || scan.mask != nil else {
      throw Refusal(
        .input, scan.images[0].path,
        "has no mask, and the model's final pass sees the true one (mask-source reference)",
        remedy: "add it, or take another --mask-source")
    }
    let volume = try PreparedVolume(
      reading: scan, scheme: needsReference ? description.labels.excluding(excluded) : nil,
      plan: description.preparation)
    try description.requireWhole(volume.grid.sliceSize, file: scan.images[0].path)
    return PreparedCase(source: scan, volume: volume)
  }

  /// Reads the model of a run folder.
  ///
  /// - Throws: `Refusal` for a folder that holds no model, or a damaged one.
  public convenience init(contentsOf folder: URL) throws { try self.init(contentsOf: RunFolder(folder)) }

  /// The classes, and the values that they have in masks.
  public var labels: LabelScheme { description.labels }

  /// Segments a volume, or a picture, on the grid of its file.
  ///
  /// - Parameter images: a file for each modality, in the order of the training.
  /// - Throws: `Refusal` for files that cannot be read, or that do not fit the model.
  public func segment(_ images: URL...) throws -> LabelMap {
    guard let first = images.first else {
      throw Refusal(
        .input, "No image is given", remedy: "give a file for each modality")
    }
    let scan = Case(name: first.lastPathComponent, site: "", images: images, mask: nil)
    return segment(try prepared(scan), site: nil)[0].labels
  }

  /// Segments every slice of a case.
  ///
  /// - Parameters:
  ///   - item: is let go as soon as the network has seen it, so that a caller that does not keep it needs less memory.
  ///   - site: chooses the branch of domain-specific batch norm; nil or a site that was not trained on: the mean of the
  ///     class probabilities of all branches, in the first pass, whose mean is the mask, and in the final one.
  ///   - statistics: takes the place of the batch norms' own.
  ///   - largestComponent: which classes keep only their largest connected component.
  ///   - keepsProbabilities: which takes 4 bytes a voxel, class and pass.
  package func segment(
    _ item: consuming PreparedCase, passes: Set<Pass> = [.final], site: String?, statistics: BatchStatistics? = nil,
    largestComponent: LargestComponentChoice = .asInModel, keepsProbabilities: Bool = false
  ) -> [Segmentation] {
    let grid = item.volume.grid
    let reduced = description.largestComponentClasses(largestComponent)
    var found = results(
      of: item.volume, passes, site: site, statistics: statistics, keepsProbabilities: keepsProbabilities)
    _ = consume item  // its intensities leave room for the search for components
    return Pass.allCases.filter(passes.contains).map { pass in
      let result = found.removeValue(forKey: pass)!
      let probabilities = result.probabilities
      let labels = LabelMap(voxels: (consume result).classes, geometry: grid.geometry).keepingLargestComponents(
        of: reduced)
      return Segmentation(
        pass: pass, labels: grid.turnedBack(description.labels.fileValues(of: consume labels)),
        probabilities: probabilities.map { grid.turnedBack(Image(voxels: $0, geometry: grid.geometry)) })
    }
  }

  /// Classes and, if they are kept, probabilities of all voxels, turned as the network sees them.
  private func results(
    of volume: PreparedVolume, _ passes: Set<Pass>, site: String?, statistics: BatchStatistics?,
    keepsProbabilities: Bool
  ) -> [Pass: PassResult] {
    let grid = volume.grid
    var found = Dictionary(
      uniqueKeysWithValues: passes.map {
        (
          $0,
          PassResult(voxelCount: grid.geometry.voxelCount, maps: keepsProbabilities ? description.labels.classCount : 0)
        )
      })
    func predict() {
      network.forEachSlab(of: volume, passes: passes, site: description.branch(ofSite: site)) { pass, slices, logits in
        let decided = grid.restored(classes: logits.largestChannel().values(UInt8.self))
        if let decided { found[pass]!.classes += decided }
        guard keepsProbabilities || decided == nil else { return }
        let maps = grid.restored(logits.probabilitiesByClass, slices: slices).map(\.voxels)
        if decided == nil { found[pass]!.classes += mostProbableClasses(maps) }
        guard keepsProbabilities else { return }
        for (index, map) in maps.enumerated() { found[pass]!.probabilities[index] += map }
      }
    }
    if let statistics { statistics.applied(predict) } else { predict() }
    return found
  }
}

/// What a pass finds in the slices of a volume, as they come.
private struct PassResult {
  var classes: [UInt8] = []
  var probabilities: ClassProbabilities

  /// With room for all of them: growing would copy them.
  init(voxelCount: Int, maps: Int) {
    classes.reserveCapacity(voxelCount)
    probabilities = (0..<maps).map { _ in
      var map: [Float] = []
      map.reserveCapacity(voxelCount)
      return map
    }
  }
}
