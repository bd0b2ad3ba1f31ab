import Foundation
import MedicalImaging

/// A test for an exchanged image and mask: the image holds labels, and the mask does not.
enum MaskLikeness {
  /// More values than this are intensities.
  private static let mostLabels = 20

  /// - Parameter image: the only channel of the case.
  static func areExchanged(image: Image, mask: URL) -> Bool {
    guard isMask([image]), let other = try? Image.channels(contentsOf: mask) else { return false }
    return !isMask(other)
  }

  /// Tells whether there is one channel with a few, but at least two, whole numbers that labels can be.
  private static func isMask(_ channels: [Image]) -> Bool {
    guard channels.count == 1 else { return false }
    var seen = Set<Float>()
    for voxel in channels[0].voxels where !seen.contains(voxel) {
      guard (0...Float(LabelValue.max)).contains(voxel), voxel == voxel.rounded(), seen.count < mostLabels else {
        return false
      }
      seen.insert(voxel)
    }
    return seen.count > 1
  }
}
