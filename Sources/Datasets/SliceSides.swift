/// Limits of a slice's sides, in pixels.
package enum SliceSides {
  /// The least side after resampling: half of the smallest input, 16×16. Less would be mostly padding.
  package static let smallest = 8
  /// The largest side of a plan or of a prepared slice.
  package static let largest = 4096
}
