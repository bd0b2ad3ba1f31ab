import Basics
import Foundation
package import MedicalImaging
import Scores

/// A check's results in numbers and sentences, as `dualnorm check --format json` prints them.
///
/// docs/check.md has every key.
package struct DataReport: Codable, Equatable, Sendable {
  /// The least and the greatest of several values.
  package struct Span: Codable, Equatable, Sendable {
    package let least: Double
    package let greatest: Double
  }

  /// The distribution of a channel's intensities over a site; every case counts alike.
  package struct Channel: Codable, Equatable, Sendable {
    package let name: String
    package let range: Span
    /// Percentiles by percent: `1`, `5`, `25`, `50`, `75`, `95` and `99`.
    package let percentiles: [String: Double]
    /// Shares of the voxels in 24 equal steps from the 1st to the 99th percentile; the outer steps include the tails.
    package let histogram: [Double]
  }

  /// A label above 0 at a site.
  package struct Label: Codable, Equatable, Sendable {
    package let value: LabelValue
    /// The name in `dataset.json` or `prepared.json`.
    let name: String?
    /// The number of cases that hold it.
    package let cases: Int
    /// The median volume over these cases, in mL; for pictures in pixels.
    package let medianVolume: Double
    package let volume: Span
  }

  package struct Site: Codable, Equatable, Sendable {
    package let name: String
    package let cases: Int
    package let patients: Int
    /// Voxels along x, y and z.
    package let size: [Span]
    package let spacingMM: [Span]
    /// Size times spacing.
    package let extentMM: [Span]
    /// The number of cases by the directions of x, y and z (`LPS`); empty for pictures.
    package let orientations: [String: Int]
    package let channels: [Channel]
    package let masks: Int
    package let emptyMasks: Int
    package let labels: [Label]
  }

  /// One case's numbers.
  package struct Entry: Codable, Equatable, Sendable {
    package let identifier: String
    package let patient: String
    package let images: [String]
    package let mask: String?
    package let size: [Int]
    package let spacingMM: [Double]
    package let orientation: String?
    /// Volumes by label, in mL; for pictures in pixels.
    package let volumes: [String: Double]
    /// The 1st, 50th and 99th percentile of each channel.
    package let percentiles: [[Double]]
    /// The mask's placement; nil without a mask, and for an empty one.
    let placement: MaskPlacement?
  }

  package let folder: String
  package let layout: Dataset.Layout
  /// The unit of spacings and extents, even if the names of the keys say mm.
  let lengthUnit: LengthUnit
  /// The unit of label volumes: `mL` or `pixels`.
  package let volumeUnit: String
  /// Tells whether no finding is an error.
  package let isSound: Bool
  /// The number of cases whose files could not be read; only findings mention them.
  package let unreadCases: Int
  package let sites: [Site]
  package let cases: [Entry]
  package let findings: [DataCheck.Finding]
  /// The changes in a repaired copy, if one was requested.
  package var repair: DataRepair.Summary?

  package init(_ check: DataCheck, of dataset: Dataset) {
    folder = dataset.folder.path
    layout = dataset.layout
    lengthUnit = LengthUnit(of: check.facts.map(\.scan))
    let unit = lengthUnit
    volumeUnit = unit == .px ? "pixels" : "mL"
    isSound = check.errors.isEmpty
    unreadCases = dataset.cases.count - check.facts.count
    sites = bySite(check.facts).map { Site($0.site, $0.facts, dataset, unit) }
    cases = check.facts.map { Entry($0, unit) }
    findings = check.findings
  }

  package func count(_ severity: DataCheck.Severity) -> Int { findings.count { $0.severity == severity } }

  package func json() throws -> String { printableJSON(String(decoding: try prettyJSON(self), as: UTF8.self)) }
}

