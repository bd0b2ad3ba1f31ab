import Basics

/// Resolutions of a network: the stride from each level to the next, and the kernel of each level.
///
/// Networks for slices have the axes H and W, networks for volumes D, H and W.
public struct Levels: Equatable, Hashable, Sendable {
  /// Strides of the poolings, 1 or 2 along each axis; one fewer than levels.
  package let poolings: [[Int]]
  /// Sides of each level's kernels, 1 or 3 along each axis.
  package let kernels: [[Int]]

  package init(poolings: [[Int]], kernels: [[Int]]) { (self.poolings, self.kernels) = (poolings, kernels) }

  /// The published network for slices: four poolings by 2, kernels of 3×3.
  public static let slices = Levels(
    poolings: Array(repeating: [2, 2], count: 4), kernels: Array(repeating: [3, 3], count: 5))

  /// Poolings by 2 and kernels of 3×3×3.
  static func volumes(poolings count: Int) -> Levels {
    Levels(
      poolings: Array(repeating: [2, 2, 2], count: count), kernels: Array(repeating: [3, 3, 3], count: count + 1))
  }

  /// Number of poolings, and so the deepest level.
  package var depth: Int { poolings.count }

  /// 2 for networks of slices, 3 for those of volumes.
  package var dimensions: Int { kernels[0].count }

  /// The window's size along each axis is a multiple of these.
  package var multiples: [Int] {
    poolings.reduce(Array(repeating: 1, count: dimensions)) { zip($0, $1).map { $0 * $1 } }
  }

  /// The size of an input at a level; each pooling rounds down.
  func size(_ input: [Int], at level: Int) -> [Int] {
    poolings.prefix(level).reduce(input) { zip($0, $1).map { $0 / $1 } }
  }

  /// Tells whether they fit together.
  var areValid: Bool {
    !kernels.isEmpty && kernels.count == poolings.count + 1 && (2...3).contains(dimensions) && (1...10).contains(depth)
      && kernels.allSatisfy { $0.count == dimensions && $0.allSatisfy { $0 == 1 || $0 == 3 } }
      && poolings.allSatisfy { $0.count == dimensions && $0.allSatisfy { $0 == 1 || $0 == 2 } && $0.contains(2) }
  }
}
