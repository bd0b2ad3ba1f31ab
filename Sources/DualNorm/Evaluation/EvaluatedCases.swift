import Basics
package import Datasets
import Foundation
import MedicalImaging
package import Scores

/// The cases to evaluate a run's model on, with each case's side in the run's training.
///
/// Several runs make an ensemble. A case that any of them trained on is a training case of all.
package struct EvaluatedCases {
  /// The sides to evaluate on.
  package enum Choice: String, CaseIterable, Sendable { case all, training, validation, test }

  package let cases: [Case]
  package let choice: Choice
  /// Sides by `Case.identifier`; empty for other data than the run's.
  package let sides: [String: TrainingSide]
  /// The reason why scores may be better than on new patients. nil if the user chose the cases or none was used in
  /// training.
  package let warning: String?

  /// - Parameter given: the user's choice. nil takes the held-out and the new cases if the data are the run's own and
  ///   any case was held out; otherwise all.
  /// - Throws: `Refusal` if the chosen side has no cases.
  package init(of dataset: Dataset, runs: [RunFolder], choice given: Choice?) throws {
    let own = try runs.reduce(into: [:]) { $0.join(try RunSides($1)?.sides(of: dataset) ?? [:]) }
    for run in runs where !own.isEmpty && !FileManager.default.fileExists(atPath: run.splits.path) {
      Warnings.report(
        "\(run.url.path): does not say which cases trained it, and other members of the ensemble do; if it learnt from "
          + "these cases, the scores are better than on new patients.")
    }
    for run in runs where own.isEmpty {
      guard try run.readDescription().origin != nil else { continue }
      Warnings.report(
        "\(run.url.path): does not say which cases trained it; if it learnt from these cases, the scores are better than on "
          + "new patients.")
    }
    guard let given else {
      let isHeldOut = own.values.contains(.test)
      let unseen = isHeldOut ? dataset.cases.filter { [.test, .new].contains(own[$0.identifier]) } : dataset.cases
      choice = unseen.allSatisfy { own[$0.identifier] == .test } && isHeldOut ? .test : .all
      (sides, cases) = (own, unseen)
      warning = isHeldOut ? nil : Self.warning(own, dataset, runs)
      return
    }
    (choice, warning) = (given, nil)
    guard given != .all else {
      (sides, cases) = (own, dataset.cases)
      return
    }
    for run in runs where !FileManager.default.fileExists(atPath: run.splits.path) {
      throw Refusal(
        .input, run.splits.path, "is missing, so the run names no \(given.rawValue) cases",
        remedy: "leave \(Setting.split) out")
    }
    sides =
      own.isEmpty
      ? try runs.reduce(into: [:]) { $0.join(try Split(contentsOf: $1.splits, cases: dataset.cases).sides) } : own
    let wanted = TrainingSide(rawValue: given.rawValue)
    let (all, known) = (dataset.cases, sides)
    cases = all.filter { known[$0.identifier] == wanted }
    guard !cases.isEmpty else {
      throw Refusal(
        .input, runs[0].splits.path, "has no \(given.rawValue) cases" + (runs.count > 1 ? " of all models" : ""),
        remedy: "train with \(given == .test ? "\(Setting.holdOut) 0.2" : "\(Setting.validationFraction) 0.15") on "
          + "sites of at least two patients, or evaluate another side")
    }
  }

  private static func warning(_ sides: [String: TrainingSide], _ dataset: Dataset, _ runs: [RunFolder]) -> String? {
    func count(_ side: TrainingSide) -> Int { sides.values.count { $0 == side } }
    let known = count(.training) + count(.validation)
    guard known > 0 else { return nil }
    let models = runs.count > 1 ? "a model of the ensemble" : "the model of \(runs[0].url.path)"
    return
      "\(dataset.folder.path): \(known) of \(counted(dataset.cases.count, "case")) trained \(models) "
      + "or chose its checkpoint, and none was held out, so the scores are better than on new "
      + "patients; evaluate on other data, or train with \(Setting.holdOut) 0.2."
  }

  /// The sides to mark scores with; none for held-out cases only.
  package var marks: [String: TrainingSide] { choice == .test ? [:] : sides }

  /// The number of the data set's cases that the choice leaves out.
  package func leftOut(of dataset: Dataset) -> Int { dataset.cases.count - cases.count }
}

extension [String: TrainingSide] {
  /// Adds the sides of another run; a case that either trained on is a training case.
  fileprivate mutating func join(_ other: Self) {
    merge(other) { a, b in [.training, .validation, .test].first { $0 == a || $0 == b } ?? a }
  }
}

extension Split {
  fileprivate var sides: [String: TrainingSide] {
    let all: [(TrainingSide, [String])] = [(.test, test), (.validation, validation), (.training, training)]
    // A training case never counts as anything else.
    return Dictionary(all.flatMap { side, names in names.map { ($0, side) } }) { $1 }
  }
}

/// The sides of a run's cases, from its folder.
private struct RunSides {
  private let run: RunFolder
  private let sides: [String: TrainingSide]

  /// nil if the run wrote no split.
  init?(_ run: RunFolder) throws {
    guard FileManager.default.fileExists(atPath: run.splits.path) else { return nil }
    (self.run, sides) = (run, try Split(recordedIn: run.splits).sides)
  }

  /// Sides by `Case.identifier`; empty for other data.
  ///
  /// In the run's own data folder, names identify the cases. Elsewhere their voxels do, since other patients may have
  /// the same names, and a folder may have been moved.
  func sides(of dataset: Dataset) throws -> [String: TrainingSide] {
    let named = dataset.cases.filter { sides[$0.identifier] != nil }
    if isFolderOfTraining(dataset.folder) { return named.isEmpty ? [:] : filled(dataset, by: sides) }
    guard FileManager.default.fileExists(atPath: run.facts.path) else {
      if named.count == dataset.cases.count {
        Warnings.report(
          "\(dataset.folder.path): its cases have the names of those of the run \(run.url.path), which does not say "
            + "whether they are the same; if they are, choose a side with \(Setting.split).")
      }
      return [:]
    }
    let facts = try FactsFile.recorded(in: run.facts)
    let names = Set(facts.map(\.scan.name))
    let sideOfHash = Dictionary(facts.map { ($0.imageHash, sides[$0.scan.identifier] ?? .new) }) { first, other in
      [.training, .validation, .test].first { $0 == first || $0 == other } ?? first
    }
    var found: [String: TrainingSide] = [:]
    for scan in dataset.cases where names.contains(scan.name) {
      found[scan.identifier] = imageHash(of: scan).flatMap { sideOfHash[$0] }
    }
    return found.isEmpty ? [:] : filled(dataset, by: found)
  }

  private func filled(
    _ dataset: Dataset, by known: [String: TrainingSide]
  ) -> [String: TrainingSide] {
    Dictionary(uniqueKeysWithValues: dataset.cases.map { ($0.identifier, known[$0.identifier] ?? .new) })
  }

  private func isFolderOfTraining(_ folder: URL) -> Bool {
    guard let data = (try? TrainingConfiguration(yaml: run.configuration))?.data else { return false }
    return URL(fileURLWithPath: data).standardizedFileURL.resolvingSymlinksInPath().path
      == folder.standardizedFileURL.resolvingSymlinksInPath().path
  }

  /// The data check's hash of the voxels; nil for an unreadable file, which the evaluation reports.
  private func imageHash(of scan: Case) -> UInt64? {
    var hash = VoxelHash()
    for source in scan.sources {
      guard let channels = try? source.channels() else { return nil }
      for channel in channels { hash.combine(channel) }
    }
    return hash.value
  }
}
