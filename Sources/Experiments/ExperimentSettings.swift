import Basics
package import Datasets
import DualNorm
import Foundation

extension ExperimentConfiguration {
  /// Makes the test sets, which all methods and seeds share.
  ///
  /// - Throws: `Refusal` for data that cannot be split as requested.
  func folds(of cases: [Case]) throws -> Folds {
    switch kind {
    case .crossValidate:
      guard let splits = training.splits else {
        return try Folds.make(cases: cases, count: folds ?? 5, seed: training.seed)
      }
      guard folds == nil else {
        throw Refusal(.input, "\(Setting.splits) brings folds of its own", remedy: "leave \(Setting.folds) out")
      }
      return try Folds(contentsOf: URL(fileURLWithPath: splits), cases: cases)
    case .leaveOneSiteOut:
      return try Folds.leavingOneSiteOut(cases: cases)
    case .matrix:
      try requireSites(cases)
      if let folds { return try Folds.make(cases: cases, count: folds, seed: training.seed) }
      let split = try Split.make(
        cases: cases, validationFraction: training.validationFraction, testFraction: training.holdOut,
        seed: training.seed)
      return Folds([Folds.Fold(train: split.training + split.validation, test: split.test)])
    }
  }

  private func requireSites(_ cases: [Case]) throws {
    let sites = Dictionary(grouping: cases, by: \.site)
    guard sites.count > 1 else {
      throw Refusal(
        .input, "There is a single site, \(sites.first?.key ?? "none"), and a matrix compares sites",
        remedy: "give a data set of at least 2, or use cross-validate")
    }
    for (site, members) in sites.sorted(by: { $0.key < $1.key }) {
      guard site != Self.jointName else {
        throw Refusal(
          .input, "A site is named \(site), as the matrix names all sites together", remedy: "rename its folder")
      }
      guard Set(members.map(\.patient)).count > 1 else {
        throw Refusal(
          .input, "\(site) has 1 patient, and a matrix both trains on each site and tests it",
          remedy: "leave the site out, or use leave-one-site-out")
      }
    }
  }

  private static let jointName = "joint"

  /// The training and test cases of each setting, in the order of the cells.
  package func settings(of folds: Folds, cases: [Case]) -> [ExperimentSetting] {
    let siteOf = Dictionary(cases.map { ($0.identifier, $0.site) }) { first, _ in first }
    func sites(_ identifiers: [String]) -> [String] { Set(identifiers.compactMap { siteOf[$0] }).sorted() }
    return folds.folds.enumerated().flatMap { index, fold -> [ExperimentSetting] in
      let trained = sites(fold.train)
      let name = kind == .leaveOneSiteOut ? sites(fold.test).joined(separator: "+") : "fold-\(index)"
      guard kind == .matrix else {
        return [ExperimentSetting(name: name, fold: name, trainSites: trained, cases: fold)]
      }
      let hasFolds = folds.folds.count > 1
      return (trained.map { ($0, [$0]) } + [(Self.jointName, trained)]).map { title, sites in
        let train = fold.train.filter { sites.contains(siteOf[$0] ?? "") }
        return ExperimentSetting(
          name: hasFolds ? "\(title)-\(name)" : title, fold: hasFolds ? name : "", trainSites: sites,
          cases: Folds.Fold(train: train, test: fold.test))
      }
    }
  }
}
