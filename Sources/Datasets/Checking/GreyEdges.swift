import MedicalImaging

/// The grey values along a mask's edges, produced by smoothing (antialiasing) or JPEG.
struct GreyEdges: Equatable, Sendable {
  /// The number of values between the least and the greatest.
  let count: Int
  let least, greatest: LabelValue

  /// The least maximum of a mask with greys: labels are small numbers, and greys go up to 255.
  private static let leastGreatest: LabelValue = 64

  /// nil for a mask without such edges.
  ///
  /// Nine in ten voxels between the extremes must have a lower and a higher one among their eight neighbours in the
  /// slice. Voxels inside a structure have neither.
  init?(_ mask: LabelMap) {
    let counts = mask.histogram
    let values = counts.indices.filter { counts[$0] > 0 }
    guard values.count >= 4, let first = values.first, let last = values.last, last >= Self.leastGreatest else {
      return nil
    }
    (least, greatest) = (LabelValue(first), LabelValue(last))
    count = values.count - 2
    let between = mask.voxels.count - counts[first] - counts[last]
    guard 10 * mask.voxelsOnEdges(between: least, and: greatest) >= 9 * between else { return nil }
  }

  /// The value at which to threshold the mask.
  var threshold: Int { (Int(least) + Int(greatest) + 1) / 2 }
}

extension LabelMap {
  /// Counts the voxels between two values that have both a lower and a higher neighbour in their slice.
  fileprivate func voxelsOnEdges(between least: LabelValue, and greatest: LabelValue) -> Int {
    let size = geometry.size
    var count = 0
    voxels.withUnsafeBufferPointer { voxels in
      for z in 0..<size.z {
        for y in 0..<size.y {
          for x in 0..<size.x {
            let value = voxels[(z * size.y + y) * size.x + x]
            guard value > least, value < greatest else { continue }
            var (hasLower, hasHigher) = (false, false)
            for row in max(0, y - 1)...min(size.y - 1, y + 1) {
              for column in max(0, x - 1)...min(size.x - 1, x + 1) {
                let other = voxels[(z * size.y + row) * size.x + column]
                if other < value { hasLower = true }
                if other > value { hasHigher = true }
              }
            }
            if hasLower && hasHigher { count += 1 }
          }
        }
      }
    }
    return count
  }
}
