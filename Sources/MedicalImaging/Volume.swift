/// A 3-D image: voxels and where they lie. `voxels[(z · size.y + y) · size.x + x]`.
public struct Volume<Voxel: Sendable>: Sendable {
  public var voxels: [Voxel]
  public let geometry: Geometry

  public init(voxels: [Voxel], geometry: Geometry) {
    precondition(
      voxels.count == geometry.voxelCount,
      "\(voxels.count) voxels do not fill \(geometry.size.x)×\(geometry.size.y)×\(geometry.size.z)")
    self.voxels = voxels
    self.geometry = geometry
  }

  public init(repeating voxel: Voxel, geometry: Geometry) {
    self.init(voxels: Array(repeating: voxel, count: geometry.voxelCount), geometry: geometry)
  }

  public subscript(x: Int, y: Int, z: Int) -> Voxel {
    get { voxels[(z * geometry.size.y + y) * geometry.size.x + x] }
    set { voxels[(z * geometry.size.y + y) * geometry.size.x + x] = newValue }
  }
}

extension Volume: Equatable where Voxel: Equatable {}

/// Intensities of one modality.
public typealias Image = Volume<Float>

/// One label a voxel, 0 is background.
public typealias LabelMap = Volume<UInt8>
