import Datasets
import Foundation
import Testing

@testable import Serving

@Suite struct CaseChooserTests {
  private let now = Date(timeIntervalSince1970: 1e9)

  /// Cases by identifier; those with a plus have a label.
  private func cases(_ names: String...) -> [String: Case] {
    Dictionary(
      uniqueKeysWithValues: names.map { name in
        let parts = name.replacing("+", with: "").split(separator: "/").map(String.init)
        let image = URL(fileURLWithPath: "/data/\(parts[0])/\(parts[1]).nii.gz")
        let mask = name.hasSuffix("+") ? image.deletingLastPathComponent() : nil
        return (parts.joined(separator: "/"), Case(name: parts[1], site: parts[0], images: [image], mask: mask))
      })
  }

  @Test func theSiteWithTheFewestLabels() async {
    let found = cases("A/1+", "A/2+", "A/3", "B/1+", "B/2", "C/1+", "C/2+", "C/3+", "C/4", "C/5")
    for seed in 0..<20 as Range<UInt64> {
      let chooser = CaseChooser(seed: seed)
      #expect(await chooser.next(.siteBalanced, among: found, now: now)?.identifier == "B/2", "\(seed)")
      // B has no other, and the one in somebody's hands counts: A and B have 2.
      let second = await chooser.next(.siteBalanced, among: found, now: now)?.identifier
      #expect(["A/3", "B/2"].contains(second))
    }
    let new = cases("A/1+", "B/1", "B/2", "B/3", "C/1")
    let chooser = CaseChooser(seed: 1)
    var sites: [String] = []
    for _ in 0..<2 {
      sites.append(String(await chooser.next(.siteBalanced, among: new, now: now)!.identifier.prefix(1)))
    }
    #expect(Set(sites) == ["B", "C"], "several people get different sites")
    // After an hour without a label, the case is anybody's again.
    #expect(await chooser.next(.siteBalanced, among: cases("A/1+", "B/1"), now: now + 3601)?.identifier == "B/1")
  }

  @Test func theLeastCertainFirst() async {
    let chooser = CaseChooser(seed: 0)
    let found = cases("A/1", "A/2", "A/3", "A/4+")
    let scores = ["A/1": 0.2, "A/2": 0.7, "A/3": 0.4, "A/4": 0.9]
    var order: [String] = []
    for _ in 0..<4 {
      order.append(await chooser.next(.uncertain, among: found, uncertainties: scores, now: now)!.identifier)
    }
    // All were handed out then, and the least certain comes again.
    #expect(order == ["A/2", "A/3", "A/1", "A/2"])
    let later = await chooser.next(.uncertain, among: found, uncertainties: scores, now: now + 7200)
    #expect(later?.identifier == "A/2" && later?.weight == 0.7)
    #expect(await chooser.next(.uncertain, among: found, now: now)?.identifier != nil, "without scores it draws")
    #expect(await chooser.next(.uncertain, among: found, uncertainties: ["A/3": 0.1], now: now)?.identifier == "A/3")
  }

  @Test func aDrawAvoidsWhatWasHandedOut() async {
    var repeats = 0
    for seed in 0..<100 as Range<UInt64> {
      let chooser = CaseChooser(seed: seed)
      let found = cases("A/1", "A/2", "B/1", "B/2+")
      var drawn: [String] = []
      for _ in 0..<3 { drawn.append(await chooser.next(.random, among: found, now: now)!.identifier) }
      #expect(!drawn.contains("B/2"))
      repeats += 3 - Set(drawn).count
    }
    #expect(repeats <= 2)
    var first: [String: Int] = [:]
    for seed in 0..<300 as Range<UInt64> {
      let chooser = CaseChooser(seed: seed)
      first[await chooser.next(.random, among: cases("A/1", "A/2", "B/1"), now: now)!.identifier, default: 0] += 1
    }
    #expect(first.count == 3 && first.values.allSatisfy { (60...140).contains($0) }, "\(first)")
  }

  @Test func nothingLeft() async {
    for strategy in LabellingStrategy.allCases {
      #expect(await CaseChooser(seed: 0).next(strategy, among: cases("A/1+")) == nil)
      #expect(await CaseChooser(seed: 0).next(strategy, among: [:]) == nil)
    }
  }
}
