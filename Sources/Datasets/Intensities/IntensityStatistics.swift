package import Basics
package import MedicalImaging

/// The statistics of a modality's intensities for z-score normalization and the data check.
package struct IntensityStatistics {
  /// The range of the finite voxels that were measured; nil if there are none.
  package let range: ClosedRange<Float>?
  /// The number of voxels that are NaN or infinite.
  package let nonFiniteCount: Int

  package init(_ image: borrowing Image) {
    var low = Float.infinity
    var high = -Float.infinity
    var nonFinite = 0
    image.forEachMeasured { _, value in
      if value.isFinite {
        low = min(low, value)
        high = max(high, value)
      } else {
        nonFinite += 1
      }
    }
    range = low <= high ? low...high : nil
    nonFiniteCount = nonFinite
  }

  /// The refusal of an image that cannot be z-score normalized; nil if it can.
  package func fault(_ name: String) -> Refusal? {
    if nonFiniteCount > 0 {
      return Refusal(
        .input, name, "\(counted(nonFiniteCount, "voxel")) NaN or infinite, expected numbers only",
        remedy: "repair the image, for example by setting them to the background's intensity")
    }
    if let range, range.lowerBound == range.upperBound {
      return Refusal(
        .input, name, "every voxel is \(short(Double(range.lowerBound))), expected an image with contrast",
        remedy: "leave this case out or restore the file")
    }
    return nil
  }
}
