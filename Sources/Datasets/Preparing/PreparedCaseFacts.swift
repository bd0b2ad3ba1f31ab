import Foundation
import MedicalImaging

/// A record of the preparation of a case, for `prepared.json` and the report.
package struct PreparedCaseFacts: Codable, Equatable, Sendable {
  let name: String
  /// The source's files.
  package let images: [String]
  let mask: String
  /// Voxels along x, y and z in the source; `sourceSpacingMM` is their distance in mm.
  package let sourceSize: [Int]
  package let sourceSpacingMM: [Double]
  /// Voxels in the result.
  package let size: [Int]
  package let spacingMM: [Double]
  /// The kept slices of the source, numbered from 0; the recipe may keep every n-th of them.
  package let slices: SliceRange
  /// Voxels of each value above 0 in the result's mask.
  package let voxels: [String: Int]
  /// Voxels of each value above 0 in the source's mask.
  package let sourceVoxels: [String: Int]

  package struct SliceRange: Codable, Equatable, Sendable {
    package let first: Int
    package let last: Int
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
  return Dictionary(
    uniqueKeysWithValues: counts.indices.dropFirst().filter { counts[$0] > 0 }.map { (String($0), counts[$0]) })
}
