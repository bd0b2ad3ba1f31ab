import ArgumentParser
import DualNorm
import Files
import Foundation
import MedicalImaging
import Torch

struct PredictCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "predict",
    abstract: "Segment volumes, DICOM series or pictures with a trained model; masks lie on the input's own grid.",
    discussion: """
      Examples: dualnorm predict --model RUN --input scan.nii.gz --output mask.nii.gz
                dualnorm predict --model RUN --input SCANS --output MASKS --probabilities
                dualnorm predict --model RUN --input DICOM --series 3 --output mask.dcm

      A folder of DICOM files is one volume, the slices of a series in order; with --output FILE.dcm its mask is written \
      as a DICOM segmentation. docs/dicom.md says what is read. Any other folder may have any layout that training takes, without masks. A model of several modalities takes --input once \
      for each, in order; a colour picture is one input. Masks of pictures (PNG, JPEG, TIFF) are PNG. A model with norm \
      dsbn takes --site as the volumes' site, or else the folder they are in; where it was not trained on that site, the \
      mean over its sites.
      """)

  @Option(help: ArgumentHelp("The run folder of the model.", valueName: "run"), completion: .directory)
  var model: String
  @Option(
    help: ArgumentHelp(
      "A volume, a DICOM series' folder or a folder of volumes; once a modality for single cases.",
      valueName: "file|dir"), completion: .file())
  var input: [String]
  @Option(
    help: ArgumentHelp(
      "The series of a DICOM folder that holds several, by number, UID or beginning of a UID; once for each --input.",
      valueName: "number|uid"))
  var series: [String] = []
  @Option(
    help: ArgumentHelp(
      "A .nii, .nii.gz, .dcm (of a DICOM series) or .png (of a picture) file for one input, otherwise a folder.",
      valueName: "file|dir"), completion: .file())
  var output: String
  @Flag(help: "Also write NAME_probabilities.nii.gz: float32 [x, y, z, class].") var probabilities = false
  @Flag(help: "Also write the first pass, as NAME_first.nii.gz.") var firstPass = false
  @Option(help: ArgumentHelp("The site that the volumes are from, for models with norm dsbn.", valueName: "name"))
  var site: String?
  @Option(help: "Take batch statistics on the volume, or on all of its folder: none, case or site.")
  var adapt = Adaptation.none
  @Flag(inversion: .prefixedNo, help: "Keep only the largest connected component of each class.")
  var largestComponent = true
  @Option(help: "Of convolutions: float32, tf32, or bfloat16. (default: as in training)") var precision: Precision?
  @Option(help: ArgumentHelp("Where the network runs: cpu, cuda, cuda:1, or auto.", valueName: "device"))
  var device = DeviceChoice.cpu
  @Option(help: "Processor threads. (default: one a core)") var threads: Int?
  @OptionGroup(title: "Messages") var messages: MessageOptions

  private var quiet: Bool { messages.quiet }

  func run() throws {
    Interruption.listen()
    Messages.begin(messages)
    try useThreads(threads)
    let run = RunFolder(URL(fileURLWithPath: model))
    let model = try SegmentationModel(contentsOf: run, precision: precision, device: device.resolved())
    guard !model.needsReference else {
      throw InputError(
        "\(run.url.path): its final pass sees the true mask (mask-source reference), which a volume to be segmented does "
          + "not have; use dualnorm evaluate, or a model trained with --mask-source prediction.")
    }
    if let site { try model.description.requireSite(site, option: "--site") }
    warnOfIdleAdaptation(adapt, model)
    if let warning = model.network.device.warning { Messages.say(warning) }
    let jobs = try PredictionJob.jobs(
      input: input.map { URL(fileURLWithPath: $0) }, series: series, output: URL(fileURLWithPath: output),
      modalities: model.description.modalities.count)
    try PredictionJob.requireInputsKept(jobs, probabilities: probabilities, firstPass: firstPass)
    let adapter = Adapter(
      model, adapt, cases: jobs.map(\.scan), progress: showMeasuring("some volumes are done", quiet: quiet))
    try segment(jobs, with: model, adapter)
  }

  /// While a volume is segmented, the next one is read and the last one's masks are written.
  private func segment(_ jobs: [PredictionJob], with model: SegmentationModel, _ adapter: Adapter) throws {
    let passes: Set<Pass> = firstPass ? [.first, .final] : [.final]
    let segments = model.description.labels.dicomSegments
    let progress = Progress("volumes", of: jobs.count, quiet: quiet)
    nonisolated(unsafe) let model = model  // reading takes no more of it than its description
    func read(_ job: PredictionJob) -> Future<PreparedCase> { Future { try model.prepared(job.scan) } }
    var reading = jobs.first.map(read)
    var writing: (job: PredictionJob, done: Future<Void>)?
    // Nothing runs on when an error ends the command, and what was segmented is written.
    defer {
      _ = try? reading?.value()
      do { try writing?.done.value() } catch { printError("Error: \(error)") }
    }
    func finishWriting() throws {
      guard let (job, done) = writing else { return }
      writing = nil
      try done.value()
      progress.advance(job.scan.identifier)
    }
    for (place, job) in jobs.enumerated() {
      let item = try reading!.value()
      if Interruption.isRequested {
        try finishWriting()
        try stopIfInterrupted(progress, "\(progress.done) of \(jobs.count) volumes are done")
      }
      reading = place + 1 < jobs.count ? read(jobs[place + 1]) : nil
      let site = site ?? job.site
      let statistics = try adapter.statistics(for: item, site: site)
      let results = model.segment(
        consume item, passes: passes, site: site, statistics: statistics, largestComponent: largestComponent,
        keepsProbabilities: probabilities)
      try finishWriting()
      if results[0].isCropped {
        Warnings.report("\(job.scan.images[0].path): is larger than the network's size; its border is background.")
      }
      writing = (job, Future { try write(results, of: job, segments: segments) })
    }
    try finishWriting()
    progress.clear()
  }

  private func write(
    _ results: [SegmentationModel.Segmentation], of job: PredictionJob, segments: [DICOMSegment]
  ) throws {
    for result in results {
      let suffix = result.pass == .first ? "_first" : ""
      if let series = job.series {
        try result.labels.writeSegmentation(
          to: job.file(suffix), of: series, segments: segments,
          softwareVersion: DualNormCommand.configuration.version)
      } else {
        try result.labels.write(to: job.file(suffix))
      }
      if probabilities { try writeChannels(result.probabilities, to: job.probabilities(suffix)) }
    }
  }
}
