import Basics
import Foundation
package import MedicalImaging

/// Facts from one reading of a case's files, small enough to keep for all cases.
package struct CaseFacts: Equatable, Sendable {
  package let scan: Case
  /// The grid of the first modality.
  package let geometry: Geometry
  /// The least and greatest finite intensity of each modality or colour.
  package let intensities: [ClosedRange<Float>]
  /// The voxels of each label in the mask, 0 included; empty without a mask.
  package let labels: [LabelValue: Int]
  /// Equal for cases whose images have equal sizes and voxels.
  package let imageHash: UInt64
  /// The mask's intermediate values if they lie along edges only; nil otherwise and for facts from a file.
  let greyEdges: GreyEdges?
  /// Kept here because the files may be gone.
  package let isPicture: Bool
  /// The percentiles of each modality or colour; empty for facts from an earlier version's file.
  package let percentiles: [IntensityPercentiles]
  /// The intensities of the voxels with labels to learn.
  ///
  /// nil without such voxels, with several channels, and in files of earlier versions.
  package private(set) var foreground: ForegroundIntensities?
  /// Facts for comparing cases; nil for facts from a file.
  let profile: CaseProfile?

  init(
    scan: Case, geometry: Geometry, intensities: [ClosedRange<Float>] = [], labels: [LabelValue: Int] = [:],
    imageHash: UInt64 = 0, greyEdges: GreyEdges? = nil, foreground: ForegroundIntensities? = nil,
    profile: CaseProfile? = nil
  ) {
    self.scan = scan
    self.geometry = geometry
    self.intensities = intensities
    self.labels = labels
    self.imageHash = imageHash
    self.greyEdges = greyEdges
    self.foreground = foreground
    isPicture = scan.isPicture
    percentiles = profile?.quantiles.compactMap(IntensityPercentiles.init) ?? []
    self.profile = profile
  }

  /// The facts that a file keeps and that training plans with.
  init(
    scan: Case, geometry: Geometry, intensities: [ClosedRange<Float>], labels: [LabelValue: Int], imageHash: UInt64,
    isPicture: Bool, percentiles: [IntensityPercentiles], foreground: ForegroundIntensities?
  ) {
    self.scan = scan
    self.geometry = geometry
    self.intensities = intensities
    self.labels = labels
    self.imageHash = imageHash
    (self.isPicture, self.percentiles) = (isPicture, percentiles)
    self.foreground = foreground
    greyEdges = nil
    profile = nil
  }

  /// The facts that training plans with.
  var withoutProfile: CaseFacts {
    CaseFacts(
      scan: scan, geometry: geometry, intensities: intensities, labels: labels, imageHash: imageHash,
      isPicture: isPicture, percentiles: percentiles, foreground: foreground)
  }

  /// Tells whether there is a mask and it holds only background and excluded labels.
  func hasEmptyMask(without excluded: Set<LabelValue> = []) -> Bool {
    !labels.isEmpty && labels.keys.allSatisfy { $0 == 0 || excluded.contains($0) }
  }
}

/// One case read once: its facts (nil if a file could not be read) and the faults of the case alone.
struct CaseInspection: Sendable {
  let scan: Case
  /// Tells whether image and mask are likely exchanged.
  private(set) var isExchanged = false
  private(set) var facts: CaseFacts?
  private(set) var findings: [DataCheck.Finding] = []

  /// Reads one file at a time and keeps one channel, so memory holds at most a file and a channel.
  ///
  /// - Parameter exclude: labels that training will treat as background.
  init(_ scan: Case, of dataset: Dataset, exclude: Set<LabelValue> = []) {
    self.scan = scan
    var first: Image?
    var intensities: [ClosedRange<Float>] = []
    var quantiles: [[Float]] = []
    var hash = VoxelHash()
    var rounding: Double? = 0
    for source in scan.sources {
      let url = source.url
      guard let channels = read(url, { try dataset.channels(of: source, scan) }) else { return }
      if let first {
        let fault = mismatch(modality: url, channels[0].geometry, first: scan.reference, first.geometry)
        report(.grid, fault, url)
        rounding = CaseInspection.rounding(rounding, fault, channels[0].geometry, first.geometry)
      }
      first = first ?? channels[0]
      let statistics = channels.map(IntensityStatistics.init)
      let blank = scan.isPicture ? blankChannels(statistics) : []
      for (index, name) in source.channelNames.enumerated() where !blank.contains(index) {
        report(.voxels, statistics[index].fault(name), url)
      }
      intensities += statistics.compactMap(\.range)
      for (channel, statistics) in zip(channels, statistics) {
        hash.combine(channel)
        quantiles.append(Datasets.quantiles(of: channel, range: statistics.range))
      }
    }
    guard let first else { return }
    if let mask = scan.mask, scan.channelCount == 1, intensities.count == 1 {
      isExchanged = Warnings.collecting { MaskLikeness.areExchanged(image: first, mask: mask) }.value
    }
    var labels: [LabelValue: Int] = [:]
    var maskHash = VoxelHash()
    var placement: MaskPlacement?
    var greyEdges: GreyEdges?
    var foreground: ForegroundIntensities?
    if let url = scan.mask {
      guard let mask = read(url, { try scan.labels(on: first.geometry)! }) else { return }
      let fault = mismatch(mask: url, mask.geometry, image: scan.reference, first.geometry)
      report(.grid, fault, url)
      rounding = CaseInspection.rounding(rounding, fault, mask.geometry, first.geometry)
      labels = CaseInspection.histogram(mask)
      maskHash.combine(mask)
      greyEdges = GreyEdges(mask)
      if fault == nil { placement = MaskPlacement(of: mask, on: first, quantiles: quantiles[0]) }
      if fault == nil, intensities.count == 1 {
        foreground = ForegroundIntensities(of: first, in: mask, without: exclude)
      }
    }
    facts = CaseFacts(
      scan: scan, geometry: first.geometry, intensities: intensities, labels: labels, imageHash: hash.value,
      greyEdges: greyEdges, foreground: foreground,
      profile: CaseProfile(
        quantiles: quantiles, unorderedHash: hash.unordered, maskHash: maskHash.value, placement: placement,
        rounding: rounding))
  }

  /// The larger of `known` and the difference between the grids; nil if one exceeds rounding.
  private static func rounding(_ known: Double?, _ fault: Refusal?, _ grid: Geometry, _ first: Geometry) -> Double? {
    guard let known, fault == nil, let move = first.largestMove(to: grid) else { return nil }
    return max(known, move)
  }

  private mutating func read<Contents>(_ url: URL, _ body: () throws -> Contents) -> Contents? {
    do {
      let (contents, warnings) = try Warnings.collecting(body)
      findings += warnings.map { DataCheck.Finding(.warning, .reading, $0, cases: [scan.identifier], files: [url]) }
      return contents
    } catch {
      findings.append(DataCheck.Finding(.error, .file, "\(error)", cases: [scan.identifier], files: [url]))
      return nil
    }
  }

  private mutating func report(_ rule: DataCheck.Rule, _ fault: Refusal?, _ file: URL) {
    guard let fault else { return }
    findings.append(DataCheck.Finding(.error, rule, "\(fault)", cases: [scan.identifier], files: [file]))
  }

  private static func histogram(_ mask: LabelMap) -> [LabelValue: Int] {
    let counts = mask.histogram
    return Dictionary(
      uniqueKeysWithValues: counts.indices.filter { counts[$0] > 0 }.map { (LabelValue($0), counts[$0]) })
  }
}
