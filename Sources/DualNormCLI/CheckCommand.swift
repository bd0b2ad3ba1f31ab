import ArgumentParser
import Basics
import Datasets
import Foundation
import MedicalImaging
import Pages

struct CheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Describe a data set site by site and report its faults, before training.",
    discussion: """
      Example: dualnorm check DATA --fix REPAIRED

      Prints each site's cases, patients, sizes, spacings, orientations, intensities and label volumes, then findings: \
      errors (training would fail or be wrong), warnings (unusual; look at them) and notes. Every file is read once and \
      none is changed. --report makes a page for a browser. docs/check.md states each rule and the keys of the JSON.

      Exit code: 0 sound (warnings allowed), 1 not sound or not readable, 64 wrong usage, 130 stopped by Ctrl-C.
      """)

  @Argument(
    help: ArgumentHelp("The data set, in any layout that train takes.", valueName: "dir"), completion: .directory)
  var data: String
  @Option(help: ArgumentHelp("Output format: text, or json.", valueName: "text|json")) var format = ReportFormat.text
  @Option(
    help: ArgumentHelp(
      "Also write an HTML page: findings, histograms, label volumes and all cases.", valueName: "file"),
    completion: .file())
  var report: String?
  @Option(
    help: ArgumentHelp(
      "Folds as in nnU-Net's splits_final.json, or the splits.json of a run, whose sides must share no patient and no image.",
      valueName: "file"), completion: .file())
  var splits: String?
  @Flag(help: "Leave out images without a mask.") var skipUnpaired = false
  @Option(help: ArgumentHelp("Labels that training will merge; may be given again.", valueName: "label,…"))
  var mergeLabels: [NumberList<LabelValue>] = []
  @Option(help: ArgumentHelp("Labels that training will treat as background.", valueName: "label,…"))
  var excludeLabels: NumberList<LabelValue>?
  @Option(
    help: ArgumentHelp(
      "Also write a repaired copy to a new or empty folder: all volumes in the most common orientation, masks exactly on their image's grid.",
      valueName: "dir"), completion: .directory)
  var fix: String?
  @Flag(help: "With --fix: leave out cases that equal another one in image, grid and mask.") var dropDuplicates = false
  @OptionGroup var volumes: MemoryOption
  @OptionGroup(title: "Messages") var messages: MessageOptions

  private var quiet: Bool { messages.quiet }

  func validate() throws {
    try validatePage(report, option: "--report")
    if dropDuplicates, fix == nil {
      throw ValidationError("--drop-duplicates says what --fix leaves out; give --fix as well.")
    }
  }

  func run() throws {
    Interruption.listen()
    Messages.begin(messages)
    volumes.apply()
    let page = try report.map { try writablePage($0, option: "--report") }
    // The check's findings name the unread files, so the warnings would repeat them.
    let dataset = try Warnings.collecting {
      try Dataset(contentsOf: URL(fileURLWithPath: data), skipUnpaired: skipUnpaired)
    }.value
    if let remark = dataset.unpairedRemark { Messages.say(remark) }
    let output = fix.map { URL(fileURLWithPath: $0) }
    if let output { try DataRepair.requireRoom(in: output, beside: dataset.folder) }
    let sides = try splits.map { try SplitSides(contentsOf: URL(fileURLWithPath: $0), cases: dataset.cases) }
    let progress = ThreadSafeProgress("cases read", quiet: quiet)
    let check: DataCheck
    do {
      check = try DataCheck.run(
        on: dataset, merge: mergeLabels.map(\.values), exclude: excludeLabels?.values ?? [], splits: sides,
        progress: progress.update, shouldStop: Interruption.requested)
      progress.clear()
    } catch is StopRequested {
      progress.clear()
      Messages.show("Stopped; nothing was checked.")
      throw ExitCode(Interruption.exitCode)
    }
    var found = DataReport(check, of: dataset)
    if let output { found.repair = try Warnings.collecting { try repair(dataset, check, output) }.value }
    print(
      format == .json ? try found.json() : printableLines(found.description), terminator: format == .json ? "" : "\n")
    if let page {
      let report = try Warnings.collecting { try Report(of: found, command: words(dataset)) }.value
      try write(report, to: page)
    }
    guard found.isSound else {
      let errors = found.count(.error)
      throw Refusal(
        .input, data, "\(errors) \(errors == 1 ? "error was" : "errors were") found (see the report)",
        remedy: "correct what it names before training")
    }
  }

  /// The words of the command that repeats the check, with other output paths.
  private func words(_ dataset: Dataset) -> [String] {
    var words = ["dualnorm", "check", dataset.folder.path]
    if let splits { words += ["--splits", URL(fileURLWithPath: splits).path] }
    for labels in mergeLabels { words += ["--merge-labels", labels.description] }
    if let excludeLabels { words += ["--exclude-labels", excludeLabels.description] }
    if skipUnpaired { words.append("--skip-unpaired") }
    if fix != nil { words += ["--fix", "AGAIN"] }
    if dropDuplicates { words.append("--drop-duplicates") }
    return words + ["--report", "AGAIN.html"]
  }

  private func repair(_ dataset: Dataset, _ check: DataCheck, _ output: URL) throws -> DataRepair.Summary {
    let repair = DataRepair(of: dataset, facts: check.facts, dropDuplicates: dropDuplicates)
    let progress = Progress("cases written", of: dataset.cases.count, quiet: quiet)
    try repair.write(to: output) { scan in
      try stopIfInterrupted(progress, "\(output.path) was not made")
      progress.advance(scan.name)
    }
    progress.clear()
    return repair.summary(in: output)
  }
}

enum ReportFormat: String, ExpressibleByArgument, CaseIterable { case text, json }
