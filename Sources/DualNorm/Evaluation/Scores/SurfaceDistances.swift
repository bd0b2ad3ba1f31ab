import MedicalImaging

/// The distances between the surfaces of a prediction and its reference, both ways: all that the surface metrics of any
/// convention need.
///
/// A surface is the voxels with one of their six neighbours outside the mask, the image's outside included; distances run
/// from voxel centre to voxel centre, in mm (in voxels where the masks' spacing is 1).
public struct SurfaceDistances: Equatable, Sendable {
  /// From each surface voxel of the prediction to the nearest of the reference, ascending.
  public let predictionToReferenceMM: [Double]
  /// From each surface voxel of the reference to the nearest of the prediction, ascending.
  public let referenceToPredictionMM: [Double]

  /// nil where a mask is empty: there are no distances then. Both masks have one geometry.
  ///
  /// - Parameter inPlane: whether the masks are of a 2-D picture, where only the four neighbours in it count.
  public init?(prediction: Mask, reference: Mask, inPlane: Bool = false) {
    precondition(prediction.geometry.size == reference.geometry.size, "masks of one size are compared")
    // Outside the box there is no voxel of either mask, so cutting it off changes no surface and no distance.
    guard let box = VoxelBox(ofTrueIn: prediction, or: reference) else { return nil }
    let predictionSurface = prediction.cropped(to: box).surface(inPlane: inPlane)
    let referenceSurface = reference.cropped(to: box).surface(inPlane: inPlane)
    guard predictionSurface.voxels.contains(true), referenceSurface.voxels.contains(true) else { return nil }
    predictionToReferenceMM = distances(from: predictionSurface, to: referenceSurface)
    referenceToPredictionMM = distances(from: referenceSurface, to: predictionSurface)
  }

  /// The mean over both surfaces' distances, pooled (not the mean of two means).
  public var averageSymmetricMM: Double {
    let sum = predictionToReferenceMM.reduce(0, +) + referenceToPredictionMM.reduce(0, +)
    return sum / Double(count)
  }

  public var averageFromPredictionMM: Double {
    predictionToReferenceMM.reduce(0, +) / Double(predictionToReferenceMM.count)
  }

  public var averageFromReferenceMM: Double {
    referenceToPredictionMM.reduce(0, +) / Double(referenceToPredictionMM.count)
  }

  /// The percentile (0 to 100) of both directions' distances together, linearly interpolated.
  public func pooledPercentileMM(_ percent: Double) -> Double {
    percentile(percent, ofSorted: (predictionToReferenceMM + referenceToPredictionMM).sorted())
  }

  /// The larger of the two directed percentiles (0 to 100), linearly interpolated; HD95 is `hausdorffMM(percentile: 95)`.
  public func hausdorffMM(percentile percent: Double = 100) -> Double {
    max(percentile(percent, ofSorted: predictionToReferenceMM), percentile(percent, ofSorted: referenceToPredictionMM))
  }

  /// Normalized surface distance: the share of both surfaces' voxels within the tolerance of the other surface.
  ///
  /// Spacings are float32 in most files, so a distance within one millionth of the tolerance counts as equal to it.
  public func nsd(toleranceMM: Double) -> Double {
    let limit = toleranceMM * (1 + 1e-6)
    let within = [predictionToReferenceMM, referenceToPredictionMM].map { distances in
      distances.partitioningIndex { $0 > limit }
    }
    return Double(within[0] + within[1]) / Double(count)
  }

  private var count: Int { predictionToReferenceMM.count + referenceToPredictionMM.count }
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
