import ArgumentParser
import DualNorm
import Files
import Foundation
import Torch

struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "Segment a data set with a trained model and score both passes.",
    discussion: """
      Example: dualnorm evaluate --model RUN --data DATA --output EVALUATION

      Writes predictions/SITE/CASE.nii.gz (final pass), first-pass/SITE/CASE.nii.gz (.png for pictures), scores.csv, \
      scores.json, sheet.png and evaluation.json (what was asked), and prints the table of scores. With --adapt the passes first+adapt and final+adapt are \
      scored beside, and the last one's masks are in predictions-adapted.
      """)

  enum Side: String, ExpressibleByArgument, CaseIterable { case all, training, validation, test }

  @Option(help: ArgumentHelp("The run folder of the model.", valueName: "run"), completion: .directory)
  var model: String
  @Option(help: ArgumentHelp("The data set, with masks.", valueName: "dir"), completion: .directory) var data: String
  @Option(help: ArgumentHelp("A new folder for the results.", valueName: "dir"), completion: .directory)
  var output: String
  @Option(help: "Only the cases on this side of the run's splits.json.") var split = Side.all
  @Option(help: "Also with batch statistics taken on the unlabelled case or site: none, case or site.")
  var adapt = Adaptation.none
  @Option(help: "What dual blocks see: prediction, reference or uniform. (default: the model's)")
  var maskSource: MaskSource?
  @Option(help: ArgumentHelp("Tolerances of the NSD in mm.", valueName: "mm,…"))
  var tolerance = NumberList(values: Scorer.defaultTolerancesMM)
  @Option(help: ArgumentHelp("Score these labels as one class; may be given again.", valueName: "label,…"))
  var mergeLabels: [NumberList<UInt8>] = []
  @Option(help: ArgumentHelp("Do not score these labels; in the references they are background.", valueName: "label,…"))
  var excludeLabels: NumberList<UInt8>?
  @Flag(inversion: .prefixedNo, help: "Keep only the largest connected component of each class.")
  var largestComponent = true
  @Option(help: "Of convolutions: float32, tf32, or bfloat16. (default: as in training)") var precision: Precision?
  @Option(help: ArgumentHelp("Where the network runs: cpu, cuda, cuda:1, or auto.", valueName: "device"))
  var device = DeviceChoice.cpu
  @Option(help: "Processor threads. (default: one a core)") var threads: Int?
  @OptionGroup(title: "Messages") var messages: MessageOptions

  private var quiet: Bool { messages.quiet }

  func validate() throws {
    try validateTolerances(tolerance)
  }

  func run() throws {
    Interruption.listen()
    Messages.begin(messages)
    try useThreads(threads)
    let run = RunFolder(URL(fileURLWithPath: model))
    let model = try SegmentationModel(
      contentsOf: run, maskSource: maskSource, precision: precision, device: device.resolved())
    if maskSource != nil, model.description.network.dualBlocks.isEmpty {
      throw InputError("\(run.url.path): has no dual blocks that could see a mask; leave --mask-source out.")
    }
    warnOfIdleAdaptation(adapt, model)
    if let warning = model.network.device.warning { Messages.say(warning) }
    let dataset = try Dataset(contentsOf: URL(fileURLWithPath: data), modalityCount: model.description.modalities.count)
    let cases = try chosen(of: dataset, run)
    if let warning = dataset.warning(ofTestsOn: cases.map(\.identifier)) { Warnings.report(warning) }
    let scoring = try model.description.labels.regrouped(
      merge: mergeLabels.map(\.values), exclude: excludeLabels?.values ?? [])
    let folder = URL(fileURLWithPath: output)
    try makeEmptyFolder(folder, option: "--output")
    try EvaluationRecord(
      model: run.url, data: URL(fileURLWithPath: data), split: split.rawValue, adaptation: adapt,
      maskSource: maskSource,
      precision: precision, device: device, largestComponent: largestComponent, tolerancesMM: tolerance.values,
      mergeLabels: mergeLabels.map(\.values), excludeLabels: excludeLabels?.values ?? [], labels: scoring, cases: cases
    ).write(to: folder)
    let progress = Progress("cases", of: cases.count, quiet: quiet)
    let remains = "the cases done so far are in \(folder.path)/predictions"
    var isFirst = true
    let evaluation = try Evaluation(
      of: model, on: cases, scoring: scoring, adaptation: adapt, writingTo: folder, tolerancesMM: tolerance.values,
      largestComponent: largestComponent, measuring: showMeasuring(remains, quiet: quiet)
    ) { scan in
      try stopIfInterrupted(progress, remains)
      if !isFirst { progress.advance(scan.identifier) }
      isFirst = false
    }
    progress.advance()
    progress.clear()
    if !evaluation.croppedCases.isEmpty {
      Warnings.report(
        "larger than the network's size, so that their border is background: "
          + evaluation.croppedCases.joined(separator: ", ") + ".")
    }
    try evaluation.write(to: folder, classNames: scoring.names)
    print(evaluation.table.text, terminator: "")
    Messages.say("Wrote predictions, scores.csv, scores.json and sheet.png to \(folder.path).")
  }

  private func chosen(of dataset: Dataset, _ run: RunFolder) throws -> [Case] {
    guard split != .all else { return dataset.cases }
    guard FileManager.default.fileExists(atPath: run.splits.path) else {
      throw InputError(
        "\(run.splits.path): is missing, so the run names no \(split.rawValue) cases; leave --split out.")
    }
    let sides = try Split(contentsOf: run.splits, cases: dataset.cases)
    let wanted = Set(split == .training ? sides.training : split == .validation ? sides.validation : sides.test)
    guard !wanted.isEmpty else {
      throw InputError(
        "\(run.splits.path): has no \(split.rawValue) cases; train with "
          + "\(split == .test ? "--hold-out 0.2" : "--validation-fraction 0.15") or evaluate another side.")
    }
    return dataset.cases.filter { wanted.contains($0.identifier) }
  }
}
