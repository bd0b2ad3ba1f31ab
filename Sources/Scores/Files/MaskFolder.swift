import Basics
import Foundation
import MedicalImaging

/// The masks of a folder by site and case, whatever the layout: `Site-X/CaseNN_segmentation.nii.gz` beside its image
/// `Site-X/CaseNN.nii.gz`, `labelsTr/CaseNN.nii.gz` beside `imagesTr`, or `Site-X/CaseNN.nii.gz` alone.
struct MaskFolder {
  struct Key: Hashable {
    /// The sub-folders; empty for a mask in none.
    let site: String
    let caseName: String
  }

  let masks: [Key: URL]

  /// A file named as a mask wins over one of the same case that is not: that is its image. Among references no file is a
  /// mask that lies beside files named as masks and is not, or an image without a mask would be one.
  ///
  /// - Throws: `InputError` where the folder cannot be listed or two files are one case.
  init(_ folder: URL, holdsReferences: Bool) throws {
    var found: [Key: URL] = [:]
    for (site, files) in try Self.volumes(in: folder) {
      let named = files.compactMap { file in caseNameOfMask(file.stem).map { (url: file.url, stem: $0) } }
      let cases = Set(named.map(\.stem))
      let plain = files.filter { caseNameOfMask($0.stem) == nil && !cases.contains($0.stem) }
      for file in holdsReferences && !named.isEmpty ? named : named + plain {
        if let other = found.updateValue(file.url, forKey: Key(site: site, caseName: file.stem)) {
          throw InputError("\(file.url.path): \(other.lastPathComponent) is the same case; keep one of the two.")
        }
      }
    }
    masks = found
  }

  /// The name of the site whose masks lie in no sub-folder: the data set's folder.
  static func siteName(of folder: URL) -> String {
    let folder = folder.standardizedFileURL
    return (holdsLabels(folder.lastPathComponent) ? folder.deletingLastPathComponent() : folder).lastPathComponent
  }

  /// The volumes of each site in the order of their paths, hidden files and folders of images left out.
  private static func volumes(in folder: URL) throws -> [(site: String, files: [(url: URL, stem: String)])] {
    try requireAccess(to: folder)
    guard let paths = try? FileManager.default.subpathsOfDirectory(atPath: folder.path) else {
      throw InputError("\(folder.path): this folder cannot be read; check that it exists and its permissions.")
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
