import Basics
import Datasets
import Scores

/// The quality of a network on the validation cases: Dice of whole volumes on the prepared grid.
package struct ValidationScore: Equatable, Sendable {
  /// Mean Dice over the cases and classes of each site.
  package let diceBySite: [String: Double]
  /// Names of the classes that some case has and no prediction found.
  let unfoundClasses: [String]
  /// The classes that some case has.
  let presentClasses: Set<UInt8>

  /// Mean over the sites; nil if no case has any class.
  package var dice: Double? {
    // The order is fixed, because sums of three or more depend on it.
    let sites = diceBySite.sorted { $0.key < $1.key }
    return sites.isEmpty ? nil : sites.reduce(0) { $0 + $1.value } / Double(sites.count)
  }

  /// Scores the last pass of `network` on cases with labels; `description` names the sites it was trained on.
  init(of network: DualNormNetwork, _ description: ModelDescription, on cases: [PreparedCase]) {
    let sampling = DualNorm.sampling(description.preparation)
    var bySite: [String: [Double]] = [:]
    var (present, hit): (Set<UInt8>, Set<UInt8>) = ([], [])
    for item in cases {
      guard let truth = item.volume.labels else { continue }
      let found = network.classes(of: item.volume, sampling, site: description.branch(ofSite: item.source.site))
      let byClass = diceByClass(found, truth, classes: network.plan.classes)
      present.formUnion(truth)
      hit.formUnion(zip(found, truth).lazy.filter { $0 == $1 }.map(\.0))
      let scores = byClass.compactMap { $0 }
      if !scores.isEmpty { bySite[item.source.site, default: []].append(scores.reduce(0, +) / Double(scores.count)) }
    }
    presentClasses = present.subtracting([0])
    diceBySite = bySite.mapValues { $0.reduce(0, +) / Double($0.count) }
    unfoundClasses = present.subtracting(hit).filter { $0 > 0 }.sorted().map {
      description.labels.names[Int($0) - 1]
    }
  }
}

extension ValidationScore: CustomStringConvertible {
  /// `validation Dice 0.873 (Site-A 0.88, Site-B 0.86)`
  package var description: String {
    guard let dice else { return "no validation case has a class to score" }
    let sites = diceBySite.sorted { $0.key < $1.key }.map { "\($0.key) \(fixed($0.value, decimals: 3))" }
    return "validation Dice \(fixed(dice, decimals: 3))"
      + (sites.count > 1 ? " (\(sites.joined(separator: ", ")))" : "")
  }
}

/// Dice of each class above 0: 2 |A ∩ B| / (|A| + |B|); nil if neither map has the class.
func diceByClass(_ prediction: [UInt8], _ truth: [UInt8], classes: Int) -> [Double?] {
  var common = [Int](repeating: 0, count: classes)
  var total = common
  for (a, b) in zip(prediction, truth) {
    total[Int(a)] += 1
    total[Int(b)] += 1
    if a == b { common[Int(a)] += 1 }
  }
  return (1..<classes).map { total[$0] == 0 ? nil : 2 * Double(common[$0]) / Double(total[$0]) }
}
