import ArgumentParser
import Basics
import Datasets
import DualNorm
import Foundation
import MedicalImaging
import Scores
import Torch

struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "Segment a data set with a trained model and score both passes.",
    discussion: """
      Example: dualnorm evaluate --model RUN --data DATA --output EVALUATION

      On the data of the model's training, in any folder, only the held-out cases are evaluated unless --split says \
      otherwise. Writes predictions/SITE/CASE.nii.gz (final pass), first-pass/SITE/CASE.nii.gz (.png for pictures), \
      scores.csv, scores.json, sheet.png and evaluation.json (the options), and prints the table of scores. --adapt also \
      scores the passes first+adapt and final+adapt, and writes the last one's masks to predictions-adapted.
      """)

  @OptionGroup var models: ModelsOption
  @Option(help: ArgumentHelp("The data set, with masks.", valueName: "dir"), completion: .directory) var data: String
  @Option(
    name: .shortAndLong, help: ArgumentHelp("A new folder for the results.", valueName: "dir"), completion: .directory)
  var output: String
  @Option(
    help:
      "Evaluate this side of the run's splits.json, or all cases, marked with their side. (default: test for the run's own data, all for others)"
  )
  var split: EvaluatedCases.Choice?
  @Option(help: "Also evaluate with batch statistics of the unlabelled case or site: none, case or site.")
  var adapt = Adaptation.none
  @Option(help: "Mask for the dual blocks: prediction, reference or uniform. (default: the model's)")
  var maskSource: MaskSource?
  @Flag(help: "Also measure the uncertainty of each case, for evaluation.json and the report.") var uncertainty = false
  @Option(help: ArgumentHelp("Tolerances of the NSD, in mm; for pictures in pixels.", valueName: "mm,…"))
  var tolerance = NumberList(values: Scorer.defaultTolerancesMM)
  @Option(help: ArgumentHelp("Score these labels as one class; may be given again.", valueName: "label,…"))
  var mergeLabels: [NumberList<LabelValue>] = []
  @Option(help: ArgumentHelp("Do not score these labels; in the references they are background.", valueName: "label,…"))
  var excludeLabels: NumberList<LabelValue>?
  @Flag(help: "Leave out images without a mask.") var skipUnpaired = false
  @OptionGroup var components: LargestComponentOption
  @OptionGroup var windows: OverlapOption
  @Option(help: "Convolutions in float32, tf32, or bfloat16. (default: as in training)") var precision: Precision?
  @Option(help: ArgumentHelp("Device of the network: cpu, cuda, cuda:1, or auto.", valueName: "device"))
  var device = DeviceChoice.cpu
  @Option(help: "Processor threads. (default: one per core)") var threads: Int?
  @OptionGroup var volumes: MemoryOption
  @OptionGroup(title: "Messages") var messages: MessageOptions

  private var quiet: Bool { messages.quiet }

  func validate() throws {
    try validateTolerances(tolerance)
  }

  func run() throws {
    Interruption.listen()
    Messages.begin(messages)
    volumes.apply()
    try useThreads(threads)
    let folder = URL(fileURLWithPath: output)
    try requireNewFolder(folder, option: .output)
    let runs = try models.runs()
    let model = try readModel(runs)
    let dataset = try Dataset(
      contentsOf: URL(fileURLWithPath: data), skipUnpaired: skipUnpaired,
      modalityCount: model.description.modalities.count)
    if let remark = dataset.unpairedRemark { Messages.say(remark) }
    let scoring = try model.description.labels.regrouped(
      merge: mergeLabels.map(\.values), exclude: excludeLabels?.values ?? [])
    let chosen = try chosenCases(of: dataset, runs)
    try makeEmptyFolder(folder, option: .output)
    var record = record(runs, model.description, chosen, scoring)
    try record.write(to: folder)
    var evaluation = try evaluate(model, chosen, scoring, writingTo: folder)
    let failures = evaluation.table.failures
    evaluation.table.warnings = Warnings.reported
    (record.failures, record.warnings) = (failures, Warnings.reported)
    if uncertainty { record.uncertainty = evaluation.uncertainty }
    try record.write(to: folder)
    if failures.count < chosen.cases.count {
      components.tell(model.description)
      try evaluation.write(to: folder, classNames: scoring.names)
      print(evaluation.table.namingOnlyPass.text, terminator: "")
      if let line = evaluation.table.correlation(with: evaluation.uncertainty) {
        print("Uncertainty and Dice: \(line)")
      }
      Messages.say("Wrote predictions, scores.csv, scores.json and sheet.png to \(folder.path).")
    }
    try endWithFailures(failures, of: chosen.cases.count, "cases")
  }

  private func readModel(_ runs: [RunFolder]) throws -> SegmentationModel {
    let model = try SegmentationModel(
      contentsOf: runs, mirrors: models.mirror, maskSource: maskSource, precision: precision, device: device.resolved())
    if maskSource != nil, model.passes == [.first] {
      throw Refusal(
        .input, runs[0].url.path, "has no dual blocks that could see a mask", remedy: "leave --mask-source out")
    }
    model.overlap = windows.overlap
    if adapt != .none { try model.requireAdaptable() }
    warnOfIdleAdaptation(adapt, model.description)
    if let warning = model.device.warning { Messages.say(warning) }
    return model
  }

  private func chosenCases(of dataset: Dataset, _ runs: [RunFolder]) throws -> EvaluatedCases {
    let chosen = try EvaluatedCases(of: dataset, runs: runs, choice: split)
    let leftOut = chosen.leftOut(of: dataset)
    if split == nil, leftOut > 0 {
      Messages.say(
        "The training took \(leftOut) of these cases, and the other \(chosen.cases.count) are evaluated; "
          + "--split all takes all.")
    }
    if let warning = chosen.warning { Warnings.report(warning) }
    if let warning = dataset.warning(ofTestsOn: chosen.cases.map(\.identifier)) { Warnings.report(warning) }
    return chosen
  }

  private func record(
    _ runs: [RunFolder], _ description: ModelDescription, _ chosen: EvaluatedCases, _ scoring: LabelScheme
  ) -> EvaluationRecord {
    var record = EvaluationRecord(
      models: runs.map(\.url), mirrors: models.mirror, data: URL(fileURLWithPath: data), split: chosen.choice.rawValue,
      adaptation: adapt,
      maskSource: maskSource, precision: precision, device: device, overlap: windows.overlap,
      largestComponent: components.choice,
      largestComponentClasses: description.largestComponentNames(components.choice),
      tolerancesMM: tolerance.values, mergeLabels: mergeLabels.map(\.values),
      excludeLabels: excludeLabels?.values ?? [], labels: scoring, cases: chosen.cases)
    if uncertainty { record.uncertainty = [:] }
    if skipUnpaired { record.skipUnpaired = true }
    let wanted = Set(record.cases)
    if !chosen.marks.isEmpty { record.sides = chosen.marks.filter { wanted.contains($0.key) } }
    return record
  }

  private func evaluate(
    _ model: SegmentationModel, _ chosen: EvaluatedCases, _ scoring: LabelScheme, writingTo folder: URL
  ) throws -> Evaluation {
    let progress = Progress("cases", of: chosen.cases.count, quiet: quiet)
    let remains = "the cases done so far are in \(folder.path)/predictions"
    var isFirst = true
    let options = EvaluationOptions(
      scoring: scoring, adaptation: adapt, tolerancesMM: tolerance.values, largestComponent: components.choice,
      skipsFailures: true, keepsUncertainty: uncertainty)
    let evaluation = try model.evaluate(
      chosen.cases, sides: chosen.marks, options, writingTo: folder, measuring: showMeasuring(remains, quiet: quiet)
    ) { scan in
      try stopIfInterrupted(progress, remains)
      if !isFirst { progress.advance(scan.identifier) }
      isFirst = false
    }
    progress.advance()
    progress.clear()
    return evaluation
  }
}

extension EvaluatedCases.Choice: ExpressibleByArgument {}
