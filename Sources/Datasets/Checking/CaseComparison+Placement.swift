import Basics
import Foundation

extension CaseComparison {
  /// Finds masks that seem misplaced; each mask gets only its most telling finding.
  func placements() -> [DataCheck.Finding] {
    let known = facts.filter { $0.profile?.placement != nil }
    let apart = Peers.groups(known, least: 7).flatMap { peers -> [DataCheck.Finding] in
      let places = peers.reference.compactMap { $0.profile?.placement }
      let usual = UsualPlace(places)
      let fit = UsualFit(places)
      return peers.judged.compactMap { fact in
        let place = fact.profile!.placement!
        return (usual?.distance(place, peers) ?? fit?.misfit(place, peers)).map { Self.finding($0, fact) }
      }
    }
    let named = Set(apart.flatMap(\.cases))
    let dark = Peers.groups(known, least: 3).flatMap { peers -> [DataCheck.Finding] in
      let usual = median(peers.reference.compactMap { $0.profile?.placement?.backgroundShare }) ?? 1
      return peers.judged.filter { !named.contains($0.identifier) }.compactMap { fact in
        Self.background(fact.profile!.placement!, usual: usual, peers).map { Self.finding($0, fact) }
      }
    }
    return apart + dark
  }

  private static func finding(_ fault: String, _ fact: CaseFacts) -> DataCheck.Finding {
    let url = fact.scan.mask ?? fact.file
    return .init(.warning, .placement, "\(url.path): \(fault)", cases: [fact.identifier], files: [url, fact.file])
  }

  /// A fault if more than half of the mask is background and the others' median is at most a tenth.
  private static func background(_ place: MaskPlacement, usual: Double, _ peers: Peers) -> String? {
    guard place.backgroundShare > 0.5, usual <= 0.1 else { return nil }
    return
      "\(percent(place.backgroundShare)) of it lies on background of its image, expected about \(percent(usual)) as in "
      + "\(peers.phrase); look at it on its image: it may be shifted, or of another case."
  }
}

/// The common place of several cases' masks, if they nearly agree on one.
private struct UsualPlace {
  /// The agreement along each axis of the patient.
  private let centres: [Agreement]

  /// nil if the masks vary in place, as those of tumours do, so that none is odd.
  ///
  /// Nine in ten must have their centre within 0.12 of the image from the median, on every axis.
  init?(_ places: [MaskPlacement]) {
    centres = (0..<3).map { axis in Agreement(places.map { $0.centre[axis] }) }
    guard centres.allSatisfy({ $0.nineTenths < 0.12 }) else { return nil }
  }

  /// A fault if the mask's centre is more than a fifth of the image away from the others'.
  func distance(_ place: MaskPlacement, _ peers: Peers) -> String? {
    func distance(_ axis: Int) -> Double { abs(place.centre[axis] - centres[axis].spread.median) }
    let found = (0..<3).filter { centres[$0].isFar(place.centre[$0], atLeast: 0.2) }
      .max { distance($0) < distance($1) }
    return found.map {
      "its centre lies at \(percent(place.centre[$0])) of the image \(axisNames[$0]), expected about "
        + "\(percent(centres[$0].spread.median)) as in \(peers.phrase); look at it on its image: it may be "
        + "shifted or mirrored."
    }
  }
}

/// How well several cases' masks fit their images, if that can be measured.
private struct UsualFit {
  private let median: Double

  /// nil if mirroring some masks makes little difference or even fits better, as with tumours.
  ///
  /// Nine in ten must have a fit of at least 1.2, and the median at least 1.5.
  init?(_ places: [MaskPlacement]) {
    let fits = places.compactMap(\.fit).sorted()
    guard fits.count == places.count, fits[Agreement.tenth(of: fits.count)] >= 1.2, let middle = Basics.median(fits),
      middle >= 1.5
    else { return nil }
    median = middle
  }

  /// A fault if the mirrored mask fits its image better than the mask itself.
  func misfit(_ place: MaskPlacement, _ peers: Peers) -> String? {
    guard let fit = place.fit, fit < 1 else { return nil }
    let best = (0..<3).min { place.mirroredSpread[$0] < place.mirroredSpread[$1] }!
    let guess = place.mirroredSpread[best] < 0.8 ? " (\(axisNames[best])?)" : ""
    return
      "does not fit its image: mirrored, the intensities within its labels spread by \(percent(fit)) of what they do as it "
      + "is, expected about \(percent(median)) as in \(peers.phrase); look at it on its image: it may be mirrored\(guess), "
      + "shifted, or of another case."
  }
}

private let axisNames = ["right to left", "front to back", "foot to head"]

/// The agreement of several values.
private struct Agreement {
  let spread: RobustSpread
  /// The distance from the median within which nine in ten lie.
  let nineTenths: Double

  init(_ values: [Double]) {
    spread = RobustSpread(values)!
    let middle = spread.median
    nineTenths = values.map { abs($0 - middle) }.sorted()[values.count - 1 - Agreement.tenth(of: values.count)]
  }

  /// A tenth of a count, rounded up.
  static func tenth(of count: Int) -> Int { (count + 9) / 10 }

  /// Tells whether a value is beyond `least`, six deviations and twice the distance within which nine in ten lie.
  func isFar(_ value: Double, atLeast least: Double) -> Bool {
    let distance = abs(value - spread.median)
    return distance > least && distance > 6 * spread.deviation && distance > 2 * nineTenths
  }
}

private func percent(_ share: Double) -> String { "\(Int((100 * share).rounded())) %" }
