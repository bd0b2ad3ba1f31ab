import Basics
package import DualNorm
package import Foundation
import Yams

/// The options of an experiment.
package struct ExperimentConfiguration: Equatable, Sendable {
  package enum Kind: String, Codable, Sendable, CaseIterable {
    /// Folds by patient within each site.
    case crossValidate = "cross-validate"
    /// Each site is tested by networks trained on all others.
    case leaveOneSiteOut = "leave-one-site-out"
    /// Each site alone and all together train, and every site is tested.
    case matrix
  }

  package var kind: Kind
  package var methods: [ExperimentMethod]
  /// The number of seeds of each method, counted up from the training's seed.
  package var seeds = 3
  /// The only sites whose cases take part; nil for all.
  package var sites: [String]?
  /// Folds of `crossValidate`; of `matrix`, instead of the training's `holdOut`.
  package var folds: Int?
  /// Adapted batch statistics for a second test of every case, beside the training's statistics.
  package var adaptation = Adaptation.none
  /// The classes that keep only their largest connected component.
  package var largestComponent = LargestComponentChoice.asInModel
  /// The options that all cells share: data, network, preparation, iterations, the first seed.
  package var training: TrainingConfiguration

  package init(_ kind: Kind, methods: [ExperimentMethod], training: TrainingConfiguration) {
    self.kind = kind
    self.methods = methods
    self.training = training
  }

  /// The seeds of the cells.
  package var seedValues: [UInt64] { (0..<UInt64(max(seeds, 0))).map { training.seed &+ $0 } }

  /// - Throws: `Refusal` naming the first option with an invalid value.
  func validate() throws {
    guard !methods.isEmpty else {
      throw Refusal(
        .input, "\(Setting.methods) is empty", remedy: "name at least one, such as bn,dual")
    }
    guard (1...1000).contains(seeds) else {
      throw Refusal(.input, "\(Setting.seeds) is \(seeds)", remedy: "give 1 to 1000")
    }
    guard training.data != nil else {
      throw Refusal(
        .input, "No data set was given", remedy: "name its folder with \(Setting.data)")
    }
    guard training.fold == nil else {
      throw Refusal(
        .input, "\(Setting.fold) has no say in an experiment", remedy: "leave it out")
    }
    try validateTestSets()
    try training.validate()
    for method in methods {
      let own = try method.applied(to: training)
      do {
        try own.validate()
      } catch let error as Refusal {
        throw error.about(method.name)
      }
    }
  }

  private func validateTestSets() throws {
    if let folds, folds < 2 {
      throw Refusal(
        .input, "\(Setting.folds) is \(folds)", remedy: "give at least 2, so that each fold leaves cases to train on")
    }
    guard training.splits == nil || kind == .crossValidate else {
      throw Refusal(.input, "\(Setting.splits) has no say in \(kind.rawValue)", remedy: "leave it out")
    }
    switch kind {
    case .crossValidate, .leaveOneSiteOut:
      guard training.holdOut == 0 else {
        throw Refusal(
          .input, "\(Setting.holdOut) has no say in \(kind.rawValue), where every case is tested",
          remedy: "leave it out")
      }
    case .matrix:
      guard folds == nil || training.holdOut == 0 else {
        throw Refusal(.input, "\(Setting.folds) and \(Setting.holdOut) exclude each other", remedy: "give one of them")
      }
      guard folds != nil || training.holdOut > 0 else {
        throw Refusal(
          .input, "\(Setting.holdOut) is 0, so that no case of the sites that train is tested",
          remedy: "give for example 0.2")
      }
    }
  }
}

extension ExperimentConfiguration {
  /// The contents of `experiment.yaml` besides the training's options, named as on the command line.
  private struct Record: Codable {
    let experiment: Kind
    let methods: [String]
    let seeds: Int
    let sites: [String]?
    let folds: Int?
    let adapt: String
    let largestComponent: LargestComponentChoice

    enum CodingKeys: String, CodingKey, CaseIterable {
      case experiment, methods, seeds, sites, folds, adapt
      case largestComponent = "largest-component"
    }
  }

  private static let recordName = "experiment.yaml"
  private static let trainingName = "training.yaml"

  static func exists(in folder: URL) -> Bool {
    FileManager.default.fileExists(atPath: folder.appendingPathComponent(recordName).path)
  }

  /// The remains of a start killed between writing its two files: `training.yaml` with equal options.
  func remains(in folder: URL) -> Set<String> {
    var left = try? TrainingConfiguration(yaml: folder.appendingPathComponent(Self.trainingName))
    left?.threads = training.threads
    left?.precision = training.precision
    left?.memory = training.memory
    return left == training ? [Self.trainingName] : []
  }

  /// Writes `experiment.yaml` and, with the options that all cells share, `training.yaml`.
  func write(to folder: URL) throws {
    let record = Record(
      experiment: kind, methods: methods.map(\.name), seeds: seeds, sites: sites, folds: folds,
      adapt: adaptation.rawValue, largestComponent: largestComponent)
    try writeAtomically(Data(training.yaml().utf8), to: folder.appendingPathComponent(Self.trainingName))
    let encoder = YAMLEncoder()
    try writeAtomically(Data(encoder.encode(record).utf8), to: folder.appendingPathComponent(Self.recordName))
  }

  /// - Throws: `Refusal` if the folder holds no experiment, or a damaged one.
  package init(contentsOf folder: URL) throws {
    let file = folder.appendingPathComponent(Self.recordName)
    for url in [folder, file] { try requireAccess(to: url) }
    guard FileManager.default.fileExists(atPath: file.path) else {
      throw Refusal(
        .input, folder.path, "has no \(Self.recordName), so no experiment was started there",
        remedy: "check the folder")
    }
    let text = try YAMLText.read(file, what: "an experiment")
    guard let record = try? YAMLDecoder().decode(Record.self, from: text),
      let adaptation = Adaptation(rawValue: record.adapt), (1...1000).contains(record.seeds)
    else {
      throw Refusal(
        .input, file.path,
        "is no record of an experiment (expected \(listed(Record.CodingKeys.allCases.map(\.rawValue), atMost: 9)))",
        remedy: "restore the file, or begin in a new folder")
    }
    let training = try TrainingConfiguration(yaml: folder.appendingPathComponent(Self.trainingName))
    self.init(record.experiment, methods: try ExperimentMethod.list(record.methods), training: training)
    seeds = record.seeds
    sites = record.sites
    folds = record.folds
    self.adaptation = adaptation
    largestComponent = record.largestComponent
  }
}

extension ExperimentConfiguration {
  /// The number of networks that the experiment in a folder plans for each method; nil for other folders, and for a site
  /// matrix, whose networks are no ensemble.
  package static func plannedTrainings(in folder: URL) -> Int? {
    guard exists(in: folder), let configuration = try? ExperimentConfiguration(contentsOf: folder),
      configuration.kind != .matrix, let data = try? Data(contentsOf: Experiment.foldsFile(folder)),
      let folds = try? JSONSerialization.jsonObject(with: data) as? [Any]
    else { return nil }
    return folds.count * configuration.seedValues.count
  }
}
