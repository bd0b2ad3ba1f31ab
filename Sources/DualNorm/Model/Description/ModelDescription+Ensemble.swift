import Basics
import Scores

extension ModelDescription {
  /// The description of an ensemble: what its members have in common, and what any of them knows.
  ///
  /// A class keeps only its largest component where most members say so.
  ///
  /// - Parameter members: each with the path of its folder.
  /// - Throws: `Refusal` for members of other labels or channels than the first.
  package static func ensemble(_ members: [(path: String, description: ModelDescription)]) throws -> ModelDescription {
    let (path, first) = members[0]
    for (other, member) in members.dropFirst() {
      let differences = [
        ("classes", first.labels.summary, member.labels.summary),
        ("modalities", first.modalities.joined(separator: ", "), member.modalities.joined(separator: ", ")),
      ]
      for (what, expected, found) in differences where expected != found {
        throw Refusal(
          .input, other, "has the \(what) \(found), and \(path) has \(expected)",
          remedy: "give models of one task, such as the folds of a cross-validation")
      }
    }
    guard members.count > 1 else { return first }
    let all = members.map(\.description)
    var result = first
    result.origin = nil
    result.otherNetworks = all.dropFirst().map(\.network)
    result.sites = all.flatMap(\.sites).firstOccurrences
    result.warnings = all.flatMap(\.warnings).firstOccurrences
    let rules = all.map(\.largestComponents)
    if !rules.allSatisfy({ $0 == rules[0] }) { result.largestComponents = LargestComponents(ofMost: all) }
    result.training = all.dropFirst().reduce(first.training) { joined, next in
      joined.flatMap { joined in next.training.map(joined.joined) }
    }
    result.mirrorAxes = all.dropFirst().reduce(first.mirrorAxes) { common, next in
      common.flatMap { common in next.mirrorAxes.map { axes in common.filter(axes.contains) } }
    }
    return result
  }

  /// The axes that test-time augmentation mirrors along: those of the training.
  ///
  /// - Throws: `Refusal` if the training mirrored nothing, since mirror images would be strange to the network.
  package func usableMirrorAxes(of path: String) throws -> [MirrorAxis] {
    guard let mirrorAxes else {
      throw Refusal(
        .input, path, "does not say along which axes its training mirrored its images",
        remedy: "train again with this version, or leave \(Setting.mirror) out")
    }
    guard !mirrorAxes.isEmpty else {
      throw Refusal(
        .input, path, "was trained without mirrored images, so they would be strange to it",
        remedy: "train with \(Setting.flipAxes) x,y, or leave \(Setting.mirror) out")
    }
    return mirrorAxes
  }
}

extension LabelScheme {
  /// One line: `1 anterior, 2 posterior`.
  fileprivate var summary: String {
    let classes = zip(groups, names).map { group, name in
      "\(group.map(String.init).joined(separator: "+")) \(name)"
    }
    return classes.joined(separator: ", ")
      + (excluded.isEmpty ? "" : ", without \(LabelScheme.sentence(Set(excluded)))")
  }
}

extension LargestComponents {
  /// The rule of most members; ties keep all components.
  fileprivate init(ofMost members: [ModelDescription]) {
    let kept = members.map { $0.largestComponentClasses(.asInModel) }
    self = .validated(
      classes: members[0].labels.groups.indices.map { index in
        let gains = members.compactMap { $0.largestComponents?.gain(ofClass: index) }
        return Gain(
          kept: 2 * kept.count { $0.contains(UInt8(index + 1)) } > members.count,
          gain: gains.isEmpty ? nil : gains.reduce(0, +) / Double(gains.count))
      }, cases: members.reduce(0) { $0 + ($1.largestComponents?.cases ?? 0) })
  }

  fileprivate func gain(ofClass index: Int) -> Double? {
    if case .validated(let classes, _) = self { classes[index].gain } else { nil }
  }

  fileprivate var cases: Int {
    if case .validated(_, let cases) = self { cases } else { 0 }
  }
}

extension TrainingProfile {
  /// The profile of both trainings' volumes.
  fileprivate func joined(_ other: TrainingProfile) -> TrainingProfile {
    func joined<Bound>(_ a: ClosedRange<Bound>, _ b: ClosedRange<Bound>) -> ClosedRange<Bound> {
      min(a.lowerBound, b.lowerBound)...max(a.upperBound, b.upperBound)
    }
    let sameModalities =
      places.count == other.places.count && zip(places, other.places).allSatisfy { $0.count == $1.count }
    return TrainingProfile(
      cases: max(cases, other.cases), arePictures: arePictures == other.arePictures ? arePictures : nil,
      pixelsMM: joined(pixelsMM, other.pixelsMM), slicesMM: joined(slicesMM, other.slicesMM),
      sides: joined(sides, other.sides), depth: joined(depth, other.depth),
      places: sameModalities ? zip(places, other.places).map { zip($0, $1).map(joined) } : [])
  }
}
