import MedicalImaging

/// What preparing did to a case, as `prepared.json` and the report tell it.
public struct PreparedCaseFacts: Codable, Equatable, Sendable {
  public let name: String
  /// The source's files.
  public let images: [String]
  public let mask: String
  /// Voxels along x, y and z, and their distance in mm, in the source.
  public let sourceSize: [Int]
  public let sourceSpacingMM: [Double]
  /// In the result.
  public let size: [Int]
  public let spacingMM: [Double]
  /// The source's slices that were kept, the first one's number from 0; every n-th of them by the recipe.
  public let slices: SliceRange
  /// Voxels of each value above 0 in the result's mask.
  public let voxels: [String: Int]
  /// Voxels of each value above 0 in the source's mask.
  public let sourceVoxels: [String: Int]

  public struct SliceRange: Codable, Equatable, Sendable {
    public let first: Int
    public let last: Int
  }

  init(_ scan: Case, source: LabelMap, result: LabelMap, slices: Range<Int>) {
    name = scan.name
    images = scan.images.map(\.path)
    mask = scan.mask?.path ?? ""
    (sourceSize, sourceSpacingMM) = (array(source.geometry.size), array(source.geometry.spacingMM))
    (size, spacingMM) = (array(result.geometry.size), array(result.geometry.spacingMM))
    self.slices = SliceRange(first: slices.lowerBound, last: slices.upperBound - 1)
    (voxels, sourceVoxels) = (foreground(result), foreground(source))
  }
}

private func array<Scalar>(_ vector: SIMD3<Scalar>) -> [Scalar] { [vector.x, vector.y, vector.z] }

private func foreground(_ labels: LabelMap) -> [String: Int] {
  let counts = labels.histogram
  return Dictionary(uniqueKeysWithValues: (1...255).filter { counts[$0] > 0 }.map { (String($0), counts[$0]) })
}

extension LabelMap {
  /// How many voxels have each of the 256 values.
  var histogram: [Int] {
    var counts = [Int](repeating: 0, count: 256)
    for value in voxels { counts[Int(value)] += 1 }
    return counts
  }
}
