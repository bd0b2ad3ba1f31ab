import Basics
import Foundation
import MedicalImaging

/// The masks of a folder by site and case, in any layout.
///
/// A mask is `Site-X/CaseNN_segmentation.nii.gz` beside its image `Site-X/CaseNN.nii.gz`, `labelsTr/CaseNN.nii.gz`
/// beside `imagesTr`, or `Site-X/CaseNN.nii.gz` alone.
struct MaskFolder {
  struct Key: Hashable {
    /// The subfolders' path; empty for a mask in none.
    let site: String
    let caseName: String
  }

  let masks: [Key: URL]

  /// Finds the masks in a folder.
  ///
  /// A file named as a mask wins over another of the same case, which is its image. Among references, if any file is
  /// named as a mask, only such files count: otherwise an image without a mask would be taken for one.
  ///
  /// - Throws: `Refusal` if the folder cannot be listed or two files are one case.
  init(_ folder: URL, holdsReferences: Bool) throws {
    var found: [Key: URL] = [:]
    for (site, files) in try Self.volumes(in: folder) {
      let named = files.compactMap { file in caseNameOfMask(file.stem).map { (url: file.url, stem: $0) } }
      let cases = Set(named.map(\.stem))
      let plain = files.filter { caseNameOfMask($0.stem) == nil && !cases.contains($0.stem) }
      for file in holdsReferences && !named.isEmpty ? named : named + plain {
        if let other = found.updateValue(file.url, forKey: Key(site: site, caseName: file.stem)) {
          throw Refusal(
            .input, file.url.path, "\(other.lastPathComponent) is the same case", remedy: "keep one of the two")
        }
      }
    }
    masks = found
  }

  /// The site name of masks in no subfolder: the name of the data set's folder.
  static func siteName(of folder: URL) -> String {
    let folder = folder.standardizedFileURL
    return (holdsLabels(folder.lastPathComponent) ? folder.deletingLastPathComponent() : folder).lastPathComponent
  }

  /// The volumes of each site, sorted by path, without hidden files and image folders.
  private static func volumes(in folder: URL) throws -> [(site: String, files: [(url: URL, stem: String)])] {
    try requireAccess(to: folder)
    guard let paths = try? FileManager.default.subpathsOfDirectory(atPath: folder.path) else {
      throw Refusal(
        .input, folder.path, "this folder cannot be read", remedy: "check that it exists and its permissions")
    }
    var unread: [URL] = []
    var bySite: [String: [(url: URL, stem: String)]] = [:]
    for path in paths.sorted() {
      let parts = path.split(separator: "/").map(String.init)
      let folders = parts.dropLast()
      let url = folder.appendingPathComponent(path)
      guard !parts.contains(where: { $0.hasPrefix(".") }), !folders.contains(where: holdsImages) else { continue }
      guard let stem = volumeStem(url) else {
        unread.append(url)
        continue
      }
      bySite[folders.filter { !holdsLabels($0) }.joined(separator: "/"), default: []].append((url, stem))
    }
    UnreadImages(in: folder, among: unread).report()
    return bySite.sorted { $0.key < $1.key }.map { (site: $0.key, files: withoutSnapshots($0.value)) }
  }

  private static func holdsImages(_ folder: String) -> Bool { ["imagesTr", "imagesTs", "images"].contains(folder) }

  private static func holdsLabels(_ folder: String) -> Bool { ["labelsTr", "labelsTs", "labels"].contains(folder) }
}
