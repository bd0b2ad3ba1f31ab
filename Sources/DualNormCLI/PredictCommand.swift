import ArgumentParser
import DualNorm
import Foundation
import MedicalImaging
import Torch

struct PredictCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "predict",
    abstract: "Segment volumes or pictures with a trained model; masks lie on the input's own grid.",
    discussion: """
      Examples: dualnorm predict --model RUN --input scan.nii.gz --output mask.nii.gz
                dualnorm predict --model RUN --input SCANS --output MASKS --probabilities

      A folder may have any layout that training takes, without masks. A model of several modalities takes --input once \
      for each, in order; a colour picture is one input. Masks of pictures (PNG, JPEG, TIFF) are PNG. A model with norm \
      dsbn takes --site as the volumes' site, or else the folder they are in; where it was not trained on that site, the \
      mean over its sites.
      """)

  @Option(help: ArgumentHelp("The run folder of the model.", valueName: "run")) var model: String
  @Option(
    help: ArgumentHelp("A volume or a folder of volumes; once a modality for single cases.", valueName: "file|dir"))
  var input: [String]
  @Option(
    help: ArgumentHelp(
      "A .nii, .nii.gz or (of a picture) .png file for one input, otherwise a folder.", valueName: "file|dir"))
  var output: String
  @Flag(help: "Also write NAME_probabilities.nii.gz: float32 [x, y, z, class].") var probabilities = false
  @Flag(help: "Also write the first pass, as NAME_first.nii.gz.") var firstPass = false
  @Option(help: ArgumentHelp("The site that the volumes are from, for models with norm dsbn.", valueName: "name"))
  var site: String?
  @Option(help: "Take batch statistics on the volume, or on all of its folder: none, case or site.")
  var adapt = Adaptation.none
  @Flag(inversion: .prefixedNo, help: "Keep only the largest connected component of each class.")
  var largestComponent = true
  @Option(help: "Of convolutions: float32, or bfloat16. (default: as in training)") var precision: Precision?
  @Option(help: "Processor threads. (default: one a core)") var threads: Int?
  @Flag(help: "No messages but errors.") var quiet = false

  func run() throws {
    Interruption.listen()
    try useThreads(threads)
    let run = RunFolder(URL(fileURLWithPath: model))
    let model = try SegmentationModel(contentsOf: run, precision: precision)
    guard !model.needsReference else {
      throw InputError(
        "\(run.url.path): its final pass sees the true mask (mask-source reference), which a volume to be segmented does "
          + "not have; use dualnorm evaluate, or a model trained with --mask-source prediction.")
    }
    if let site { try model.description.requireSite(site, option: "--site") }
    if !quiet { warnOfIdleAdaptation(adapt, model) }
    let jobs = try PredictionJob.jobs(
      input: input.map { URL(fileURLWithPath: $0) }, output: URL(fileURLWithPath: output),
      modalities: model.description.modalities.count)
    try PredictionJob.requireInputsKept(jobs, probabilities: probabilities, firstPass: firstPass)
    let adapter = Adapter(
      model, adapt, cases: jobs.map(\.scan), progress: showMeasuring("some volumes are done", quiet: quiet))
    try segment(jobs, with: model, adapter)
  }

  /// While a volume is segmented, the next one is read and the last one's masks are written.
  private func segment(_ jobs: [PredictionJob], with model: SegmentationModel, _ adapter: Adapter) throws {
    let passes: Set<Pass> = firstPass ? [.first, .final] : [.final]
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
      let results = model.segment(
        item, passes: passes, site: site, statistics: try adapter.statistics(for: item, site: site),
        largestComponent: largestComponent, keepsProbabilities: probabilities)
      try finishWriting()
      if !quiet, results[0].isCropped {
        progress.clear()
        printError("Warning: \(job.scan.images[0].path): is larger than the network's size; its border is background.")
      }
      writing = (job, Future { try write(results, of: job) })
    }
    try finishWriting()
    progress.clear()
  }

  private func write(_ results: [SegmentationModel.Segmentation], of job: PredictionJob) throws {
    for result in results {
      let suffix = result.pass == .first ? "_first" : ""
      try result.labels.write(to: job.file(suffix))
      if probabilities { try writeChannels(result.probabilities, to: job.probabilities(suffix)) }
    }
  }
}

