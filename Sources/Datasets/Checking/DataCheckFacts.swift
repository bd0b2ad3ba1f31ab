import Basics
import Foundation
import MedicalImaging

/// What one reading of a case's files tells, small enough to keep for all cases.
package struct CaseFacts: Equatable, Sendable {
  package let scan: Case
  /// Of the first modality.
  package let geometry: Geometry
  /// The least and greatest finite intensity of each modality or colour.
  package let intensities: [ClosedRange<Float>]
  /// Voxels of each mask value that occurs, 0 included; empty without a mask.
  package let labels: [UInt8: Int]
  /// Equal for cases whose images have equal sizes and voxels.
  package let imageHash: UInt64
  /// Where the mask's values between its extremes lie on edges only; nil elsewhere, and where facts were kept in a file.
  let greyEdges: GreyEdges?
  /// Kept for where the files are gone.
  package let isPicture: Bool
  /// Of each modality or colour; empty where the facts were kept in a file of an earlier version.
  package let percentiles: [IntensityPercentiles]
  /// What cases are compared by; nil where the facts were kept in a file.
  let profile: CaseProfile?

  init(
    scan: Case, geometry: Geometry, intensities: [ClosedRange<Float>] = [], labels: [UInt8: Int] = [:],
    imageHash: UInt64 = 0, greyEdges: GreyEdges? = nil, profile: CaseProfile? = nil
  ) {
    self.scan = scan
    self.geometry = geometry
    self.intensities = intensities
    self.labels = labels
    self.imageHash = imageHash
    self.greyEdges = greyEdges
    isPicture = scan.isPicture
    percentiles = profile?.quantiles.compactMap(IntensityPercentiles.init) ?? []
    self.profile = profile
  }

  /// What a file keeps, or what training plans with.
  init(
    scan: Case, geometry: Geometry, intensities: [ClosedRange<Float>], labels: [UInt8: Int], imageHash: UInt64,
    isPicture: Bool, percentiles: [IntensityPercentiles]
  ) {
    self.scan = scan
    self.geometry = geometry
    self.intensities = intensities
    self.labels = labels
    self.imageHash = imageHash
    (self.isPicture, self.percentiles) = (isPicture, percentiles)
    greyEdges = nil
    profile = nil
  }

  /// What training plans with.
  var withoutProfile: CaseFacts {
    CaseFacts(
      scan: scan, geometry: geometry, intensities: intensities, labels: labels, imageHash: imageHash,
      isPicture: isPicture, percentiles: percentiles)
  }

  /// Whether there is a mask and it holds background only, or nothing but these labels besides.
  func hasEmptyMask(without excluded: Set<UInt8> = []) -> Bool {
    !labels.isEmpty && labels.keys.allSatisfy { $0 == 0 || excluded.contains($0) }
  }
}

/// One case read once: its facts (nil where a file could not be read) and what is wrong with it alone.
struct CaseInspection: Sendable {
  let scan: Case
  /// Whether image and mask are likely exchanged.
  private(set) var isExchanged = false
  private(set) var facts: CaseFacts?
  private(set) var findings: [DataCheck.Finding] = []

  /// Reads one file at a time and keeps one channel, so that the memory needed is that of a file and a channel.
  init(_ scan: Case) {
    self.scan = scan
    var first: Image?
    var intensities: [ClosedRange<Float>] = []
    var quantiles: [[Float]] = []
    var hash = VoxelHash()
    var rounding: Double? = 0
    for url in scan.images {
      guard let channels = read(url, { try Image.channels(contentsOf: url) }) else { return }
      if let first {
        let fault = mismatch(modality: url, channels[0].geometry, first: scan.images[0], first.geometry)
        report(.grid, fault, url)
        rounding = CaseInspection.rounding(rounding, fault, channels[0].geometry, first.geometry)
      }
      first = first ?? channels[0]
      let statistics = channels.map(IntensityStatistics.init)
      let blank = blankChannels(statistics)
      for (index, name) in channelNames(of: url, count: channels.count).enumerated() where !blank.contains(index) {
        report(.voxels, statistics[index].fault(name), url)
      }
      intensities += statistics.compactMap(\.range)
      for (channel, statistics) in zip(channels, statistics) {
        hash.combine(channel)
        quantiles.append(Datasets.quantiles(of: channel, range: statistics.range))
      }
    }
    guard let first else { return }
    if let mask = scan.mask, scan.images.count == 1, intensities.count == 1 {
      isExchanged = Warnings.collecting { MaskLikeness.areExchanged(image: first, mask: mask) }.value
    }
    var labels: [UInt8: Int] = [:]
    var maskHash = VoxelHash()
    var placement: MaskPlacement?
    var greyEdges: GreyEdges?
    if let url = scan.mask {
      guard let mask = read(url, { try LabelMap(contentsOf: url) }) else { return }
      let fault = mismatch(mask: url, mask.geometry, image: scan.images[0], first.geometry)
      report(.grid, fault, url)
      rounding = CaseInspection.rounding(rounding, fault, mask.geometry, first.geometry)
      labels = CaseInspection.histogram(mask)
      maskHash.combine(mask)
      greyEdges = GreyEdges(mask)
      if fault == nil { placement = MaskPlacement(of: mask, on: first, quantiles: quantiles[0]) }
    }
    facts = CaseFacts(
      scan: scan, geometry: first.geometry, intensities: intensities, labels: labels, imageHash: hash.value,
      greyEdges: greyEdges,
      profile: CaseProfile(
        quantiles: quantiles, unorderedHash: hash.unordered, maskHash: maskHash.value, placement: placement,
        rounding: rounding))
  }

  /// The larger of `known` and how far the grids differ; nil where one is no rounding.
  private static func rounding(_ known: Double?, _ fault: String?, _ grid: Geometry, _ first: Geometry) -> Double? {
    guard let known, fault == nil, let move = first.largestMove(to: grid) else { return nil }
    return max(known, move)
  }

  private mutating func read<Contents>(_ url: URL, _ body: () throws -> Contents) -> Contents? {
    do {
      let (contents, warnings) = try Warnings.collecting(body)
      findings += warnings.map { DataCheck.Finding(.warning, .reading, $0, cases: [scan.identifier], files: [url]) }
      return contents
    } catch {
      report(.file, "\(error)", url)
      return nil
    }
  }

  private mutating func report(_ rule: DataCheck.Rule, _ fault: String?, _ file: URL) {
    guard let fault else { return }
    findings.append(DataCheck.Finding(.error, rule, fault, cases: [scan.identifier], files: [file]))
  }

  private static func histogram(_ mask: LabelMap) -> [UInt8: Int] {
    let counts = mask.histogram
    return Dictionary(uniqueKeysWithValues: counts.indices.filter { counts[$0] > 0 }.map { (UInt8($0), counts[$0]) })
  }
}
