import Basics
import Datasets
import DualNorm
import Foundation
import MedicalImaging
import Pictures
import Scores

/// What is written of a volume beside the mask.
struct PredictionOutputs: Sendable {
  var firstPass = false
  var probabilities = false
  var preview = false

  var passes: Set<Pass> { firstPass ? [.first, .final] : [.final] }
}

extension Pass {
  /// Of its files' names.
  fileprivate var suffix: String { self == .first ? "_first" : "" }
}

extension PredictionJob {
  private func files(_ outputs: PredictionOutputs) -> [URL] {
    outputs.passes.flatMap { pass in
      [file(pass.suffix)] + (outputs.probabilities ? [probabilities(pass.suffix)] : [])
    } + (outputs.preview ? [previewFile] : [])
  }

  /// The files of the input where it is a series in the folder that the mask goes to.
  private var slicesBesideMask: Set<String> {
    let folder = file("").deletingLastPathComponent().resolved
    guard scan.images.contains(where: { $0.resolved == folder }) else { return [] }
    return Set((try? series())?.files.map(\.resolved) ?? [])
  }

  /// - Throws: `Refusal` where the mask is to be a segmentation and the headers of the series do not make one.
  func requireSegmentable(_ labels: LabelScheme) throws { try series()?.requireSegmentable(as: labels.dicomSegments) }

  /// Tells whether every file is there; each is whole, as it got its name last.
  func isDone(_ outputs: PredictionOutputs) -> Bool {
    files(outputs).allSatisfy { FileManager.default.fileExists(atPath: $0.path) }
  }

  /// - Throws: `Refusal` if a result would take the place of an input or of another result, or where one could
  ///   not be written.
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
    }
  }

  /// Removes what killed processes left where results go, be there anything left to write or not.
  static func removeRemains(besideResultsOf jobs: [PredictionJob]) {
    for folder in Set(jobs.map { $0.file("").deletingLastPathComponent() }) { removePartialFiles(in: folder) }
  }

  /// Writes all results of a volume.
  func write(
    _ results: [SegmentationModel.Segmentation], _ outputs: PredictionOutputs, labels: LabelScheme
  ) throws {
    let series = try series()
    for result in results {
      let suffix = result.pass.suffix
      if let series {
        try result.labels.writeSegmentation(
          to: file(suffix), of: series, segments: labels.dicomSegments,
          softwareVersion: DualNormCommand.configuration.version)
      } else {
        try result.labels.write(to: file(suffix))
      }
      if outputs.probabilities { try writeChannels(result.probabilities, to: probabilities(suffix)) }
    }
    guard outputs.preview else { return }
    let final = results.last!.labels
    try SliceSheet.preview(
      of: scan, named: title, labels: final, firstPass: results.count > 1 ? results[0].labels : nil, scheme: labels
    ).render().write(to: previewFile)
  }
}

extension URL {
  /// The same for every path to the same file.
  fileprivate var resolved: String { standardizedFileURL.resolvingSymlinksInPath().path }
}

/// A name without nnU-Net's suffix of the first channel, which no mask has.
func withoutChannel(_ stem: String) -> String {
  channelOfImage(stem).flatMap { $0.channel == 0 ? $0.name : nil } ?? stem
}

/// Names of the cases' results: without `_0000`, unless a case beside has that name or another number, as frames have.
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

/// - Throws: `Refusal` for an input that is not there or may not be read.
func requireReadable(_ url: URL) throws {
  try requireAccess(to: url)
  guard FileManager.default.fileExists(atPath: url.path) else {
    throw Refusal(.input, url.path, "there is no such file or folder", remedy: "check --input")
  }
}