/// One volume and where its mask goes.
struct PredictionJob {
  let scan: Case
  /// As its folder names it; nil for single files.
  let site: String?
  private let folder: URL
  private let name: String
  private let ending: String

  /// The mask's file with a suffix to its name.
  func file(_ suffix: String) -> URL { folder.appendingPathComponent(name + suffix + ending) }

  /// The probabilities' file, NIfTI also for pictures.
  func probabilities(_ suffix: String) -> URL {
    folder.appendingPathComponent(name + suffix + "_probabilities" + (ending == ".png" ? ".nii.gz" : ending))
  }

  /// - Throws: `InputError` if a mask would take the place of a volume to be segmented.
  static func requireInputsKept(_ jobs: [PredictionJob], probabilities: Bool, firstPass: Bool) throws {
    let passes = firstPass ? ["", "_first"] : [""]
    let inputs = Set(jobs.flatMap { $0.scan.images.map(\.resolved) })
    let files = jobs.flatMap { job in passes.map(job.file) + (probabilities ? passes.map(job.probabilities) : []) }
    for file in files where inputs.contains(file.resolved) {
      throw InputError("\(file.path): is an input that --output would overwrite; give another --output.")
    }
  }

  static func jobs(input: [URL], output: URL, modalities: Int) throws -> [PredictionJob] {
    var isFolder: ObjCBool = false
    for url in input {
      guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) else {
        throw InputError("\(url.path): there is no such file or folder; check --input.")
      }
    }
    guard !isFolder.boolValue else {
      guard input.count == 1 else {
        throw InputError("--input names \(input.count) folders or files; give one folder, or one file a modality.")
      }
      return try jobs(in: input[0], output: output, modalities: modalities)
    }
    guard input.count == modalities || input.count == 1 && isPicture(input[0]) else {
      throw InputError(
        "--input names \(input.count) files, and the model takes \(modalities); give one a modality, in order.")
    }
    let name = input[0].volumeName
    let scan = Case(name: name, site: "input", images: input, mask: nil)
    if let ending = output.maskEnding {
      guard ending != ".png" || scan.isPicture else {
        throw InputError("\(output.path): masks of volumes are written as NIfTI; name the output .nii.gz or .nii.")
      }
      return [
        PredictionJob(
          scan: scan, site: nil, folder: output.deletingLastPathComponent(), name: output.volumeName, ending: ending)
      ]
    }
    guard output.volumeName == output.lastPathComponent else {
      throw InputError(
        "\(output.path): masks are written as \(scan.isPicture ? "PNG or NIfTI; name the output .png," : "NIfTI; name the output")"
          + " .nii.gz or .nii, or give a folder.")
    }
    return [PredictionJob(scan: scan, site: nil, folder: output, name: name, ending: scan.maskEnding)]
  }

  private static func jobs(in input: URL, output: URL, modalities: Int) throws -> [PredictionJob] {
    guard output.maskEnding == nil else {
      throw InputError("\(output.path): is a file, and --input is a folder; give a folder for --output.")
    }
    let dataset = try Dataset(contentsOf: input, requireMasks: false, modalityCount: modalities)
    return dataset.cases.map { scan in
      let folder = dataset.layout == .sites ? output.appendingPathComponent(scan.site) : output
      return PredictionJob(
        scan: scan, site: scan.site, folder: folder, name: scan.name, ending: scan.maskEnding)
    }
  }
}

extension URL {
  /// The same for every path to the same file.
  fileprivate var resolved: String { standardizedFileURL.resolvingSymlinksInPath().path }

  /// `.nii`, `.nii.gz` or `.png`; nil for another ending.
  fileprivate var maskEnding: String? {
    [".nii.gz", ".nii", ".png"].first { lastPathComponent.lowercased().hasSuffix($0) }
  }

  /// The file's name without the ending of an image.
  fileprivate var volumeName: String { volumeStem(self) ?? lastPathComponent }
}
