import ArgumentParser
import Basics
import Datasets
import DualNorm
import Foundation
import MedicalImaging
import Pictures
import Scores

/// The results to write besides the mask.
struct PredictionOutputs: Sendable {
  var firstPass = false
  var probabilities = false
  var uncertainty = false
  /// Tells whether several members or mirror images make maps of disagreement.
  var disagreement = false
  var preview = false
  /// Names of files in place of the mask, one for each class; nil for one mask of all classes.
  var classFiles: [String]?
  /// The table of all cases.
  var statistics: URL?

  var passes: Set<Pass> { firstPass ? [.first, .final] : [.final] }
}

extension Pass {
  /// Suffix of the pass's file names.
  fileprivate var suffix: String { self == .first ? "_first" : "" }
}

extension PredictionJob {
  private func files(_ outputs: PredictionOutputs) -> [URL] {
    outputs.passes.flatMap { pass in
      masks(pass.suffix, outputs) + (outputs.probabilities ? [probabilities(pass.suffix)] : [])
        + (outputs.uncertainty ? [map(pass.suffix, "uncertainty")] : [])
        + (outputs.uncertainty && outputs.disagreement ? [map(pass.suffix, "disagreement")] : [])
    } + (outputs.preview ? [previewFile] : [])
  }

  /// The mask, or `NAME/CLASS.nii.gz` for each class.
  private func masks(_ suffix: String, _ outputs: PredictionOutputs) -> [URL] {
    outputs.classFiles?.map { file(ofClass: $0, suffix) } ?? [file(suffix)]
  }

  /// Files of the input, if it is a series in the mask's folder; otherwise empty.
  private var slicesBesideMask: Set<String> {
    let folder = file("").deletingLastPathComponent().resolved
    guard scan.images.contains(where: { $0.resolved == folder }) else { return [] }
    return Set((try? series())?.files.map(\.resolved) ?? [])
  }

  /// - Throws: `Refusal` if the series' headers do not allow the DICOM segmentation that is asked for.
  func requireSegmentable(_ labels: LabelScheme) throws { try series()?.requireSegmentable(as: labels.dicomSegments) }

  /// Tells whether every file exists. Each is complete, because it gets its name last.
  func isDone(_ outputs: PredictionOutputs) -> Bool {
    files(outputs).allSatisfy { FileManager.default.fileExists(atPath: $0.path) }
  }

  /// - Throws: `Refusal` if a result would overwrite an input or another result, or could not be written.
  static func requireUsable(_ jobs: [PredictionJob], _ outputs: PredictionOutputs) throws {
    let inputs = Set(jobs.flatMap { $0.scan.images.map(\.resolved) })
    var owners: [String: String] = [:]
    for job in jobs {
      let slices = job.slicesBesideMask
      for file in job.files(outputs) {
        guard !inputs.contains(file.resolved), !slices.contains(file.resolved) else {
          throw Refusal(.input, file.path, "is an input that --output would overwrite", remedy: "give another --output")
        }
        if let other = owners.updateValue(job.title, forKey: file.path) {
          throw Refusal(
            .input, file.path, "would be a result of both \(other) and \(job.title)",
            remedy: "rename one of the inputs")
        }
        try requireWritable(file)
      }
      for folder in job.classFolders(outputs) where inputs.contains(folder.resolved) {
        throw Refusal(
          .input, folder.path, "is an input, and --one-file-per-class would write into it",
          remedy: "give another --output")
      }
    }
    guard let table = outputs.statistics else { return }
    guard ["csv", "json"].contains(table.pathExtension.lowercased()) else {
      throw Refusal(
        .input, table.path, "statistics are written as .csv or .json", remedy: "give the file one of these endings")
    }
    guard !inputs.contains(table.resolved), owners[table.path] == nil else {
      throw Refusal(
        .input, table.path, "is an input or another result, which --statistics would overwrite",
        remedy: "give another file")
    }
    try requireWritable(table)
  }

  /// Removes partial files of killed processes beside the results, even if nothing is left to write.
  static func removeRemains(besideResultsOf jobs: [PredictionJob], _ outputs: PredictionOutputs) {
    let folders = jobs.flatMap { [$0.file("").deletingLastPathComponent()] + $0.classFolders(outputs) }
    for folder in Set(folders) { removePartialFiles(in: folder) }
  }

  /// Warns of files that earlier predictions wrote beside masks, and that would now lie beside other masks.
  ///
  /// - Parameters:
  ///   - open: the jobs to do.
  ///   - all: those too whose results are kept.
  static func warnOfLeftFiles(
    of open: [PredictionJob], among all: [PredictionJob], _ outputs: PredictionOutputs, _ labels: LabelScheme
  ) {
    let known = Set(all.flatMap { $0.files(outputs) + $0.scan.images }.map(\.resolved))
    let classes = try? labels.fileNames
    let left = open.flatMap { $0.everyFile(classes: classes) }.firstOccurrences
      .filter { FileManager.default.fileExists(atPath: $0.path) && !known.contains($0.resolved) }
    guard let first = left.first else { return }
    Warnings.report(
      left.count == 1
        ? "\(first.path): is of an earlier prediction and stays beside the new mask; remove it, or give the option "
          + "that writes it anew."
        : "\(first.path) and \(counted(left.count - 1, "more file")): are of an earlier prediction and stay beside "
          + "the new masks; remove them, or give the options that write them anew.")
  }

