import Foundation
import MedicalImaging

/// The way of class probabilities from the network's slices back to a volume's, slab by slab.
///
/// A slice of the volume is interpolated linearly between two slices of the network. It keeps only the slices that
/// later ones need.
struct SliceRestoring {
  private let grid: PreparedGrid
  /// Slices of the network's grid that are kept, per class.
  private var kept: (first: Int, maps: ClassProbabilities) = (0, [])
  /// The volume's next slice.
  private var next = 0

  init(_ grid: PreparedGrid) { self.grid = grid }

  private var counts: (network: Int, volume: Int) { (grid.resampledGeometry.size.z, grid.geometry.size.z) }

  /// Takes the next slices of the network's grid; returns maps of those slices of the volume that they complete.
  ///
  /// - Parameter maps: slices × H × W of each class.
  mutating func restored(_ maps: ClassProbabilities, slices: Range<Int>) -> ClassProbabilities {
    guard counts.network != counts.volume else { return grid.restored(maps, slices: slices).map(\.voxels) }
    kept.maps = kept.maps.isEmpty ? maps : zip(kept.maps, maps).map { $0 + $1 }
    let first = next
    while next < counts.volume, place(of: next).upper < slices.upperBound { next += 1 }
    let result = kept.maps.map { map in (first..<next).flatMap { interpolated(map, slice: $0) } }
    let needed = next < counts.volume ? min(place(of: next).lower, slices.upperBound) : slices.upperBound
    let gone = (needed - kept.first) * planeSize
    kept = (needed, kept.maps.map { Array($0.dropFirst(gone)) })
    return first < next ? grid.restored(result, slices: first..<next).map(\.voxels) : result
  }

  private var planeSize: Int { grid.resampledGeometry.size.x * grid.resampledGeometry.size.y }

  /// The network's slices around the middle of a slice of the volume, and the weight of the upper one.
  private func place(of slice: Int) -> (lower: Int, upper: Int, weight: Float) {
    let place = (Double(slice) + 0.5) * Double(counts.network) / Double(counts.volume) - 0.5
    let inside = min(max(place, 0), Double(counts.network - 1))
    if grid.interpolation?.isNearest(along: 2) == true {
      let nearest = min(Int(inside + 0.5), counts.network - 1)
      return (nearest, nearest, 0)
    }
    let lower = Int(inside)
    return (lower, min(lower + 1, counts.network - 1), Float(inside - Double(lower)))
  }

  private func interpolated(_ map: [Float], slice: Int) -> [Float] {
    let (lower, upper, weight) = place(of: slice)
    func plane(_ index: Int) -> ArraySlice<Float> {
      map[(index - kept.first) * planeSize..<(index - kept.first + 1) * planeSize]
    }
    return zip(plane(lower), plane(upper)).map { $0 * (1 - weight) + $1 * weight }
  }
}
