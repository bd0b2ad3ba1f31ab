/// The position of a volume's voxels in the patient: ITK's frame (LPS+, millimetres), `x` the fastest axis.
public struct Geometry: Equatable, Sendable {
  /// Voxels along x, y and z; each at least 1.
  public var size: SIMD3<Int>
  /// Distance of neighbouring voxels' centres along x, y and z, in mm; each above 0.
  public var spacingMM: SIMD3<Double>
  /// Position of the first voxel's centre, in mm.
  public var originMM: SIMD3<Double>
  /// The axes' unit vectors as the columns of a 3×3 matrix, row by row (9 values), as ITK prints it.
  public var direction: [Double]
  /// The NIfTI fields that it was read from, to be written unchanged.
  ///
  /// They are no part of `==`, and void once the grid changes.
  var nifti: NIfTIGeometry?

  public static let identityDirection: [Double] = [1, 0, 0, 0, 1, 0, 0, 0, 1]

  public init(
    size: SIMD3<Int>,
    spacingMM: SIMD3<Double> = [1, 1, 1],
    originMM: SIMD3<Double> = [0, 0, 0],
    direction: [Double] = Geometry.identityDirection
  ) {
    precondition(direction.count == 9, "a direction has 9 values, not \(direction.count)")
    self.size = size
    self.spacingMM = spacingMM
    self.originMM = originMM
    self.direction = direction
  }

  public static func == (a: Geometry, b: Geometry) -> Bool {
    a.size == b.size && a.spacingMM == b.spacingMM && a.originMM == b.originMM && a.direction == b.direction
  }

  public var voxelCount: Int { size.x * size.y * size.z }

  /// Voxels of one slice (one z).
  public var sliceCount: Int { size.x * size.y }
}
