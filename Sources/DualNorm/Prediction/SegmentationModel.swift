import Basics
import Datasets
public import Foundation
public import MedicalImaging
public import Scores
package import Torch

/// A trained network with everything that turns the files of a case into a mask.
public final class SegmentationModel {
  package let description: ModelDescription
  package let network: DualNormNetwork
  /// Overlap of neighbouring windows, as a share of a window.
  package var overlap = defaultOverlap

  /// Reads a run folder.
  ///
  /// - Parameters:
  ///   - maskSource: replaces the model's own.
  ///   - precision: replaces the one it was trained in.
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
    /// Mask in the label values of the data set.
    package let labels: LabelMap
    /// Class probabilities: one image per class, background first. They sum to 1 in each voxel. Empty unless requested.
    package let probabilities: [Image]
  }

  var sampling: any Sampling { DualNorm.sampling(description.preparation, overlap: overlap) }

  /// Windows for batch statistics, which cover volumes with as little overlap as can be.
  var statisticsSampling: any Sampling { DualNorm.sampling(description.preparation, overlap: 0) }

  /// γ and β of the dual layers in the middle window of a slice; see `DualNormNetwork.dualMaps`.
  package func dualMaps(of item: PreparedCase, slice z: Int) -> [DualMap] {
    network.dualMaps(
      of: item.volume, slice: item.volume.networkSlice(of: z), sampling,
      site: description.branch(ofSite: item.source.site))
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
    return segment(try description.prepared(scan), site: nil)[0].labels
  }

  /// Segments every slice of a case.
  ///
  /// - Parameters:
  ///   - item: consumed; its intensities are freed before post-processing, unless the caller keeps them.
  ///   - site: selects the branch of domain-specific batch norm. For nil or a site not trained on, each pass averages
  ///     the class probabilities of all branches, and the first pass's mean is the mask.
  ///   - statistics: replace those of the batch norms.
  ///   - largestComponent: selects the classes that keep only their largest connected component.
  ///   - keepsProbabilities: whether to return class probabilities, at 4 bytes per voxel, class and pass.
  package func segment(
    _ item: consuming PreparedCase, passes: Set<Pass> = [.final], site: String?, statistics: BatchStatistics? = nil,
    largestComponent: LargestComponentChoice = .asInModel, keepsProbabilities: Bool = false
  ) -> [Segmentation] {
    let grid = item.volume.grid
    let reduced = description.largestComponentClasses(largestComponent)
    var found = results(
      of: item.volume, passes, site: site, statistics: statistics, keepsProbabilities: keepsProbabilities)
    _ = consume item  // frees its intensities before the search for components
    return Pass.allCases.filter(passes.contains).map { pass in
      let result = found.removeValue(forKey: pass)!
      let probabilities = result.probabilities
      let classes = ClassMap(voxels: (consume result).classes, geometry: grid.geometry).keepingLargestComponents(
        of: reduced)
      return Segmentation(
        pass: pass, labels: grid.turnedBack(description.labels.fileValues(of: consume classes)),
        probabilities: probabilities.map { grid.turnedBack(Image(voxels: $0, geometry: grid.geometry)) })
    }
  }

  /// Classes and, if kept, class probabilities of all voxels, in the network's orientation.
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
    let segmenter = network.segmenter(ofSite: description.branch(ofSite: site))
    var restoring = Dictionary(uniqueKeysWithValues: passes.map { ($0, SliceRestoring(grid)) })
    func predict() {
      segmenter.forEachSlab(of: volume, sampling, passes: passes, on: network.device) { pass, slices, scores in
        if !grid.isResampled { found[pass]!.classes += scores.classes }
        guard keepsProbabilities || grid.isResampled else { return }
        let maps = restoring[pass]!.restored(scores.probabilitiesByClass, slices: slices)
        if grid.isResampled { found[pass]!.classes += mostProbableClasses(maps) }
        guard keepsProbabilities else { return }
        for (index, map) in maps.enumerated() { found[pass]!.probabilities[index] += map }
      }
    }
    if let statistics { statistics.applied(predict) } else { predict() }
    return found
  }
}

/// The result of one pass, to which each slab is appended.
private struct PassResult {
  var classes: [UInt8] = []
  var probabilities: ClassProbabilities

  /// Reserves room for all voxels, because growing would copy them.
  init(voxelCount: Int, maps: Int) {
    classes.reserveCapacity(voxelCount)
    probabilities = (0..<maps).map { _ in
      var map: [Float] = []
      map.reserveCapacity(voxelCount)
      return map
    }
  }
}
