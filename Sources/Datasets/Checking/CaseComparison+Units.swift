import Basics
import Foundation
import MedicalImaging

extension CaseComparison {
  /// The plausible longest side of a volume of a body, in mm.
  private static let bodyMM = 5.0...2500.0

  /// Finds spacings that seem to be in another unit than mm.
  func units() -> [DataCheck.Finding] {
    let absurd = bySite(volumes).compactMap { site, facts in
      absurdSizes(facts.filter { !Self.bodyMM.contains($0.extentMM.max()) }, site)
    }
    let known = Set(absurd.flatMap(\.cases))
    let rest = volumes.filter { !known.contains($0.identifier) }
    let between = unitsBetweenSites(rest)
    let inThem = Set(between.flatMap(\.cases))
    let odd = Peers.groups(rest, least: 3).flatMap { peers in
      let middle = Sizes(peers.reference)
      return peers.judged.filter { !inThem.contains($0.identifier) }.compactMap { fact in
        Sizes([fact]).unit(against: middle).map { unit in
          DataCheck.Finding(
            .warning, .units,
            "\(fact.file.path): spacing \(Self.shape(fact.geometry.spacingMM)) mm and extent \(Self.shape(fact.extentMM)) "
              + "mm, as if in \(unit) beside \(peers.phrase) (median spacing \(Self.shape(middle.spacing)) mm, in order of "
              + "size); correct the spacing in the header.", on: [fact])
        }
      }
    }
    return absurd + odd + between
  }

  private func absurdSizes(_ facts: [CaseFacts], _ site: String) -> DataCheck.Finding? {
    guard let first = facts.first else { return nil }
    let longest = first.extentMM.max()
    // Guess the unit that brings the longest side closest to 200 mm.
    let guess = [("metres", 1000.0), ("centimetres", 10), ("micrometres", 0.001)]
      .filter { (20...2500).contains(longest * $0.1) }
      .min { abs(log(longest * $0.1 / 200)) < abs(log(longest * $1.1 / 200)) }
    let others = facts.count > 1 ? " (and \(counted(facts.count - 1, "other case")) of \(site) likewise)" : ""
    return .init(
      .warning, .units,
      "\(first.file.path): spans \(Self.shape(first.extentMM)) mm\(others), expected a longest side of 5 to 2500 mm for a "
        + "part of a body\(guess.map { ", as if the spacing were in \($0.0)" } ?? ""); correct the spacing in the header.",
      on: facts)
  }

  /// Finds sites whose sizes differ by a unit from all others; of two sites, the smaller one.
  private func unitsBetweenSites(_ facts: [CaseFacts]) -> [DataCheck.Finding] {
    let sites = bySite(facts)
    return sites.enumerated().compactMap { index, site in
      let others = facts.filter { $0.scan.site != site.site }
      guard !others.isEmpty, site.facts.count < others.count || site.facts.count == others.count && index > 0 else {
        return nil
      }
      let middle = Sizes(others)
      let own = Sizes(site.facts)
      return own.unit(against: middle).map { unit in
        .init(
          .warning, .units,
          "\(site.site): median spacing \(Self.shape(own.spacing)) mm, as if in \(unit) beside the other sites' "
            + "\(Self.shape(middle.spacing)) mm; correct the spacing in the headers.", on: site.facts)
      }
    }
  }

  static func shape(_ values: SIMD3<Double>) -> String { (0..<3).map { short(values[$0]) }.joined(separator: "×") }

  /// Finds CT whose offset of about 1000 is missing or was added twice, in a case or at a site.
  func offsets() -> [DataCheck.Finding] {
    let known = volumes.filter { $0.profile?.quantiles.first?.count == 101 }
    let sites = bySite(known)
    let between = sites.enumerated().compactMap { index, site -> DataCheck.Finding? in
      let others = known.filter { $0.scan.site != site.site }
      guard !others.isEmpty, site.facts.count < others.count || site.facts.count == others.count && index > 0 else {
        return nil
      }
      return Levels(site.facts).offsetFault(against: Levels(others)).map { fault in
        .init(
          .warning, .offset,
          "\(site.site): \(fault) the other sites', as if the offset of CT (its rescale intercept) were missing in one of "
            + "them; export them again in Hounsfield units.", on: site.facts)
      }
    }
    let inThem = Set(between.flatMap(\.cases))
    let cases = Peers.groups(known, least: 3).flatMap { peers in
      let middle = Levels(peers.reference)
      return peers.judged.filter { !inThem.contains($0.identifier) }.compactMap { fact in
        Levels([fact]).offsetFault(against: middle).map { fault in
          DataCheck.Finding(
            .warning, .offset,
            "\(fact.file.path): \(fault) those of \(peers.phrase), as if the offset of CT (its rescale intercept) were "
              + "missing in one of them; export it again in Hounsfield units.", on: [fact])
        }
      }
    }
    return cases + between
  }
}

/// Median spacing and extent, sorted so that the order of axes makes no difference.
private struct Sizes {
  let spacing: SIMD3<Double>
  let extent: SIMD3<Double>

  init(_ facts: [CaseFacts]) {
    spacing = Sizes.middle(facts.map(\.geometry.spacingMM))
    extent = Sizes.middle(facts.map(\.extentMM))
  }

  private static func middle(_ values: [SIMD3<Double>]) -> SIMD3<Double> {
    let sorted = values.map { value in [value.x, value.y, value.z].sorted() }
    return SIMD3((0..<3).map { axis in median(sorted.map { $0[axis] }) ?? 1 })
  }

  /// The unit that these sizes seem to have, compared with sizes in mm; nil for mm.
  ///
  /// Each spacing must lie within a factor of 1.5 of the unit's, their geometric mean within 1.25, and the extents'
  /// mean within 3.
  func unit(against other: Sizes) -> String? {
    let spacings = (0..<3).map { log10(spacing[$0] / other.spacing[$0]) }
    let extents = (0..<3).map { log10(extent[$0] / other.extent[$0]) }
    let units = [("centimetres", -1.0), ("metres", -3), ("tenths of a millimetre", 1), ("micrometres", 3)]
    return units.first { _, power in
      abs(spacings.reduce(0, +) / 3 - power) < log10(1.25) && spacings.allSatisfy { abs($0 - power) < log10(1.5) }
        && abs(extents.reduce(0, +) / 3 - power) < log10(3)
    }?.0
  }
}

/// The medians of the cases' least and 95th-percentile intensities.
private struct Levels {
  let least: Double
  let bright: Double

  init(_ facts: [CaseFacts]) {
    let all = facts.compactMap { $0.profile?.quantiles.first }.filter { $0.count == 101 }
    least = median(all.map { Double($0[0]) }) ?? 0
    bright = median(all.map { Double($0[95]) }) ?? 0
  }

  /// Describes the difference if both levels are about 1000 apart and the lower ones look like CT; nil otherwise.
  func offsetFault(against other: Levels) -> String? {
    let (dark, light) = (least - other.least, bright - other.bright)
    guard min(least, other.least) <= -900, 900...1150 ~= abs(dark), 700...1350 ~= abs(light), dark * light > 0 else {
      return nil
    }
    let sense = dark > 0 ? "above" : "below"
    return "intensities from \(short(least)) on lie about \(short(abs(dark))) \(sense)"
  }
}
