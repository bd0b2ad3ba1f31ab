import ArgumentParser
import Basics
import Datasets
import Foundation
import MedicalImaging

/// The file format of masks whose names do not give it.
enum MaskFormat: String, CaseIterable, ExpressibleByArgument {
  case nifti, dicom
}

/// One volume and the destination of its mask.
struct PredictionJob: Sendable {
  let scan: Case
  /// Name of the site by the volume's folder; nil for single files and DICOM series.
  let site: String?
  private let folder: URL
  private let name: String
  /// Tells whether each site's masks have a folder of their own.
  private var isOfSites = false
  private let ending: String

  /// Name of the volume in tables and messages.
  var title: String { isOfSites ? "\(scan.site)/\(name)" : name }

  /// The series to which a DICOM segmentation refers; nil for masks in other formats.
  ///
  /// - Throws: `Refusal` for files that are no series.
  func series() throws -> DICOMSeries? {
    guard ending == ".dcm" else { return nil }
    guard case .series(let folder, let choice) = scan.sources[0] else { return nil }
    return try DICOMSeries(contentsOf: folder, series: choice)
  }

  /// The mask's file with a suffix to its name.
  func file(_ suffix: String) -> URL { folder.appendingPathComponent(name + suffix + ending) }

  /// The file of a class in the folder of the mask's name.
  func file(ofClass name: String, _ suffix: String) -> URL {
    folder.appendingPathComponent(self.name + suffix).appendingPathComponent(name + ending)
  }

  /// Tells whether the mask is a DICOM segmentation.
  var isDICOM: Bool { ending == ".dcm" }

  /// The probabilities' file.
  func probabilities(_ suffix: String) -> URL { map(suffix, "probabilities") }

  /// The file of numbers beside a mask, which is NIfTI even for pictures and DICOM.
  func map(_ suffix: String, _ kind: String) -> URL {
    let isNIfTI = ending.hasPrefix(".nii")
    return folder.appendingPathComponent("\(name)\(suffix)_\(kind)" + (isNIfTI ? ending : ".nii.gz"))
  }

  /// The preview's file beside the mask.
  var previewFile: URL { folder.appendingPathComponent(name + "_preview.png") }

  static func jobs(
    input: [URL], series: [String] = [], output: URL, format: MaskFormat? = nil, modalities: Int
  ) throws -> [PredictionJob] {
    for url in input {
      try requireReadable(url)
      if let fault = faultOfSingleDICOM(url) { throw fault }
    }
    if let format, let ending = output.maskEnding, ending.hasPrefix(".nii") ? format != .nifti : ending != format.ending
    {
      throw Refusal(
        .input, "--format \(format.rawValue)", "\(output.path) is named \(ending)", remedy: "leave --format out")
    }
    let isSeries = input.map(holdsSeries)
    try require(series, for: input, isSeries)
    if zip(input, isSeries).contains(where: { $0.isFolder && !$1 }) {
      guard input.count == 1 else {
        throw Refusal(
          .input, "--input names \(input.count) folders or files", remedy: "give one folder, or one file a modality")
      }
      return try jobs(in: input[0], output: output, format: format, modalities: modalities)
    }
    let scan = try singleCase(input, series, isSeries, modalities: modalities)
    guard let ending = output.maskEnding else {
      try requireFolder(output, scan, isSeries[0])
      return [
        PredictionJob(scan: scan, site: nil, folder: output, name: scan.name, ending: try maskEnding(of: scan, format))
      ]
    }
    guard ending != ".png" || scan.isPicture else {
      throw Refusal(
        .input, output.path, "masks of volumes are written as NIfTI", remedy: "name the output .nii.gz or .nii")
    }
    guard ending != ".dcm" || isSeries[0] else {
      throw Refusal(
        .input, output.path,
        "a DICOM segmentation refers to the DICOM images it was made from, and \(input[0].path) is not of DICOM",
        remedy: "name the output \(scan.isPicture ? ".png" : ".nii.gz or .nii")")
    }
    return [
      PredictionJob(
        scan: scan, site: nil, folder: output.deletingLastPathComponent(), name: output.volumeName, ending: ending)
    ]
  }

  /// The case of an input that is no folder of cases: one file per modality, or one file with all of them.
  private static func singleCase(
    _ input: [URL], _ series: [String], _ isSeries: [Bool], modalities: Int
  ) throws -> Case {
    let name = isSeries[0] ? input[0].standardizedFileURL.lastPathComponent : withoutChannel(input[0].volumeName)
    let sources = input.indices.map { place -> ImageSource in
      isSeries[place] ? .series(input[place], choice: series.isEmpty ? nil : series[place]) : .file(input[place])
    }
    let scan = Case(name: name, site: "input", sources: sources, mask: nil)
    guard input.count != modalities else { return scan }
    let counted = (try? scan.counted(volumes: true)) ?? scan
    guard counted.severalInOne != nil || input.count == 1 && scan.isPicture else {
      throw Refusal(
        .input, "--input names \(input.count) files, and the model takes \(modalities)",
        remedy: "give one a modality, in order")
    }
    return counted
  }

