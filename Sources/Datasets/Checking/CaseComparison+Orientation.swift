import Basics
import Foundation
import MedicalImaging

extension CaseComparison {
  /// The share of a site's cases that must be stored alike for the others to be odd.
  private static let clearMajority = 2.0 / 3
  /// The least angle between an axis and the majority's that counts as turned.
  ///
  /// A mirrored axis is turned by 180°, an exchanged one by 90°, an oblique slice of equal order by less than this.
  static let turnedDegrees = 60.0

  func orientations() -> [DataCheck.Finding] {
    let sites = bySite(volumes)
    return sites.flatMap { oddOrientations($0.site, $0.facts) } + orientationsBetween(sites)
  }

  private func oddOrientations(_ site: String, _ facts: [CaseFacts]) -> [DataCheck.Finding] {
    let groups = CaseComparison.byOrientation(facts)
    guard groups.count > 1 else { return [] }
    let usual = groups[0]
    let share = Double(usual.facts.count) / Double(facts.count)
    let others = groups.dropFirst().map { group in
      (group.code, group.facts.filter { $0.geometry.largestAngle(to: usual.facts[0].geometry) > Self.turnedDegrees })
    }.filter { !$0.1.isEmpty }
    guard !others.isEmpty else { return [] }
    guard share >= Self.clearMajority, facts.count >= 3 else {
      let parts = groups.map { "\($0.facts.count) as \($0.code) (\(listed($0.facts.map(\.scan.name), atMost: 3)))" }
      return [
        .init(
          .warning, .orientation,
          "\(site): volumes are stored in different orientations, \(listed(parts, atMost: 8)); check that the headers "
            + "are right, then let \(Verb.check) \(Setting.fix) turn images and masks alike.", on: facts)
      ]
    }
    return others.map { code, odd in
      let rest = usual.facts.count == 1 ? "the other case" : "the other \(usual.facts.count) cases"
      return .init(
        .warning, .orientation,
        "\(listed(odd.map(\.file.path))): stored as \(code), expected \(usual.code) as \(rest) of \(site); check that "
          + "the header is right, then let \(Verb.check) \(Setting.fix) turn image and mask alike.", on: odd)
    }
  }

  /// Lists the commonest orientation of each site if they differ.
  private func orientationsBetween(_ sites: [(site: String, facts: [CaseFacts])]) -> [DataCheck.Finding] {
    let usual = sites.map { (site: $0.site, group: CaseComparison.byOrientation($0.facts)[0]) }
    guard let first = usual.first,
      usual.contains(where: {
        $0.group.code != first.group.code
          && $0.group.facts[0].geometry.largestAngle(to: first.group.facts[0].geometry) > Self.turnedDegrees
      })
    else { return [] }
    let byCode = Dictionary(grouping: usual, by: \.group.code).sorted {
      ($1.value.count, $0.key) < ($0.value.count, $1.key)
    }
    let parts = byCode.map { "\($0.key): \(listed($0.value.map(\.site), atMost: 10))" }
    return [
      .init(
        .note, .orientation,
        "The sites store volumes in different orientations (\(parts.joined(separator: "; "))), and the network sees "
          + "slices as they are stored; \(Verb.check) \(Setting.fix) turns all alike.")
    ]
  }

  /// Groups volumes by orientation, the commonest first.
  static func byOrientation(_ facts: [CaseFacts]) -> [(code: String, facts: [CaseFacts])] {
    Dictionary(grouping: facts) { $0.geometry.orientation.code }.map { (code: $0.key, facts: $0.value) }
      .sorted { ($1.facts.count, $0.code) < ($0.facts.count, $1.code) }
  }
}
