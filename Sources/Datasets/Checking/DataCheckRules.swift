import Basics
import Foundation
import MedicalImaging
import Scores

/// Rules that need several cases together or the names of labels.
struct DataCheckRules {
  let facts: [CaseFacts]
  let labelNames: [LabelValue: String]
  /// The file that gives the labels' names, for messages.
  let namesFile: String
  let merge: [[LabelValue]]
  let exclude: Set<LabelValue>

  /// More values than this in one mask are intensities rather than labels, unless `dataset.json` names them.
  static let mostUnnamedLabels = 20

  func findings() -> [DataCheck.Finding] {
    facts.compactMap(unexpectedLabels) + tooManyClasses() + greyEdges()
      + (labelValues().map { [$0] } ?? labelSets()) + missingClasses() + loneLabels() + emptyMasks() + duplicates()
      + pixelSizes()
  }

  private var sites: [(site: String, facts: [CaseFacts])] {
    Dictionary(grouping: facts, by: \.scan.site).sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  private func unexpectedLabels(_ fact: CaseFacts) -> DataCheck.Finding? {
    guard let mask = fact.scan.mask else { return nil }
    let found = Set(fact.labels.keys)
    if !labelNames.isEmpty {
      let unnamed = found.subtracting(labelNames.keys).subtracting(exclude).subtracting([0])
      guard !unnamed.isEmpty else { return nil }
      return .init(
        .error, .labels,
        "\(mask.path): holds \(LabelScheme.sentence(unnamed)), expected the labels of \(namesFile), "
          + "\(LabelScheme.sentence(Set(labelNames.keys))); correct the mask or name the label there.",
        cases: [fact.scan.identifier], files: [mask])
    }
    let left = foreground(fact).union(found.intersection([0]))
    guard left.count > DataCheckRules.mostUnnamedLabels else { return nil }
    let changes = [merge.isEmpty ? nil : "merging", exclude.isEmpty ? nil : "excluding"].compactMap { $0 }
    let count =
      "\(found.count) different values"
      + (left.count == found.count ? "" : ", \(left.count) after \(listed(changes))")
    if let edges = fact.greyEdges {
      return .init(
        .error, .greyEdges,
        "\(mask.path): holds \(count), all but \(edges.least) and \(edges.greatest) along edges only, "
          + "as smoothed (antialiased) masks and JPEG do; threshold it at \(edges.threshold).",
        cases: [fact.scan.identifier], files: [mask])
    }
    return .init(
      .error, .labels,
      "\(mask.path): holds \(count), which look like intensities, expected at most "
        + "\(DataCheckRules.mostUnnamedLabels) labels; check that it is a mask, or name its labels in a dataset.json.",
      cases: [fact.scan.identifier], files: [mask])
  }

  /// Finds more classes than a network has; masks without names have fewer labels.
  private func tooManyClasses() -> [DataCheck.Finding] {
    let known = Set(labelNames.keys).subtracting([0])
    guard let fault = LabelScheme.fault(ofClasses: merged(known).count, from: known.count) else { return [] }
    return [.init(.error, .labels, "\(fault)")]
  }

  /// The foreground labels of a case after merging.
  func foreground(_ fact: CaseFacts) -> Set<LabelValue> { labels([fact]) }

  /// The foreground labels of a site after merging.
  private func labels(_ facts: [CaseFacts]) -> Set<LabelValue> {
    merged(Set(facts.flatMap(\.labels.keys)))
  }

  private func merged(_ values: Set<LabelValue>) -> Set<LabelValue> {
    let found = values.subtracting(exclude).subtracting([0])
    return Set(found.map { value in merge.first { $0.contains(value) }?.first ?? value })
  }

  private func labelSets() -> [DataCheck.Finding] {
    let sets = sites.filter { $0.facts.contains { !$0.labels.isEmpty } }.map { ($0.site, labels($0.facts)) }
    if !sets.isEmpty, sets.allSatisfy({ $0.1.isEmpty }) {
      return [.init(.error, .labels, "All masks are empty, so there is nothing to learn; check the masks.")]
    }
    guard Set(sets.map { $0.1 }).count > 1 else { return [] }
    let bySet = Dictionary(grouping: sets, by: \.1).map { (sites: $0.value.map(\.0).sorted(), labels: $0.key) }
      .sorted { ($1.sites.count, $0.sites[0]) < ($0.sites.count, $1.sites[0]) }
    let parts = bySet.map { "\(listed($0.sites, atMost: 10)): \(LabelScheme.sentence($0.labels))" }
    return [
      .init(
        .warning, .labels,
        "The sites' labels differ (\(parts.joined(separator: "; "))); merge what means the same with "
          + "\(Setting.mergeLabels), or the missing classes cannot be learnt there.")
    ]
  }

  /// Finds classes that `dataset.json` names and no mask of a site holds.
  private func missingClasses() -> [DataCheck.Finding] {
    sites.compactMap { site, facts in
      guard facts.contains(where: { !$0.labels.isEmpty }) else { return nil }
      let missing = Set(labelNames.keys).subtracting([0]).subtracting(exclude).subtracting(facts.flatMap(\.labels.keys))
      guard !missing.isEmpty else { return nil }
      let names = missing.sorted().map { "\($0) (\(labelNames[$0] ?? ""))" }
      return .init(
        .warning, .labels,
        "\(site): no mask holds \(listed(names, atMost: 10)), which \(namesFile) names; the class cannot be learnt from it.",
        cases: facts.map(\.scan.identifier))
    }
  }

  /// Finds unnamed labels that only one of many masks holds.
  private func loneLabels() -> [DataCheck.Finding] {
    let masked = facts.filter { !$0.labels.isEmpty }
    guard masked.count >= 6, labelNames.isEmpty else { return [] }
    var holders: [LabelValue: [CaseFacts]] = [:]
    for fact in masked { for label in fact.labels.keys { holders[label, default: []].append(fact) } }
    let lone = holders.filter { $0.key != 0 && $0.value.count == 1 && !exclude.contains($0.key) }
    return Dictionary(grouping: lone.keys) { holders[$0]![0].scan.identifier }.sorted { $0.key < $1.key }
      .compactMap { _, found in
        let scan = holders[found[0]]![0].scan
        guard let mask = scan.mask else { return nil }
        return .init(
          .warning, .labels,
          "\(mask.path): holds \(LabelScheme.sentence(Set(found))), which none of the other \(masked.count - 1) masks "
            + "holds; correct the mask, or leave the label out with \(Setting.excludeLabels).",
          cases: [scan.identifier], files: [mask])
      }
  }

  private func emptyMasks() -> [DataCheck.Finding] {
    sites.compactMap { site, facts in
      let empty = facts.filter { $0.hasEmptyMask(without: exclude) }.map(\.scan)
      guard !empty.isEmpty else { return nil }
      return .init(
        .warning, .emptyMask,
        "\(site): \(counted(empty.count, "empty mask")) of \(facts.count) (\(listed(empty.map(\.name), atMost: 5))); "
          + "leave them out if the structure was not annotated, keep them if it is not there.",
        cases: empty.map(\.identifier), files: empty.compactMap(\.mask))
    }
  }

  private func duplicates() -> [DataCheck.Finding] {
    let groups = Dictionary(grouping: facts, by: \.imageHash).values.filter { $0.count > 1 }
    return groups.map { group in group.map(\.scan.identifier).sorted() }.sorted { $0[0] < $1[0] }.map { names in
      .init(
        .warning, .duplicate,
        "\(listed(names, atMost: 5)) have the same image; keep one, or training and test may share a patient.",
        cases: names)
    }
  }

  private func pixelSizes() -> [DataCheck.Finding] {
    let sizes = facts.filter(\.scan.hasOrientation).flatMap { [$0.geometry.spacingMM.x, $0.geometry.spacingMM.y] }
    guard let least = sizes.min(), let greatest = sizes.max(), greatest >= 1.5 * least else { return [] }
    return [
      .init(
        .note, .pixelSize,
        "Pixels measure from \(short(least)) to \(short(greatest)) mm, so the network sees one structure in very "
          + "different sizes; \(Setting.spacing) resamples all slices alike.")
    ]
  }
}
