import Basics
package import Foundation

/// nnU-Net's `splits_final.json`: a list of `{"train": [case, …], "val": [case, …]}`.
extension Folds {
  private struct Entry: Codable {
    let train: [String]
    let val: [String]
  }

  /// Writes the file. Names are `Site/Case` for several sites, and `Case` for one, as in nnU-Net.
  package func write(to url: URL, cases: [Case]) throws {
    let hasSites = Set(cases.map(\.site)).count > 1
    let names = Dictionary(cases.map { ($0.identifier, $0.name) }) { first, _ in first }
    func written(_ identifiers: [String]) -> [String] { hasSites ? identifiers : identifiers.map { names[$0] ?? $0 } }
    try writeAtomically(prettyJSON(folds.map { Entry(train: written($0.train), val: written($0.test)) }), to: url)
  }

  /// Reads the file for a data set of `cases`. A name needs no site if no other site has the case.
  ///
  /// - Throws: `Refusal` for a file of another shape or without folds, or a name that is unknown, ambiguous or
  ///   repeated. Also for a fold that trains or tests nothing, and a patient on both sides of a fold or tested in two.
  package init(contentsOf url: URL, cases: [Case]) throws {
    self = try Self.unchecked(contentsOf: url, cases: cases)
    try Self.check(Array(folds.enumerated()), url, cases)
  }

  /// Reads the file like `init(contentsOf:cases:)`, but does not check the patients.
  static func unchecked(contentsOf url: URL, cases: [Case]) throws -> Folds {
    let names = CaseNames(cases)
    return Folds(try entries(in: url).enumerated().map { try fold($1, number: $0, url, names) })
  }

  /// Reads one fold of such a file. Other folds are not checked: nnU-Net allows folds that overlap.
  ///
  /// - Parameter choose: picks the fold's number, given the number of folds.
  /// - Throws: the errors of `choose`, and those of `init(contentsOf:cases:)` for the file and the fold.
  package static func fold(in url: URL, cases: [Case], choose: (Int) throws -> Int) throws -> Fold {
    let entries = try entries(in: url)
    let number = try choose(entries.count)
    let fold = try fold(entries[number], number: number, url, CaseNames(cases))
    try check([(number, fold)], url, cases)
    return fold
  }

  private static func entries(in url: URL) throws -> [Entry] {
    guard let data = contents(ofRegularFile: url) else {
      throw Refusal(.input, url.path, "cannot be read", remedy: "check the path of the folds")
    }
    guard let entries = try? JSONDecoder().decode([Entry].self, from: data) else {
      throw Refusal(
        .input, url.path, "is no list of folds",
        detail: "expected [{\"train\": [case, …], \"val\": [case, …]}, …], as nnU-Net writes it")
    }
    guard !entries.isEmpty else {
      throw Refusal(.input, url.path, "holds no folds", remedy: "give at least one with the lists train and val")
    }
    return entries
  }

  private static func fold(_ entry: Entry, number: Int, _ url: URL, _ names: CaseNames) throws -> Fold {
    let place = "\(url.path), fold \(number)"
    return Fold(
      train: try names.resolve(entry.train, "\(place): train"), test: try names.resolve(entry.val, "\(place): val"))
  }

  private static func check(_ folds: [(Int, Fold)], _ url: URL, _ cases: [Case]) throws {
    let known = Dictionary(cases.map { ($0.identifier, $0) }) { first, _ in first }
    var testedIn: [[String]: Int] = [:]
    for (index, fold) in folds {
      let training = Set(fold.train.map { [known[$0]!.site, known[$0]!.patient] })
      for scan in fold.test.map({ known[$0]! }) {
        let patient = "patient \(scan.patient) of \(scan.site)"
        guard !training.contains([scan.site, scan.patient]) else {
          throw Refusal(
            .input, "\(url.path), fold \(index)", "\(patient) is in train and in val",
            remedy: "keep all scans of a patient on one side")
        }
        let other = testedIn.updateValue(index, forKey: [scan.site, scan.patient]) ?? index
        guard other == index else {
          throw Refusal(
            .input, url.path, "\(patient) is in val of fold \(other) and of fold \(index)",
            remedy: "test each patient in one fold")
        }
      }
    }
  }
}

/// Finds cases by name, with or without their site.
struct CaseNames {
  private let identifiers: [String]
  private let byName: [String: [Case]]
  private let hasSites: Bool

  init(_ cases: [Case]) {
    identifiers = cases.map(\.identifier)
    byName = Dictionary(grouping: cases, by: \.name)
    hasSites = Set(cases.map(\.site)).count > 1
  }

  /// - Parameter place: the start of an error sentence: the file and the list in it.
  func resolve(_ names: [String], _ place: String) throws -> [String] {
    guard !names.isEmpty else { throw Refusal(.input, "\(place) is empty", remedy: "name at least one case") }
    let known = Set(identifiers)
    var seen: Set<String> = []
    return try names.map { name in
      let identifier = try known.contains(name) ? name : identifier(ofBare: name, place)
      guard seen.insert(identifier).inserted else {
        throw Refusal(.input, "\(place) names \(identifier) twice", remedy: "name each case once")
      }
      return identifier
    }
  }

  private func identifier(ofBare name: String, _ place: String) throws -> String {
    let found = byName[name] ?? []
    guard let scan = found.first else {
      let near = nearest(to: name, among: hasSites ? identifiers : byName.keys.sorted())
      throw Refusal(
        .input, "\(place) names \(quoted(name)), which is not in the data",
        detail: "the nearest is \(near)"
      ).followed(by: "Correct the name or add the case.")
    }
    guard found.count == 1 else {
      throw Refusal(
        .input, "\(place) names \(quoted(name)), which \(listed(found.map(\.site))) have",
        remedy: "name the site too, as in \(scan.identifier)")
    }
    return scan.identifier
  }
}
