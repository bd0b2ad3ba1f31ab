import Basics
import Datasets
import Foundation
import MedicalImaging

/// The form of a request: its fields, and its files in a folder of their own, which goes with this value.
///
/// Names that clients give are kept for answers only; files are named by numbers.
final class Upload: Sendable {
  struct File: Sendable {
    /// The name of its field: `file`, `files`, `label`.
    let field: String
    /// The name that the client gave, without folders; for people only.
    let givenName: String
    let url: URL
  }

  private let folder: UploadFolder
  let fields: [String: String]
  let files: [File]

  init(folder: UploadFolder, fields: [String: String], files: [File]) {
    (self.folder, self.fields, self.files) = (folder, fields, files)
  }

  /// A place for a file beside the uploaded ones.
  func place(named name: String) -> URL { folder.url.appendingPathComponent(name) }

  /// The names that messages give to paths of this upload.
  var hidden: [(path: String, name: String)] {
    files.flatMap { file in
      [file.url, folder.series.appendingPathComponent(file.url.lastPathComponent)].map { ($0.path, file.givenName) }
    } + [(folder.series.path, "the DICOM files"), (folder.url.path, "the upload")]
  }

  /// A sentence with names in place of this upload's paths.
  func veiled(_ sentence: String) -> String {
    hidden.reduce(sentence) { $0.replacingOccurrences(of: $1.path, with: $1.name) }
  }

  /// The case of the uploaded images: a file for each modality in order, or the files of a DICOM series.
  ///
  /// - Throws: `ServiceError` without images, or if some are DICOM and others are not.
  func scan(ofFields names: Set<String>) throws -> Case {
    let images = files.filter { names.contains($0.field) }
    guard !images.isEmpty else { throw ServiceError.wrong("The request has no image; send a volume's file.") }
    let dicom = images.filter { isDICOM($0.url) }
    let sources: [ImageSource]
    if dicom.isEmpty {
      for image in images where volumeStem(image.url) == nil {
        throw ServiceError.wrong(
          "\(image.givenName): not an image format by its name; send .nii.gz, .nii, .nrrd, .mha, DICOM files, or a picture."
        )
      }
      sources = images.map { .file($0.url) }
    } else {
      guard dicom.count == images.count else {
        throw ServiceError.wrong(
          "\(dicom.count) of \(images.count) files are DICOM; send the files of one series, or other volumes.")
      }
      try folder.gather(dicom.map(\.url))
      sources = [.series(folder.series, choice: nil)]
    }
    return Case(name: "upload", site: "", sources: sources, mask: nil)
  }
}

/// The private folder of a server, for the folders of all requests.
///
/// It is removed with this object. The next server removes that of a killed one.
final class ServerFolder: @unchecked Sendable {
  // It is never renamed, so nothing of it changes.
  private let path: PartialPath

  init() throws {
    path = try PartialPath(folder: FileManager.default.temporaryDirectory.appendingPathComponent("serve"))
    path.setMode(0o700)
  }

  var url: URL { path.url }
}

/// A folder for the files of one request, which is removed with this object.
final class UploadFolder: Sendable {
  let url: URL

  /// - Parameter parent: the folder of the server, whose lock covers this one.
  init(in parent: URL) throws {
    url = parent.appendingPathComponent(UUID().uuidString)
    guard mkdir(url.path, 0o700) == 0 else { throw unwritable(url, errno) }
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  /// The folder of DICOM files, which are read from a folder of their own.
  var series: URL { url.appendingPathComponent("series") }

  /// Moves files into the folder of DICOM files, unless they are there.
  fileprivate func gather(_ files: [URL]) throws {
    guard !FileManager.default.fileExists(atPath: series.path) else { return }
    try FileManager.default.createDirectory(at: series, withIntermediateDirectories: true)
    for file in files {
      try FileManager.default.moveItem(at: file, to: series.appendingPathComponent(file.lastPathComponent))
    }
  }

  /// The place of the file with a number, and with the ending by which its format is known.
  ///
  /// - Parameter name: the name that the client gave, of which only a known ending is taken. DICOM files may have any.
  func place(ofFile number: Int, named name: String) -> URL {
    let lower = name.lowercased()
    let known = readableEndings + [".dcm", ".dicom", ".ima"]
    let ending = known.filter(lower.hasSuffix).max { $0.count < $1.count } ?? ""
    return url.appendingPathComponent(String(format: "%06d", number) + ending)
  }
}
