import MedicalImaging

/// What one reading of a case's files tells, small enough to keep for all cases.
public struct CaseFacts: Equatable, Sendable {
  public let scan: Case
  /// Of the first modality.
  public let geometry: Geometry
  /// The least and greatest finite intensity of each modality.
  public let intensities: [ClosedRange<Float>]
  /// Voxels a mask value, 0 included; empty without a mask.
  public let labels: [UInt8: Int]
  /// Equal for cases whose images have equal sizes and voxels.
  public let imageHash: UInt64

  public init(
    scan: Case, geometry: Geometry, intensities: [ClosedRange<Float>] = [], labels: [UInt8: Int] = [:],
    imageHash: UInt64 = 0
  ) {
    self.scan = scan
    self.geometry = geometry
    self.intensities = intensities
    self.labels = labels
    self.imageHash = imageHash
  }
}
