import Basics
package import Foundation

/// The cases that train, those that choose the best checkpoint, and the test cases; by `Case.identifier`, sorted.
package struct Split: Codable, Equatable, Sendable {
  package let training: [String]
  package let validation: [String]
  package let test: [String]

  init(training: [String], validation: [String], test: [String] = []) {
    self.training = training.sorted()
    self.validation = validation.sorted()
    self.test = test.sorted()
  }

  /// Draws the sides by patient within each site; the order of `cases` and the other sites make no difference.
  ///
  /// Each fraction is of a site's patients, rounded, at least one. A site of three or more has every side. A site of
  /// two keeps one for validation (for the test, if `testFraction` is above 0). A single patient trains, which is
  /// reported if some were to be held out.
  ///
  /// - Throws: `Refusal` for fractions that are negative or leave nothing to train on, and if patients were to be
  ///   held out and no site has two.
  package static func make(
    cases: [Case], validationFraction: Double = 0.15, testFraction: Double = 0, seed: UInt64
  ) throws -> Split {
    guard validationFraction >= 0, testFraction >= 0, validationFraction + testFraction < 1 else {
      throw Refusal(
        .input,
        "The validation fraction \(validationFraction) and the test fraction \(testFraction) must be at least 0 and "
          + "their sum below 1")
    }
    if testFraction > 0 { try requirePatients(cases, testFraction) }
    var sides: [[Case]] = [[], [], []]
    for (site, members) in Dictionary(grouping: cases, by: \.site) {
      let scans = Dictionary(grouping: members, by: \.patient)
      var generator = SeededGenerator.stream(seed: seed, stableHash(site))
      let patients = generator.shuffled(scans.keys.sorted())
      let count = patients.count
      let test = share(testFraction, of: count, atMost: count - (validationFraction > 0 && count > 2 ? 2 : 1))
      let validation = share(validationFraction, of: count, atMost: count - test - 1)
      for (index, patient) in patients.enumerated() {
        let side = index < test ? 2 : index < test + validation ? 1 : 0
        sides[side] += scans[patient] ?? []
      }
    }
    let names = sides.map { $0.map(\.identifier) }
    return Split(training: names[0], validation: names[1], test: names[2])
  }

  /// Reports the sites that cannot hold a patient out; throws `Refusal` if none can.
  private static func requirePatients(_ cases: [Case], _ testFraction: Double) throws {
    let patients = Dictionary(grouping: cases, by: \.site).mapValues { Set($0.map(\.patient)).count }
    let single = patients.filter { $0.value < 2 }.keys.sorted()
    guard !single.isEmpty else { return }
    let what = single.count == 1 ? "has a single patient" : "have a single patient each"
    let option = "\(Setting.holdOut) \(shortest(testFraction)): \(listed(single, atMost: 5)) \(what)"
    guard single.count < patients.count else {
      throw Refusal(
        .input, "\(option), so none can be held out",
        remedy: "add patients, or leave \(Setting.holdOut) out and test on other data")
    }
    Warnings.report("\(option), who trains: none is held out there.")
  }

  /// The number of patients among `count` that make up `fraction`.
  private static func share(_ fraction: Double, of count: Int, atMost most: Int) -> Int {
    fraction > 0 ? min(max(1, Int((fraction * Double(count)).rounded())), most) : 0
  }

  /// A hash that is equal on every machine and in every run, unlike `hashValue` (FNV-1a).
  static func stableHash(_ text: String) -> Int {
    let hash = text.utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    return Int(truncatingIfNeeded: hash)
  }
}

extension Split {
  /// Writes `splits.json`.
  package func write(to url: URL) throws { try writeAtomically(prettyJSON(self), to: url) }

  /// Reads `splits.json` for a data set of `cases`.
  ///
  /// - Throws: `Refusal` for a file that is no split, names a missing case or repeats one. Also if it has nothing to
  ///   train on, or puts a patient on two sides.
  package init(contentsOf url: URL, cases: [Case]) throws {
    self = try Split(recordedIn: url)
    try check(cases, url)
  }

  /// Reads `splits.json` as it is, without needing the data.
  package init(recordedIn url: URL) throws {
    guard let data = contents(ofRegularFile: url) else {
      throw Refusal(
        .input, url.path, "cannot be read", remedy: "check the path, or leave the file out to draw a new split")
    }
    guard let split = try? JSONDecoder().decode(Split.self, from: data) else {
      throw Refusal(
        .input, url.path, "is not a split",
        detail: "expected a JSON object with the lists training, validation and test of site/case names")
    }
    self = Split(training: split.training, validation: split.validation, test: split.test)
  }

  private func check(_ cases: [Case], _ url: URL) throws {
    let known = Dictionary(cases.map { ($0.identifier, $0) }) { first, _ in first }
    var named: Set<String> = []
    var sideOfPatient: [[String]: String] = [:]
    for (side, identifiers) in [("training", training), ("validation", validation), ("test", test)] {
      for identifier in identifiers {
        guard let scan = known[identifier] else {
          throw Refusal(
            .input, url.path, "\(side) names \(quoted(identifier)), which is not in the data",
            remedy: "correct the name or add the case")
        }
        guard named.insert(identifier).inserted else {
          throw Refusal(.input, url.path, "\(identifier) is named twice", remedy: "name each case once")
        }
        let other = sideOfPatient.updateValue(side, forKey: [scan.site, scan.patient]) ?? side
        guard other == side else {
          throw Refusal(
            .input, url.path, "patient \(scan.patient) of \(scan.site) is in \(other) and in \(side)",
            remedy: "keep all scans of a patient on one side")
        }
      }
    }
    guard !training.isEmpty else {
      throw Refusal(
        .input, url.path, "training is empty", remedy: "name the cases to train on")
    }
  }
}
