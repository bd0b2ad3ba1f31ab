import Basics
import MedicalImaging

/// The distances between the surfaces of a prediction and its reference, in both directions.
///
/// A surface consists of the voxels with a six-neighbour outside the mask; outside the image counts as outside.
/// In a grid of one slice it is the contour, by the four neighbours in the slice. Distances run between voxel centres,
/// in mm (in voxels if the masks' spacing is 1).
struct SurfaceDistances: Equatable, Sendable {
  /// The distance of each surface voxel of the prediction to the nearest of the reference, ascending.
  let predictionToReferenceMM: [Double]
  /// The distance of each surface voxel of the reference to the nearest of the prediction, ascending.
  let referenceToPredictionMM: [Double]

  /// Measures two masks of one geometry; nil if a mask is empty, since there are no distances then.
  init?(prediction: Mask, reference: Mask) {
    self.init(prediction: prediction, reference: reference, flatAxis: prediction.geometry.flatAxis)
  }

  /// - Parameter flatAxis: the axis along which the uncropped grid is one slice thick.
  init?(prediction: Mask, reference: Mask, flatAxis: Int?) {
    precondition(prediction.geometry.size == reference.geometry.size, "masks of one size are compared")
    // The box holds every voxel of both masks, so cropping to it changes no surface and no distance.
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

  /// The larger of the two directed percentiles (0 to 100), linearly interpolated; HD95 is the 95th.
  func hausdorffMM(percentile percent: Double = 100) -> Double {
    max(percentile(percent, ofSorted: predictionToReferenceMM), percentile(percent, ofSorted: referenceToPredictionMM))
  }

  /// Normalized surface distance: the share of both surfaces' voxels within the tolerance of the other surface.
  ///
  /// Most files store float32 spacings, so a distance within one millionth of the tolerance counts as equal to it.
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
  /// The axis along which the grid is one slice thick, the last of several; nil for a volume.
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
  /// The first index of the second part, for an array partitioned into two parts.
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
