import Datasets
import Foundation
import MedicalImaging

/// A case as the network takes it, and the way back to the original grid.
package struct PreparedVolume: Sendable {
  /// Whitened intensities, modalities × D × H × W; H is the image's y axis, W its x axis, D its z axis.
  package var channels: [Float] { intensities.all }
  /// Classes, D × H × W; nil where there is no mask. Padding is background.
  package var labels: [UInt8]? { classes?.all }
  package let modalityCount: Int
  package let depth: Int
  package let height: Int
  package let width: Int
  /// Where it lies, and the way back to the files' own grid.
  package let grid: PreparedGrid
  /// Of each image as it was read.
  let percentiles: [IntensityPercentiles]

  private var intensities: StoredValues<Float>
  private var classes: StoredValues<UInt8>?

  /// Prepares a case that has been read.
  ///
  /// - Parameters:
  ///   - images: one a modality or colour, all of one geometry.
  ///   - labels: classes, not file values, on the images' grid.
  ///   - names: the images' files, for messages; one an image.
  ///   - storedGeometry: of the files, where the images were turned.
  ///   - constant: the images that may be constant, which become 0: colours that a picture does not use.
  ///   - purpose: prediction sees whole slices, training windows of the plan's size.
  /// - Throws: `Refusal` for an image that cannot be whitened or whose slices the network cannot take.
  package init(
    images: consuming [Image], labels: LabelMap?, plan: PreparationPlan, names: [String],
    storedGeometry: Geometry? = nil, constant: Set<Int> = [], for purpose: PreparationPurpose = .prediction
  ) throws {
    precondition(!images.isEmpty && images.count == names.count, "one name an image")
    let geometry = images[0].geometry
    let size = try plan.checkedSize(of: geometry, name: names[0])
    let network = plan.inputSize(of: size, for: purpose)
    let placement = PreparationPlacement(volume: size, network: network)
    let resampledGeometry =
      plan.resampling == .none ? geometry : geometry.inPlane(size: [size.width, size.height])
    var channels: [Float] = []
    modalityCount = images.count
    percentiles = purpose == .training ? [] : images.map { IntensityPercentiles(of: $0) }
    for (index, name) in names.enumerated() {
      let image = images.removeFirst()  // unless the caller keeps it, it is whitened where it lies
      let whitened =
        try constant.contains(index)
        ? Image(repeating: 0, geometry: geometry) : plan.whitened(consume image, name: name)
      let resampled =
        plan.resampling == .none ? whitened : whitened.resampled(onto: resampledGeometry, interpolation: .linear)
      let placed = placement.placed(resampled.voxels, padding: nil)
      if index == 0 { channels = placed } else { channels += placed }  // one modality is not copied
    }
    intensities = StoredValues(channels)
    classes = labels.map { labels in
      let aligned = LabelMap(voxels: labels.voxels, geometry: geometry)  // equal up to rounding
      let resampled = plan.resampling == .none ? aligned : aligned.resampled(onto: resampledGeometry)
      return StoredValues(placement.placed(resampled.voxels, padding: 0))
    }
    grid = PreparedGrid(
      geometry: geometry, storedGeometry: storedGeometry ?? geometry, resampledGeometry: resampledGeometry,
      placement: placement)
    depth = geometry.size.z
    height = network.height
    width = network.width
  }

  /// As the network sees it.
  package var geometry: Geometry { grid.geometry }

  /// The network's input for slice `z`: C × H × W with C = modalities × `context`, modality by modality and in each the
  /// slices z − k … z + k, k = (context − 1) / 2; beyond the first and last slice these are repeated.
  package func input(slice z: Int, context: Int) -> [Float] {
    var input: [Float] = []
    for range in inputRanges(slice: z, context: context) { intensities.append(range, to: &input) }
    return input
  }

  /// Where the slices of an input lie.
  private func inputRanges(slice z: Int, context: Int) -> [Range<Int>] {
    precondition((0..<depth).contains(z), "slice \(z) of \(depth)")
    precondition(context > 0 && context % 2 == 1, "a context of \(context) slices has no middle")
    let plane = height * width
    return (0..<modalityCount).flatMap { modality in
      (z - context / 2...z + context / 2).map { neighbour in
        let start = (modality * depth + min(max(neighbour, 0), depth - 1)) * plane
        return start..<start + plane
      }
    }
  }

  /// The classes of slice `z`, H × W; nil where there is no mask.
  func labels(slice z: Int) -> [UInt8]? {
    classes.map {
      var slice: [UInt8] = []
      $0.append(z * height * width..<(z + 1) * height * width, to: &slice)
      return slice
    }
  }

  /// What the network learns from at slice z; the volume must have labels.
  ///
  /// - Throws: `Refusal` where the values wait in a file that cannot be read.
  func trainingSlice(_ z: Int, context: Int) throws -> TrainingSlice {
    guard let classes else { preconditionFailure("a training volume has labels") }
    var (image, labels): ([Float], [UInt8]) = ([], [])
    image.reserveCapacity(modalityCount * context * height * width)
    for range in inputRanges(slice: z, context: context) { try intensities.read(range, to: &image) }
    try classes.read(z * height * width..<(z + 1) * height * width, to: &labels)
    return TrainingSlice(
      image: image, labels: labels, channels: modalityCount * context, size: ImageSize(height: height, width: width))
  }

  /// A hash of what the network sees of it and learns from it, the same in every run.
  var digest: String {
    let words = [UInt64(depth), UInt64(height), UInt64(width), intensities.digest, classes?.digest ?? 0]
    return String(StoredValues(words).digest, radix: 16)
  }

  /// What it takes in memory.
  var bytes: Int { intensities.bytes + (classes?.bytes ?? 0) }

  /// The same with its values in files in `folder`, read as they are asked for and gone when nobody uses them.
  ///
  /// - Throws: `Refusal` where the folder cannot take them.
  func inFiles(in folder: URL) throws -> PreparedVolume {
    var result = self
    result.intensities = try intensities.inFile(in: folder)
    result.classes = try classes?.inFile(in: folder)
    return result
  }
}