extension DataReport.Site {
  fileprivate init(_ site: String, _ facts: [CaseFacts], _ dataset: Dataset, _ unit: LengthUnit) {
    name = site
    cases = facts.count
    patients = Set(facts.map(\.scan.patient)).count
    func spans(_ value: (CaseFacts) -> SIMD3<Double>) -> [DataReport.Span] {
      (0..<3).map { axis in .init(facts.map { value($0)[axis] }) }
    }
    size = spans { SIMD3<Double>($0.geometry.size) }
    spacingMM = spans(\.writtenSpacingMM)
    extentMM = spans { SIMD3<Double>($0.geometry.size) * $0.writtenSpacingMM }
    let volumes = facts.filter(\.scan.hasOrientation)
    orientations = Dictionary(grouping: volumes) { $0.geometry.orientation.code }.mapValues(\.count)
    channels = dataset.modalities.indices.compactMap { .init($0, dataset.modalities[$0], facts) }
    masks = facts.count { !$0.labels.isEmpty }
    emptyMasks = facts.count { $0.hasEmptyMask() }
    labels = Set(facts.flatMap(\.labels.keys)).subtracting([0]).sorted().map { value in
      let volumes = facts.compactMap { $0.volume(of: value, unit) }
      return .init(
        value: value, name: dataset.labelNames[value], cases: volumes.count, medianVolume: median(volumes) ?? 0,
        volume: .init(volumes))
    }
  }
}

extension DataReport.Span {
  init(_ values: [Double]) {
    least = values.min() ?? 0
    greatest = values.max() ?? 0
  }
}

extension DataReport.Channel {
  private static let steps = 24

  /// nil if no case has finite voxels in the channel.
  fileprivate init?(_ index: Int, _ name: String, _ facts: [CaseFacts]) {
    let all = facts.compactMap { fact -> [Float]? in
      guard let profile = fact.profile, profile.quantiles.count > index, profile.quantiles[index].count == 101 else {
        return nil
      }
      return profile.quantiles[index]
    }
    guard !all.isEmpty else { return nil }
    self.name = name
    range = .init(all.flatMap { [Double($0[0]), Double($0[100])] })
    // Pool the quantiles of all cases as one sample: every case has 101 of them.
    let pooled = all.joined().sorted()
    func quantile(_ percent: Int) -> Double { Double(pooled[(percent * (pooled.count - 1) + 50) / 100]) }
    percentiles = Dictionary(uniqueKeysWithValues: [1, 5, 25, 50, 75, 95, 99].map { (String($0), quantile($0)) })
    let (low, high) = (quantile(1), quantile(99))
    var counts = [Int](repeating: 0, count: Self.steps)
    for value in pooled {
      let place = high > low ? (Double(value) - low) / (high - low) * Double(Self.steps) : 0
      counts[Int(min(max(place, 0), Double(Self.steps - 1)))] += 1
    }
    histogram = counts.map { Double($0) / Double(pooled.count) }
  }
}

extension DataReport.Entry {
  /// The case, with its image and mask to be read again.
  package var scan: Case {
    Case(
      name: identifier, site: "", sources: images.map { .found(at: URL(fileURLWithPath: $0)) },
      mask: mask.map { URL(fileURLWithPath: $0) })
  }

  fileprivate init(_ fact: CaseFacts, _ unit: LengthUnit) {
    identifier = fact.identifier
    patient = fact.scan.patient
    images = fact.scan.images.map(\.path)
    mask = fact.scan.mask?.path
    size = (0..<3).map { fact.geometry.size[$0] }
    spacingMM = (0..<3).map { fact.writtenSpacingMM[$0] }
    orientation = fact.scan.hasOrientation ? fact.geometry.orientation.code : nil
    volumes = Dictionary(
      uniqueKeysWithValues: fact.labels.keys.filter { $0 != 0 }.map { (String($0), fact.volume(of: $0, unit) ?? 0) })
    percentiles = (fact.profile?.quantiles ?? []).filter { $0.count == 101 }.map { values in
      [1, 50, 99].map { Double(values[$0]) }
    }
    placement = fact.profile?.placement
  }
}

extension CaseFacts {
  /// The spacing with just enough digits to identify a file's 32-bit number: 0.8, not 0.800000011920929.
  fileprivate var writtenSpacingMM: SIMD3<Double> {
    SIMD3(
      (0..<3).map { axis in
        let value = geometry.spacingMM[axis]
        let float = Float(value)
        return Double(float) == value ? Double("\(float)") ?? value : value
      })
  }

  /// The volume of a label, in mL or pixels; nil if the mask does not hold it.
  fileprivate func volume(of label: LabelValue, _ unit: LengthUnit) -> Double? {
    labels[label].map { count in
      let spacing = geometry.spacingMM
      return unit == .px ? Double(count) : Double(count) * spacing.x * spacing.y * spacing.z / 1000
    }
  }
}
