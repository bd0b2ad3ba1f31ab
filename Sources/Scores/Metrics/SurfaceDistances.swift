import Basics
import MedicalImaging

/// The distances between the surfaces of a prediction and its reference, both ways: all that the surface metrics of any
/// convention need.
///
/// A surface is the voxels with one of their six neighbours outside the mask, the image's outside included. In a grid of
/// one slice it is the contour: one of the four neighbours in the slice. Distances run from voxel centre to voxel centre,
/// in mm (in voxels where the masks' spacing is 1).
struct SurfaceDistances: Equatable, Sendable {
  /// From each surface voxel of the prediction to the nearest of the reference, ascending.
  let predictionToReferenceMM: [Double]
  /// From each surface voxel of the reference to the nearest of the prediction, ascending.
  let referenceToPredictionMM: [Double]

  /// nil where a mask is empty: there are no distances then. Both masks have one geometry.
  init?(prediction: Mask, reference: Mask) {
    self.init(prediction: prediction, reference: reference, flatAxis: prediction.geometry.flatAxis)
  }

  /// - Parameter flatAxis: of the grid that the masks were cut from, which is one slice thick along it.
  init?(prediction: Mask, reference: Mask, flatAxis: Int?) {
    precondition(prediction.geometry.size == reference.geometry.size, "masks of one size are compared")
    // Outside the box there is no voxel of either mask, so cutting it off changes no surface and no distance.
    guard let box = VoxelBox(ofTrueIn: prediction, or: reference) else { return nil }
    let (predictionSurface, referenceSurface) = (
      prediction.cropped(to: box).surface(flatAxis: flatAxis), reference.cropped(to: box).surface(flatAxis: flatAxis)
    )
    guard predictionSurface.voxels.contains(true), referenceSurface.voxels.contains(true) else { return nil }
    predictionToReferenceMM = distances(from: predictionSurface, to: referenceSurface)
    referenceToPredictionMM = distances(from: referenceSurface, to: predictionSurface)
  }

  /// The mean over both surfaces' distances, pooled (not the mean of two means).
  var averageSymmetricMM: Double {
    let sum = predictionToReferenceMM.reduce(0, +) + referenceToPredictionMM.reduce(0, +)
    return sum / Double(count)
  }

  var averageFromPredictionMM: Double {
    predictionToReferenceMM.reduce(0, +) / Double(predictionToReferenceMM.count)
  }

  var averageFromReferenceMM: Double {
    referenceToPredictionMM.reduce(0, +) / Double(referenceToPredictionMM.count)
  }

  /// The percentile (0 to 100) of both directions' distances together, linearly interpolated.
  func pooledPercentileMM(_ percent: Double) -> Double {
    percentile(percent, ofSorted: (predictionToReferenceMM + referenceToPredictionMM).sorted())
  }

  /// The larger of the two directed percentiles (0 to 100), linearly interpolated; HD95 is `hausdorffMM(percentile: 95)`.
  func hausdorffMM(percentile percent: Double = 100) -> Double {
    max(percentile(percent, ofSorted: predictionToReferenceMM), percentile(percent, ofSorted: referenceToPredictionMM))
  }

  /// Normalized surface distance: the share of both surfaces' voxels within the tolerance of the other surface.
  ///
  /// Spacings are float32 in most files, so a distance within one millionth of the tolerance counts as equal to it.
  func nsd(toleranceMM: Double) -> Double {
    let limit = toleranceMM * (1 + 1e-6)
    let within = [predictionToReferenceMM, referenceToPredictionMM].map { distances in
      distances.partitioningIndex { $0 > limit }
    }
    return Double(within[0] + within[1]) / Double(count)
  }

  private var count: Int { predictionToReferenceMM.count + referenceToPredictionMM.count }
}

extension Geometry {
  /// The axis along which the grid is one slice thick, the last of several; nil of a volume.
  var flatAxis: Int? { (0..<3).last { size[$0] == 1 } }
}

extension Mask {
  /// The surface, or the contour in a slice across `flatAxis`.
  fileprivate func surface(flatAxis: Int?) -> Mask {
    guard let flatAxis else { return surface() }
    // An axis of length 1 can become the last one without moving a voxel.
    let axes = (0..<3).filter { $0 != flatAxis } + [flatAxis]
    let (size, spacing) = (geometry.size, geometry.spacingMM)
    let slice = Geometry(
      size: SIMD3(size[axes[0]], size[axes[1]], 1),
      spacingMM: SIMD3(spacing[axes[0]], spacing[axes[1]], spacing[flatAxis]))
    return Mask(voxels: voxels, geometry: slice).surface(inPlane: true)
  }
}

private func distances(from surface: Mask, to other: Mask) -> [Double] {
  let map = other.distanceMap()
  return zip(surface.voxels, map.voxels).compactMap { isSurface, distance in isSurface ? distance : nil }.sorted()
}

extension Array {
  /// The first index whose element belongs to the second part of an array that is in two parts.
  fileprivate func partitioningIndex(where belongsToSecond: (Element) -> Bool) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if belongsToSecond(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