  /// - Throws: `Refusal` if masks of such an input are not written in the format.
  private static func maskEnding(of scan: Case, _ format: MaskFormat?) throws -> String {
    guard let format else { return scan.maskEnding }
    guard format != .dicom || scan.sources[0].isSeries else {
      throw Refusal(
        .input,
        "--format dicom: a segmentation refers to the DICOM images it was made from, and \(scan.reference.path) is not "
          + "of DICOM", remedy: "leave --format out")
    }
    return format.ending
  }

  /// Throws if `--series` is given but does not name one series per input.
  private static func require(_ series: [String], for input: [URL], _ isSeries: [Bool]) throws {
    guard !series.isEmpty else { return }
    if let place = isSeries.firstIndex(of: false) {
      throw Refusal(
        .input, "--series \(series[0])", "\(input[place].path) is no folder of DICOM files",
        remedy: "leave --series out")
    }
    guard series.count == input.count else {
      throw Refusal(
        .input, "--series names \(series.count) series, and --input \(input.count) of their folders",
        remedy: "give one for each, in order")
    }
  }

  /// Throws if the output has the ending of a format in which masks are not written.
  private static func requireFolder(_ output: URL, _ scan: Case, _ isSeries: Bool) throws {
    guard output.volumeName != output.lastPathComponent else { return }
    let formats =
      scan.isPicture
      ? "PNG or NIfTI; name the output .png,"
      : isSeries ? "NIfTI or DICOM; name the output .dcm," : "NIfTI; name the output"
    throw Refusal(.input, output.path, "masks are written as \(formats) .nii.gz or .nii, or give a folder")
  }

  private static func jobs(
    in input: URL, output: URL, format: MaskFormat?, modalities: Int
  ) throws -> [PredictionJob] {
    guard output.maskEnding == nil else {
      throw Refusal(.input, output.path, "is a file, and --input is a folder", remedy: "give a folder for --output")
    }
    let series = try foldersOfSeries(in: input)
    guard series.isEmpty || modalities > 1 else {
      let entries = try FileManager.default.contentsOfDirectory(at: input, includingPropertiesForKeys: nil)
      UnreadImages(in: input, among: entries.filter { !$0.isDICOMMask }).report()
      return try series.map { url in
        let scan = Case(name: url.lastPathComponent, site: "input", sources: [.series(url, choice: nil)], mask: nil)
        return PredictionJob(
          scan: scan, site: nil, folder: output, name: scan.name, ending: try maskEnding(of: scan, format))
      }
    }
    let dataset = try Dataset(contentsOf: input, requireMasks: false, modalityCount: modalities)
    let isOfSites = dataset.layout == .sites
    let names = resultNames(of: dataset.cases)
    return try zip(dataset.cases, names).map { scan, name in
      let folder = isOfSites ? output.appendingPathComponent(scan.site) : output
      return PredictionJob(
        scan: scan, site: scan.site, folder: folder, name: name, isOfSites: isOfSites,
        ending: try maskEnding(of: scan, format))
    }
  }

  /// Subfolders with DICOM files, sorted by name; none in a folder of volumes. Throws if it is empty or holds both.
  private static func foldersOfSeries(in folder: URL) throws -> [URL] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    let entries = names.filter { !$0.hasPrefix(".") }.sorted().map { folder.appendingPathComponent($0) }
    guard !entries.isEmpty else {
      throw Refusal(
        .input, folder.path, "is an empty folder",
        remedy: "give one of volumes, pictures or DICOM series, or a single file")
    }
    let series = entries.filter(holdsSeries)
    if let first = series.first, let volume = entries.first(where: { $0.isVolume }) {
      throw Refusal(
        .input, folder.path, "holds \(volume.lastPathComponent) and the DICOM folder \(first.lastPathComponent)",
        remedy: "keep either files or folders of DICOM series")
    }
    return series
  }
}

extension MaskFormat {
  fileprivate var ending: String { self == .nifti ? ".nii.gz" : ".dcm" }
}

extension URL {
  var isFolder: Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
  }

  /// Tells whether it is a DICOM file named like a mask.
  fileprivate var isDICOMMask: Bool {
    pathExtension.lowercased() == "dcm" && caseNameOfMask(deletingPathExtension().lastPathComponent) != nil
  }

  /// Tells whether it is a file named like an image, and not like the mask of a series beside it.
  fileprivate var isVolume: Bool { !isFolder && volumeStem(self).map { caseNameOfMask($0) == nil } ?? false }

  /// `.nii`, `.nii.gz`, `.png` or `.dcm`; nil for another ending.
  fileprivate var maskEnding: String? {
    [".nii.gz", ".nii", ".png", ".dcm"].first { lastPathComponent.lowercased().hasSuffix($0) }
  }

  /// The file's name without the ending of an image.
  fileprivate var volumeName: String {
    pathExtension.lowercased() == "dcm"
      ? deletingPathExtension().lastPathComponent : volumeStem(self) ?? lastPathComponent
  }
}
