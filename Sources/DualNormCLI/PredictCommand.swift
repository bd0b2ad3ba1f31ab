import ArgumentParser
import Basics
import Datasets
import DualNorm
import Foundation
import Scores
import Torch

struct PredictCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "predict",
    abstract: "Segment volumes, DICOM series or pictures with a trained model; masks lie on the input's own grid.",
    discussion: """
      Examples: dualnorm predict --model RUN --input scan.nii.gz --output mask.nii.gz
                dualnorm predict --model RUN --input SCANS --output MASKS --probabilities
                dualnorm predict --model RUN --input DICOM --series 3 --output mask.dcm
                dualnorm predict --model RUN --input dicom://PACS@pacs.example:104/1.2.840.99 --output mask.dcm
                dualnorm predict --model FOLD-0 FOLD-1 FOLD-2 --mirror --input SCANS --output MASKS

      A folder of DICOM files is one volume, the slices of a series in order; with --output FILE.dcm its mask is written \
      as a DICOM segmentation. docs/dicom.md says what is read. dicom://AET@HOST:PORT/SERIES is a series on a DICOM \
      server, by its Series Instance UID, and dicomweb+https://HOST/PATH/studies/STUDY/series/SERIES one on a DICOMweb \
      server; docs/pacs.md has more. Any other folder may have any layout that training takes, without masks. A model of several modalities takes --input once \
      for each, in order; a colour picture, or a 4-D file of all of them, is one input. Masks of pictures (PNG, JPEG, TIFF) are PNG. A model with norm \
      dsbn takes --site as the volumes' site, or else the folder they are in; where it was not trained on that site, the \
      mean over its sites.
      """)

  @OptionGroup var models: ModelsOption
  @Option(
    name: .shortAndLong,
    help: ArgumentHelp(
      "A volume, a DICOM series' folder or address, or a folder of volumes; once a modality for single cases.",
      valueName: "file|dir"), completion: .file())
  var input: [String]
  @Option(
    help: ArgumentHelp(
      "The series of a DICOM folder that holds several, by number, UID or beginning of a UID; once for each --input.",
      valueName: "number|uid"))
  var series: [String] = []
  @Option(
    name: .shortAndLong,
    help: ArgumentHelp(
      "A .nii, .nii.gz, .dcm (of a DICOM series) or .png (of a picture) file for one input, otherwise a folder.",
      valueName: "file|dir"), completion: .file())
  var output: String
  @Option(
    help: ArgumentHelp("What masks in a folder are written as; dicom for DICOM series only.", valueName: "nifti|dicom"))
  var format: MaskFormat?
  @Flag(help: "Leave out inputs whose results are all there, as after an interrupted batch.") var skipExisting = false
  @Flag(help: "Also write NAME_probabilities.nii.gz: float32 [x, y, z, class].") var probabilities = false
  @Flag(
    help:
      "Also write NAME_uncertainty.nii.gz (entropy in nats) and print a number for each case; several networks or --mirror add NAME_disagreement.nii.gz."
  )
  var uncertainty = false
  @Option(
    help: ArgumentHelp(
      "Also write volume and mean intensity of each class and case to this file (.csv or .json).", valueName: "file"),
    completion: .file())
  var statistics: String?
  @Flag(help: "Write a mask of 0 and 1 for each class, NAME/CLASS.nii.gz, in place of one mask.") var oneFilePerClass =
    false
  @Flag(help: "Also write the first pass, as NAME_first.nii.gz.") var firstPass = false
  @Flag(help: "Also write NAME_preview.png: the slice with the most foreground, outlined.") var preview = false
  @Option(help: ArgumentHelp("The site that the volumes are from, for models with norm dsbn.", valueName: "name"))
  var site: String?
  @Option(help: "Take batch statistics on the volume, or on all of its folder: none, case or site.")
  var adapt = Adaptation.none
  @OptionGroup var components: LargestComponentOption
  @OptionGroup var windows: OverlapOption
  @Option(help: "Convolutions in float32, tf32, or bfloat16. (default: as in training)") var precision: Precision?
  @Option(help: ArgumentHelp("Device of the network: cpu, cuda, cuda:1, or auto.", valueName: "device"))
  var device = DeviceChoice.cpu
  @Option(help: "Processor threads. (default: one a core)") var threads: Int?
  @OptionGroup var volumes: MemoryOption
  @OptionGroup(title: "DICOM servers") var servers: ServerOptions
  @OptionGroup(title: "Messages") var messages: MessageOptions

  private var quiet: Bool { messages.quiet }
  /// - Parameter members: the number of networks.
  private func outputs(members: Int, _ labels: LabelScheme) throws -> PredictionOutputs {
    PredictionOutputs(
      firstPass: firstPass, probabilities: probabilities, uncertainty: uncertainty,
      disagreement: members > 1 || models.mirror, preview: preview,
      classFiles: oneFilePerClass ? try labels.fileNames : nil, statistics: statistics.map { URL(fileURLWithPath: $0) })
  }

  func validate() throws {
    guard statistics == nil || !skipExisting else {
      throw ValidationError(
        "--statistics is a table of all inputs, and --skip-existing leaves some out; give one of the two.")
    }
    try servers.check(
      input: input, series: series, writesDICOM: format == .dicom || output.lowercased().hasSuffix(".dcm"))
  }

  func run() throws {
    Interruption.listen()
    Messages.begin(messages)
    volumes.apply()
    try requireThreads(threads)
    let runs = try models.runs()
    let description = try ModelDescription.ensemble(runs.map { ($0.url.path, try $0.readDescription()) })
    if let site { try description.requireSite(site, option: .site) }
    try servers.requireModalities(of: description, input)
    let inputs = try servers.inputs(input, series: series, quiet: quiet)
    defer { withExtendedLifetime(inputs) {} }
    let jobs = try PredictionJob.jobs(
      input: inputs.urls, series: inputs.series, output: URL(fileURLWithPath: output), format: format,
      modalities: description.modalities.count)
    let outputs = try outputs(members: runs.count, description.labels)
    guard !oneFilePerClass || !jobs.contains(where: \.isDICOM) else {
      throw Refusal(
        .input, "--one-file-per-class: a DICOM segmentation has a segment for each class in one file",
        remedy: "leave --one-file-per-class out, or write NIfTI")
    }
    try PredictionJob.requireUsable(jobs, outputs)
    if let warning = description.doubtOfRows(in: jobs.map(\.scan)) { Warnings.report(warning) }
    PredictionJob.warnOfSuffixes(jobs, description)
    PredictionJob.removeRemains(besideResultsOf: jobs, outputs)
    let open = remaining(of: jobs, outputs)
    // An earlier command may have ended before it stored these.
    let kept = skipExisting ? jobs.filter { $0.isDone(outputs) }.map { $0.file("") } : []
    guard !open.isEmpty else { return try servers.store(kept) }
    let device = try usableDevice(runs, description)
    PredictionJob.warnOfLeftFiles(of: open, among: jobs, outputs, description.labels)
    let batch = PredictionBatch(
      runs: runs, mirrors: models.mirror, description: description, precision: precision, device: device,
      threads: threads, overlap: windows.overlap, adaptation: adapt, cases: jobs.map(\.scan), site: site,
      largestComponent: components.choice, outputs: outputs, quiet: quiet)
    let outcome = try waiting { try await batch.segment(open) }
    if let warning = FoundVolumes.warning(of: outcome.found) { Warnings.report(warning) }
    if !quiet, !outcome.found.isEmpty {
      components.tell(description)
      let table = FoundVolumes.table(
        of: outcome.found, classNames: description.labels.names, uncertainty: uncertainty, seconds: messages.verbose)
      print(printableLines(table), terminator: "")
    }
    do {
      try servers.store(kept + outcome.masks)
    } catch {
      showFailures(outcome.failures, of: open.count, "inputs")
      throw error
    }
    try endWithFailures(outcome.failures, of: open.count, "inputs")
  }

  /// The jobs still to do. Reports masks that exist already.
  private func remaining(of jobs: [PredictionJob], _ outputs: PredictionOutputs) -> [PredictionJob] {
    let done = jobs.filter { $0.isDone(outputs) }
    if skipExisting {
      if !done.isEmpty { Messages.say("Skipping \(done.count) of \(jobs.count) inputs, whose results are there.") }
      return jobs.filter { !$0.isDone(outputs) }
    }
    let overwritten = jobs.count { $0.isDone(PredictionOutputs(classFiles: outputs.classFiles)) }
    if overwritten > 0 {
      let masks = overwritten == 1 ? "1 mask" : "\(overwritten) masks"
      Messages.say("Overwriting \(masks) of an earlier prediction in \(output); --skip-existing keeps them.")
    }
    return jobs
  }

  /// The device to use. Refuses models and devices that cannot segment new volumes.
  private func usableDevice(_ runs: [RunFolder], _ description: ModelDescription) throws -> Device {
    for run in runs { try run.readDescription().requireNoReference(named: run.url.path) }
    warnOfIdleAdaptation(adapt, description)
    let device = try device.resolved()
    if let warning = device.warning { Messages.say(warning) }
    return device
  }
}
