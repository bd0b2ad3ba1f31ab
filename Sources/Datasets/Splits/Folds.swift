import Basics

/// Test sets and the cases that may train for each, by `Case.identifier`, sorted.
package struct Folds: Equatable, Sendable {
  package struct Fold: Equatable, Sendable {
    /// Cases to draw training and validation from.
    package let train: [String]
    package let test: [String]

    package init(train: [String], test: [String]) {
      self.train = train.sorted()
      self.test = test.sorted()
    }
  }

  package let folds: [Fold]

  package init(_ folds: [Fold]) { self.folds = folds }

  /// Draws the folds by patient within each site.
  ///
  /// Each patient is tested in exactly one fold, and a site's patients a fold differ by one at most. The order of
  /// `cases` and the other sites make no difference.
  ///
  /// - Parameter count: the number of folds, at least 2.
  /// - Throws: `Refusal` for fewer than 2 folds, or if a site has fewer patients than there are folds.
  package static func make(cases: [Case], count: Int, seed: UInt64) throws -> Folds {
    guard count >= 2 else {
      throw Refusal(
        .input, "\(Setting.folds) is \(count)", remedy: "give at least 2, so that each fold leaves cases to train on")
    }
    // Allocate at most one fold a case until each site is known to have enough patients.
    var tests = [[Case]](repeating: [], count: min(count, cases.count))
    for (site, members) in Dictionary(grouping: cases, by: \.site).sorted(by: { $0.key < $1.key }) {
      let scans = Dictionary(grouping: members, by: \.patient)
      guard scans.count >= count else {
        throw Refusal(
          .input, "\(site) has \(counted(scans.count, "patient")), fewer than the \(count) folds",
          remedy: scans.count < 2 ? "leave the site out" : "give \(Setting.folds) \(scans.count) or fewer")
      }
      var generator = SeededGenerator.stream(seed: seed, Split.stableHash(site))
      // Start at a random fold, so that surplus patients of all sites do not fall into the first folds.
      let start = generator.integer(below: count)
      for (index, patient) in generator.shuffled(scans.keys.sorted()).enumerated() {
        tests[(start + index) % count] += scans[patient] ?? []
      }
    }
    return Folds(testing: tests.map { $0.map(\.identifier) }, of: cases)
  }

  /// Makes one fold a site, in the sites' order: all its cases are tested, all others train.
  ///
  /// - Throws: `Refusal` for a single site.
  package static func leavingOneSiteOut(cases: [Case]) throws -> Folds {
    let sites = Dictionary(grouping: cases, by: \.site).sorted { $0.key < $1.key }
    guard sites.count > 1 else {
      throw Refusal(
        .input, "There is a single site, \(sites.first?.key ?? "none"), and leaving it out leaves nothing to train on",
        remedy: "give a data set of at least 2 sites, or use cross-validate")
    }
    return Folds(testing: sites.map { $0.value.map(\.identifier) }, of: cases)
  }

  /// Makes folds from their test sets: every case that a fold does not test trains for it.
  private init(testing tests: [[String]], of cases: [Case]) {
    let all = cases.map(\.identifier)
    self.init(
      tests.map { test in
        let tested = Set(test)
        return Fold(train: all.filter { !tested.contains($0) }, test: test)
      })
  }
}

extension Split {
  /// Makes the split of a fold: the fold's test cases are the test side.
  ///
  /// Validation cases, which choose the best checkpoint, are drawn by patient from its training cases.
  ///
  /// - Throws: the errors of `make`.
  package init(_ fold: Folds.Fold, of cases: [Case], validationFraction: Double, seed: UInt64) throws {
    let training = Set(fold.train)
    let inner = try Split.make(
      cases: cases.filter { training.contains($0.identifier) }, validationFraction: validationFraction, seed: seed)
    self.init(training: inner.training, validation: inner.validation, test: fold.test)
  }
}
