import Basics
package import Foundation

/// The sides of a split file: nnU-Net's folds or the `splits.json` of a run.
///
/// Names are resolved, but nothing else is checked yet.
package struct SplitSides: Sendable {
  private struct Part {
    /// The start of a sentence: the file and the fold.
    let place: String
    let sides: [(name: String, cases: [String])]
  }

  private let file: URL
  private let parts: [Part]

  /// - Throws: `Refusal` for a file of another shape, or a name that is unknown, ambiguous or repeated on a side.
  package init(contentsOf url: URL, cases: [Case]) throws {
    file = url
    let names = CaseNames(cases)
    if let data = try? Data(contentsOf: url), let split = try? JSONDecoder().decode(Split.self, from: data) {
      let sides = [("training", split.training), ("validation", split.validation), ("test", split.test)]
      parts = [
        Part(
          place: url.path,
          sides: try sides.filter { !$0.1.isEmpty }.map { ($0.0, try names.resolve($0.1, "\(url.path): \($0.0)")) })
      ]
    } else {
      parts = try Folds.unchecked(contentsOf: url, cases: cases).folds.enumerated().map { number, fold in
        Part(place: "\(url.path), fold \(number)", sides: [("train", fold.train), ("val", fold.test)])
      }
    }
  }

  /// Finds patients and images on two sides of a split, as errors.
  ///
  /// Warns of patients whose number another site has on another side, and of those that several folds test.
  func findings(_ facts: [CaseFacts]) -> [DataCheck.Finding] {
    let known = Dictionary(facts.map { ($0.identifier, $0) }) { first, _ in first }
    return parts.flatMap { part -> [DataCheck.Finding] in
      let sides = part.sides.map { (name: $0.name, facts: $0.cases.compactMap { known[$0] }) }
      return sides.indices.flatMap { later in
        sides[..<later].flatMap { shared($0, sides[later], part.place) }
      }
    } + testedTwice(known)
  }

  private typealias Side = (name: String, facts: [CaseFacts])

  /// Finds the cases of one side that share a patient or an image with the other side, each once.
  private func shared(_ one: Side, _ other: Side, _ place: String) -> [DataCheck.Finding] {
    let rule = "keep all scans of a patient on one side."
    let keys: [(of: (CaseFacts) -> AnyHashable?, what: (CaseFacts) -> String, isError: Bool, advice: String)] = [
      ({ [$0.scan.site, $0.scan.patient] }, { "patient \($0.scan.patient) of \($0.scan.site)" }, true, rule),
      ({ $0.profile?.unorderedHash ?? $0.imageHash }, { _ in "one image" }, true, rule),
      // Sites number patients independently, but some patients visit two.
      (
        { $0.scan.patient == $0.scan.name ? nil : $0.scan.patient }, { "patient \($0.scan.patient)" }, false,
        "if this is one person at two sites, " + rule
      ),
    ]
    var seen: Set<String> = []
    return keys.flatMap { key in
      let first = Dictionary(grouping: one.facts.filter { key.of($0) != nil }) { key.of($0)! }
      return other.facts.compactMap { fact -> DataCheck.Finding? in
        guard let value = key.of(fact), let same = first[value], seen.insert(fact.identifier).inserted else {
          return nil
        }
        return .init(
          key.isError ? .error : .warning, .split,
          "\(place): \(key.what(fact)) is in \(one.name) (\(listed(same.map(\.identifier)))) and in \(other.name) "
            + "(\(fact.identifier)); \(key.advice)",
          cases: same.map(\.identifier) + [fact.identifier], files: [file])
      }
    }
  }

  private func testedTwice(_ known: [String: CaseFacts]) -> [DataCheck.Finding] {
    var foldsOf: [[String]: Set<Int>] = [:]
    guard parts.count > 1 else { return [] }
    for (number, part) in parts.enumerated() {
      for fact in part.sides[1].cases.compactMap({ known[$0] }) {
        foldsOf[[fact.scan.site, fact.scan.patient], default: []].insert(number)
      }
    }
    return foldsOf.filter { $0.value.count > 1 }.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { key, folds in
      .init(
        .warning, .split,
        "\(file.path): patient \(key[1]) of \(key[0]) is in val of folds "
          + "\(listed(folds.sorted().map(String.init), atMost: 10)); test each patient in one fold, or means over folds count it more than once.",
        cases: known.values.filter { [$0.scan.site, $0.scan.patient] == key }.map(\.identifier).sorted(), files: [file])
    }
  }
}
