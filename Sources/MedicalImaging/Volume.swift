/// A 3-D image: voxels and their grid. `voxels[(z · size.y + y) · size.x + x]`.
public struct Volume<Voxel: Sendable>: Sendable {
  public var voxels: [Voxel]
  public let geometry: Geometry
  /// True for voxels that were never measured, such as DICOM's pixel padding; nil if all were. Statistics skip them.
  public var noData: [Bool]?

  public init(voxels: [Voxel], geometry: Geometry, noData: [Bool]? = nil) {
    precondition(
      voxels.count == geometry.voxelCount,
      "\(voxels.count) voxels do not fill \(geometry.size.x)×\(geometry.size.y)×\(geometry.size.z)")
    precondition(noData.map { $0.count == voxels.count } ?? true, "no data of another size than its volume")
    self.voxels = voxels
    self.geometry = geometry
    self.noData = noData
  }

  public init(repeating voxel: Voxel, geometry: Geometry) {
    self.init(voxels: Array(repeating: voxel, count: geometry.voxelCount), geometry: geometry)
  }

  /// Visits the voxels that were measured, with their places in memory.
  @inlinable
  public func forEachMeasured(_ body: (Int, Voxel) -> Void) {
    guard let noData else {
      voxels.withUnsafeBufferPointer { for index in $0.indices { body(index, $0[index]) } }
      return
    }
    for index in voxels.indices where !noData[index] { body(index, voxels[index]) }
  }

  public subscript(x: Int, y: Int, z: Int) -> Voxel {
    get { voxels[(z * geometry.size.y + y) * geometry.size.x + x] }
    set { voxels[(z * geometry.size.y + y) * geometry.size.x + x] = newValue }
  }
}

extension Volume: Equatable where Voxel: Equatable {}

/// Intensities of one modality.
public typealias Image = Volume<Float>

/// A label of a mask file, such as FreeSurfer's 1035.
public typealias LabelValue = UInt16

/// One label a voxel, as mask files hold them; 0 is background.
public typealias LabelMap = Volume<LabelValue>

/// One class of a network a voxel; 0 is background.
public typealias ClassMap = Volume<UInt8>
