import ArgumentParser
import Basics
import Datasets
import Foundation
import MedicalImaging
import Scores

struct ScoreCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "score",
    abstract: "Score predictions against reference masks: Dice, ASSD, HD95 and NSD, in mm, per case, class and site.",
    discussion: """
      Example: dualnorm score --prediction MASKS --reference DATA --output scores.csv

      Folders are paired by their files' paths; sub-folders are sites. Site-X/CaseNN.nii.gz matches the reference \
      Site-X/CaseNN_segmentation.nii.gz (or _seg, _mask, _label), labelsTr/CaseNN.nii.gz matches CaseNN.nii.gz and \
      CaseNN_0000.nii.gz. \
      docs/conventions.md states every metric.
      """)

  @Option(help: ArgumentHelp("The predicted masks.", valueName: "dir|file"), completion: .file())
  var prediction: String

  @Option(help: ArgumentHelp("The reference masks.", valueName: "dir|file"), completion: .file())
  var reference: String

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("Write one row per case and class to a .csv or .json file.", valueName: "file"),
    completion: .file())
  var output: String?

  @Option(help: ArgumentHelp("Tolerances of the NSD, in mm; for pictures in pixels.", valueName: "mm,…"))
  var tolerance = NumberList(values: Scorer.defaultTolerancesMM)

  @Option(
    help: ArgumentHelp(
      "Score by the definitions of another tool, empty masks included: medpy, medpy-0.4, monai, nnunet, transunet or "
        + "published (the paper's evaluation).", valueName: "name"),
    completion: .list(Convention.allCases.map(\.rawValue)))
  var like = Convention.dualnorm.rawValue

  @Option(help: ArgumentHelp("Score these labels only. (default: all that occur)", valueName: "label,…"))
  var labels: NumberList<LabelValue>?

  @Option(help: ArgumentHelp("Score these labels as one class; may be given again.", valueName: "label,…"))
  var mergeLabels: [NumberList<LabelValue>] = []

  @Option(help: ArgumentHelp("Do not score these labels.", valueName: "label,…"))
  var excludeLabels: NumberList<LabelValue>?

  @Flag(help: "Score a reference without prediction as if the prediction were empty.")
  var allowMissing = false

  @OptionGroup var volumes: MemoryOption
  @OptionGroup(title: "Messages") var messages: MessageOptions

  private var quiet: Bool { messages.quiet }

  func validate() throws {
    if quiet, output == nil {
      throw ValidationError("--quiet shows nothing; give --output as well to keep the scores.")
    }
    if let output, !["csv", "json"].contains(URL(fileURLWithPath: output).pathExtension.lowercased()) {
      throw ValidationError("--output \(output): scores are written as .csv or .json; give one of these endings.")
    }
    try validateTolerances(tolerance)
    let convention = try convention()
    if !convention.hasNSD, tolerance.values != Scorer.defaultTolerancesMM {
      throw ValidationError("--tolerance \(tolerance): --like \(like) has no NSD; leave one of the two out.")
    }
    if let labels, labels.values.contains(0) {
      throw ValidationError("--labels \(labels): 0 is background and is not scored; leave it out.")
    }
  }

  private func convention() throws -> Convention {
    do {
      return try Convention(named: like)
    } catch let error as Refusal {
      throw ValidationError("\(error)")
    }
  }

  func run() throws {
    Messages.begin(messages)
    volumes.apply()
    let convention = try convention()
    let output = output.map { URL(fileURLWithPath: $0) }
    if let output { try requireWritable(output) }
    let found = try ScorePairs(
      prediction: URL(fileURLWithPath: prediction), reference: URL(fileURLWithPath: reference),
      allowMissing: allowMissing)
    for sentence in found.warnings { Warnings.report(sentence) }
    let progress = ThreadSafeProgress("files read", quiet: quiet)
    defer { progress.clear() }
    var table = try ScoreTable(
      scoring: found.pairs, labels: labels?.values, merging: mergeLabels.map(\.values),
      excluding: excludeLabels?.values ?? [],
      labelNames: LabelNames.found(beside: URL(fileURLWithPath: reference)), tolerancesMM: tolerance.values,
      convention: convention
    ) { done, total, _ in progress.update(done, of: total) }
    if let sentence = table.warningOfLabels { Warnings.report(sentence) }
    table.warnings = Warnings.reported
    if let output { try table.write(to: output) }
    if !quiet { print(table.text, terminator: "") }
  }
}

/// Comma-separated numbers.
struct NumberList<Number: LosslessStringConvertible & Sendable>: ExpressibleByArgument, CustomStringConvertible,
  Sendable
{
  let values: [Number]

  init(values: [Number]) { self.values = values }

  init?(argument: String) {
    let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
    values = parts.compactMap { Number(String($0)) }
    if values.count != parts.count { return nil }
  }

  var description: String {
    // 2 mm, not 2.0 mm
    values.map { "\($0)" }.map { $0.hasSuffix(".0") ? String($0.dropLast(2)) : $0 }.joined(separator: ",")
  }

  var defaultValueDescription: String { description }
}
