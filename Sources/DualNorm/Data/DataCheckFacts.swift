import MedicalImaging

/// What one reading of a case's files tells, small enough to keep for all cases.
public struct CaseFacts: Equatable, Sendable {
  public let scan: Case
  /// Of the first modality.
  public let geometry: Geometry
  /// The least and greatest finite intensity of each modality or colour.
  public let intensities: [ClosedRange<Float>]
  /// Voxels of each mask value that occurs, 0 included; empty without a mask.
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

  /// Whether there is a mask and it holds background only, or nothing but these labels besides.
  public func hasEmptyMask(without excluded: Set<UInt8> = []) -> Bool {
    !labels.isEmpty && labels.keys.allSatisfy { $0 == 0 || excluded.contains($0) }
  }
}

/// One case read once: its facts (nil where a file could not be read) and what is wrong with it alone.
struct CaseInspection: Sendable {
  private(set) var facts: CaseFacts?
  private(set) var findings: [DataCheck.Finding] = []

  /// Reads one file at a time and keeps none, so that the memory needed is that of one volume.
  init(_ scan: Case) {
    var geometry: Geometry?
    var intensities: [ClosedRange<Float>] = []
    var hash = VoxelHash()
    for url in scan.images {
      guard let channels = read({ try Image.channels(contentsOf: url) }) else { return }
      if let first = geometry {
        report(mismatch(modality: url, channels[0].geometry, first: scan.images[0], first))
      }
      geometry = geometry ?? channels[0].geometry
      let statistics = channels.map { IntensityStatistics($0.voxels) }
      let blank = blankChannels(statistics)
      for (index, name) in channelNames(of: url, count: channels.count).enumerated() where !blank.contains(index) {
        report(statistics[index].fault(name))
      }
      intensities += statistics.compactMap(\.range)
      for channel in channels { hash.combine(channel) }
    }
    guard let geometry else { return }
    var labels: [UInt8: Int] = [:]
    if let url = scan.mask {
      guard let mask = read({ try LabelMap(contentsOf: url) }) else { return }
      report(mismatch(mask: url, mask.geometry, image: scan.images[0], geometry))
      labels = CaseInspection.histogram(mask)
    }
    facts = CaseFacts(
      scan: scan, geometry: geometry, intensities: intensities, labels: labels, imageHash: hash.value)
  }

  private mutating func read<Contents>(_ body: () throws -> Contents) -> Contents? {
    do {
      return try body()
    } catch {
      report("\(error)")
      return nil
    }
  }

  private mutating func report(_ fault: String?) {
    if let fault { findings.append(DataCheck.Finding(.error, fault)) }
  }

  private static func histogram(_ mask: LabelMap) -> [UInt8: Int] {
    let counts = mask.histogram
    return Dictionary(uniqueKeysWithValues: counts.indices.filter { counts[$0] > 0 }.map { (UInt8($0), counts[$0]) })
  }
}

/// A 64-bit hash of sizes and voxels, the same in every run (FNV-1a over whole voxels, then mixed).
private struct VoxelHash {
  private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

  mutating func combine(_ image: Image) {
    var hash = value
    func add(_ bits: UInt64) {
      hash = (hash ^ bits) &* 0x100_0000_01B3
      hash ^= hash >> 32
    }
    let size = image.geometry.size
    for side in [size.x, size.y, size.z] { add(UInt64(side)) }
    for voxel in image.voxels { add(UInt64(voxel.bitPattern)) }
    value = hash
  }
}
