import Basics
package import Datasets
package import Foundation
package import MedicalImaging
package import Scores
package import Torch

/// The request of an evaluation, stored in `evaluation.json`.
///
/// The file is written before the first case is segmented, and again after the last with failures and warnings.
package struct EvaluationRecord: Codable, Equatable, Sendable {
  /// The program's version.
  package var version = programVersion
  /// Paths of the run folder and the data set.
  package var model, data: String
  /// Paths of all members of an ensemble; nil for a single model.
  package var members: [String]?
  /// Tells whether images were also segmented mirrored; nil: no.
  package var mirror: Bool?
  /// The evaluated side of the run's split; `all` for every case.
  package var split: String
  package var adaptation: String
  /// The source of the mask; nil for the model's own.
  package var maskSource: MaskSource?
  package var precision: Precision?
  /// The device; nil for the CPU.
  var device: DeviceChoice?
  /// nil: `defaultOverlap`.
  var overlap: Double?
  package var largestComponent: LargestComponentChoice
  /// The classes that kept only their largest component; nil in a file of an earlier version.
  package var largestComponentClasses: [String]?
  var tolerancesMM: [Double]
  /// The command line's groups of labels.
  var mergeLabels: [[LabelValue]]
  var excludeLabels: [LabelValue]
  /// True if images without a mask were left out; nil otherwise.
  package var skipUnpaired: Bool?
  /// The scored classes, by the labels in masks.
  package var labels: LabelScheme
  /// The cases to segment, as `Case.identifier`.
  package var cases: [String]
  /// Each case's side in the model's training; nil for other data than the run's.
  package var sides: [String: TrainingSide]?
  /// Cases without scores; nil before the end and in files of earlier versions.
  package var failures: [CaseFailure]?
  /// The uncertainty of each case (`Uncertainty.ofCase`), by `Case.identifier`; nil unless asked for.
  package var uncertainty: [String: Double]?
  /// Reported warnings; nil like `failures`.
  package var warnings: [String]?

  package init(
    models: [URL], mirrors: Bool = false, data: URL, split: String = "all", adaptation: Adaptation = .none,
    maskSource: MaskSource? = nil,
    precision: Precision? = nil, device: DeviceChoice? = nil, overlap: Double = defaultOverlap,
    largestComponent: LargestComponentChoice = .asInModel,
    largestComponentClasses: [String]? = nil,
    tolerancesMM: [Double] = Scorer.defaultTolerancesMM, mergeLabels: [[LabelValue]] = [],
    excludeLabels: [LabelValue] = [],
    labels: LabelScheme, cases: [Case]
  ) {
    let paths = models.map(\.standardizedFileURL.path)
    model = paths[0]
    members = paths.count > 1 ? paths : nil
    mirror = mirrors ? true : nil
    self.data = data.standardizedFileURL.path
    self.split = split
    self.adaptation = adaptation.rawValue
    self.maskSource = maskSource
    self.precision = precision
    self.device = device == .cpu ? nil : device
    self.overlap = overlap == defaultOverlap ? nil : overlap
    self.largestComponent = largestComponent
    self.largestComponentClasses = largestComponentClasses
    self.tolerancesMM = tolerancesMM
    self.mergeLabels = mergeLabels
    self.excludeLabels = excludeLabels
    self.labels = labels
    self.cases = cases.map(\.identifier)
  }

  package static let fileName = "evaluation.json"

  /// Writes the record into the evaluation's folder.
  package func write(to folder: URL) throws {
    try writeAtomically(prettyJSON(self), to: folder.appendingPathComponent(Self.fileName))
  }

  /// Reads the record of a folder; nil for a folder of an earlier version, which has none.
  ///
  /// - Throws: `Refusal` for a damaged file.
  package init?(contentsOf folder: URL) throws {
    let file = folder.appendingPathComponent(Self.fileName)
    guard FileManager.default.fileExists(atPath: file.path) else { return nil }
    do {
      self = try JSONDecoder().decode(Self.self, from: Data(contentsOf: file))
    } catch {
      let brief = (error as? DecodingError)?.brief ?? "it cannot be read"
      throw Refusal(
        .input, file.path, "is not the record of an evaluation (\(brief))",
        remedy: "restore the file, or evaluate into a new folder")
    }
  }

  /// The words of the command that repeats this evaluation.
  package func command(output: String) -> [String] {
    var words = Verb.evaluate.words + Setting.model.words(model) + (members?.dropFirst() ?? [])
    if mirror == true { words.append(Setting.mirror.description) }
    words += Setting.data.words(data)
    if skipUnpaired == true { words.append(Setting.skipUnpaired.description) }
    words += Setting.output.words(output)
    // The default evaluates held-out and new cases but no training cases, which no value of the option does.
    let isDefault = split == "all" && sides.map { $0.values.contains(.test) && !$0.values.contains(.training) } ?? false
    if !isDefault { words += Setting.split.words(split) }
    if adaptation != Adaptation.none.rawValue { words += Setting.adapt.words(adaptation) }
    if let maskSource { words += Setting.maskSource.words(maskSource.rawValue) }
    if let precision { words += Setting.precision.words(precision.rawValue) }
    if let device { words += Setting.device.words(device.rawValue) }
    if let overlap { words += Setting.overlap.words(shortest(overlap)) }
    words += largestComponent.words
    if uncertainty != nil { words.append(Setting.uncertainty.description) }
    if tolerancesMM != Scorer.defaultTolerancesMM {
      words += Setting.tolerance.words(tolerancesMM.map(shortest).joined(separator: ","))
    }
    for group in mergeLabels {
      words += Setting.mergeLabels.words(group.map(String.init).joined(separator: ","))
    }
    if !excludeLabels.isEmpty {
      words += Setting.excludeLabels.words(excludeLabels.map(String.init).joined(separator: ","))
    }
    return words
  }
}
