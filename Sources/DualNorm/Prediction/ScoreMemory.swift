import Basics
import Datasets
import Foundation
import MedicalImaging
import Scores

/// The memory of the class scores of a case, by which one that no memory holds is refused before it is segmented.
struct ScoreMemory {
  /// The number of classes with the background.
  let classes: Int
  /// The number of passes whose scores are kept.
  var passes = 1
  /// Voxels of the slices that windows cover at once, on the network's grid.
  let slabVoxels: Int
  /// Tells whether windows share slices, so that their weighted scores are summed up.
  var sumsWindows = true
  /// Voxels of the same slices on the volume's grid; 0 without resampling.
  var restoredVoxels = 0
  /// Voxels of the volume before resampling.
  let voxels: Int
  var keepsProbabilities = false
  var keepsUncertainty = false
  /// The number of ways in which an ensemble's members prepare volumes.
  var groups = 1

  /// Bytes at the peak. It is a lower bound: the volume itself and the network's layers come on top.
  ///
  /// - A voxel of the slab takes a float32 for each class and pass, or for each class and a weight where windows are
  ///   summed up. Their mean is a further copy, of one pass at a time. Resampled scores take a float32 a class.
  /// - A voxel of the volume takes a byte a pass, and 4 bytes for each class of probabilities and 8 of uncertainty.
  ///   Writing probabilities takes a further copy of one pass, when the slab is free again.
  /// - Several groups take 8 bytes a class and pass in place of 4, whatever is kept.
  var bytes: Double {
    let (classes, passes, voxels) = (Double(classes), Double(passes), Double(voxels))
    let scores = sumsWindows ? (passes + 1) * (classes + 1) : passes * classes
    let slab = 4 * scores * Double(slabVoxels) + 4 * classes * Double(restoredVoxels)
    let written = keepsProbabilities && groups == 1 ? 4 * classes * voxels : 0
    let mapBytes: Double = groups > 1 ? 8 : keepsProbabilities ? 4 : 0
    return max(slab, written) + passes * voxels * (1 + mapBytes * classes + (keepsUncertainty ? 8 : 0))
  }

  /// Refuses a case whose scores take more memory than there is.
  ///
  /// - Throws: `Refusal` with both figures, and the options that take the memory if it is enough without them.
  func requireRoom(for file: String, within room: Int) throws {
    guard bytes > Double(room) else { return }
    func gigabytes(_ bytes: Double) -> String { String(format: bytes < 1e10 ? "%.2g" : "%.0f", bytes / 1e9) }
    var less = self
    (less.keepsProbabilities, less.keepsUncertainty) = (false, false)
    let given = [keepsProbabilities ? Setting.probabilities : nil, keepsUncertainty ? .uncertainty : nil]
    let options = given.compactMap { $0?.description }
    throw Refusal(
      .input, file,
      "the scores of \(counted(classes, "class", plural: "classes")) take about \(gigabytes(bytes)) GB, and this "
        + "machine has \(gigabytes(Double(room))) GB",
      remedy: !options.isEmpty && less.bytes <= Double(room)
        ? "leave \(listed(options)) out" : "crop it, or take a machine with more memory")
  }
}

extension ScoreMemory {
  /// The memory of one pass without maps.
  ///
  /// - Parameter windows: those that cover the volume, sorted by their first slice.
  init(of volume: PreparedVolume, _ windows: [Window], classes: Int) {
    let slices = windows.map { $0.slices.clamped(to: 0..<volume.depth).count }.max() ?? 0
    let (grid, voxels) = (volume.grid, volume.grid.geometry.voxelCount)
    self.init(
      classes: classes, slabVoxels: slices * volume.height * volume.width,
      sumsWindows: zip(windows, windows.dropFirst()).contains { $0.slices.upperBound > $1.slices.lowerBound },
      restoredVoxels: grid.isResampled ? slices * voxels / volume.depth : 0, voxels: voxels)
  }
}

extension SegmentationModel {
  /// - Throws: `Refusal` for a case whose scores take more than `memory`.
  func requireRoom(
    for item: PreparedCase, _ passes: Set<Pass>, keepsProbabilities: Bool, keepsUncertainty: Bool
  ) throws {
    let windows = DualNorm.sampling(groups[0].description.preparation, overlap: overlap).windows(covering: item.volume)
    var needed = ScoreMemory(of: item.volume, windows, classes: description.labels.classCount)
    (needed.passes, needed.groups) = (passes.count, groups.count)
    (needed.keepsProbabilities, needed.keepsUncertainty) = (keepsProbabilities, keepsUncertainty)
    try needed.requireRoom(for: item.source.reference.path, within: memory)
  }
}