  /// The files that a prediction with any options may write, sorted by path.
  private func everyFile(classes: [String]?) -> [URL] {
    var outputs = PredictionOutputs(
      firstPass: true, probabilities: true, uncertainty: true, disagreement: true, preview: true)
    let whole = files(outputs)
    outputs.classFiles = classes
    return (whole + files(outputs)).sorted { $0.path < $1.path }
  }

  /// The folders of the classes' files, if there are any.
  private func classFolders(_ outputs: PredictionOutputs) -> [URL] {
    outputs.classFiles == nil ? [] : outputs.passes.map { file(ofClass: "", $0.suffix).deletingLastPathComponent() }
  }

  /// Writes all results of a volume.
  func write(
    _ results: [SegmentationModel.Segmentation], _ outputs: PredictionOutputs, by model: ModelDescription
  ) throws {
    let labels = model.labels
    let series = try series()
    for result in results {
      let suffix = result.pass.suffix
      if let series {
        try result.labels.writeSegmentation(
          to: file(suffix), of: series, segments: labels.dicomSegments,
          softwareVersion: programVersion)
      } else if let names = outputs.classFiles {
        try write(result.labels, classes: names, labels, suffix)
      } else {
        try result.labels.write(to: file(suffix), withRoomFor: labels.largestFileValue)
      }
      if outputs.probabilities { try writeChannels(result.probabilities, to: probabilities(suffix)) }
      if let uncertainty = result.uncertainty {
        try uncertainty.entropy.write(to: map(suffix, "uncertainty"))
        try uncertainty.disagreement?.write(to: map(suffix, "disagreement"))
      }
    }
    guard outputs.preview else { return }
    let final = results.last!.labels
    try SliceSheet.preview(
      of: scan, named: title, labels: final, firstPass: results.count > 1 ? results[0].labels : nil, by: model
    ).render().write(to: previewFile)
  }
}

extension PredictionJob {
  /// Writes a mask of 0 and 1 for each class.
  private func write(_ mask: LabelMap, classes names: [String], _ labels: LabelScheme, _ suffix: String) throws {
    for (index, name) in names.enumerated() {
      let value = labels.fileValue(ofClass: index + 1)
      let file = file(ofClass: name, suffix)
      try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      let isClass = LabelMap(voxels: mask.voxels.map { $0 == value ? 1 : 0 }, geometry: mask.geometry)
      try isClass.write(to: file, withRoomFor: 1)
    }
  }
}

extension LabelScheme {
  /// Names of files for the classes: letters, numbers, `-`, `_` and `.` of their names, and `_` for all else and for a
  /// `.` at the start.
  ///
  /// - Throws: `Refusal` for classes whose names become equal.
  var fileNames: [String] {
    get throws {
      let result = names.map { name in
        let text = String(name.map { $0.isLetter || $0.isNumber || "-_.".contains($0) ? $0 : "_" })
        return text.hasPrefix(".") ? "_" + text.dropFirst() : text
      }
      for (index, name) in result.enumerated() {
        guard let first = result.firstIndex(of: name), first < index else { continue }
        throw Refusal(
          .input,
          "--one-file-per-class: the classes \(names[first]) and \(names[index]) would both be in \(name)",
          remedy: "leave --one-file-per-class out")
      }
      return result
    }
  }
}

extension URL {
  /// The canonical path, equal for every path to the same file.
  fileprivate var resolved: String { standardizedFileURL.resolvingSymlinksInPath().path }
}

/// A name without nnU-Net's suffix of the first channel, `_0000`, which no mask has.
func withoutChannel(_ stem: String) -> String {
  channelOfImage(stem).flatMap { $0.channel == 0 ? $0.name : nil } ?? stem
}

/// Names of the cases' results. They lose `_0000`, unless another case has the bare name or, like a frame, another
/// number.
func resultNames(of cases: [Case]) -> [String] {
  let taken = Set(cases.map(\.identifier))
  let numbered = Dictionary(grouping: cases.compactMap { scan in channelOfImage(scan.identifier)?.name }) { $0 }
  return cases.map { scan in
    let (short, identifier) = (withoutChannel(scan.name), withoutChannel(scan.identifier))
    guard short != scan.name, numbered[identifier]?.count == 1 else { return scan.name }
    guard !taken.contains(identifier) else {
      Messages.say("\(scan.identifier) keeps its _0000 in the result's name, since \(identifier) is another input.")
      return scan.name
    }
    return short
  }
}

/// - Throws: `Refusal` for an input that does not exist or may not be read.
func requireReadable(_ url: URL) throws {
  try requireAccess(to: url)
  guard FileManager.default.fileExists(atPath: url.path) else {
    throw Refusal(.input, url.path, "there is no such file or folder", remedy: "check --input")
  }
}
