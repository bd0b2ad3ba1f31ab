import Basics
import Foundation

/// Files of a folder that look like images and are not read, so that nobody takes what is read for all there is.
package struct UnreadImages: Equatable, Sendable {
  let folder: URL
  package private(set) var files: [URL]

  /// - Parameters:
  ///   - candidates: files in the folder, or in folders in it, that a reader was to look at.
  ///   - passedOver: more files, which the reader could have read and did not.
  package init(in folder: URL, among candidates: [URL] = [], passedOver: [URL] = []) {
    self.folder = folder
    files = candidates.filter { imageNameKind($0) == .unread } + passedOver
  }

  /// Images that could be read but for their ending, pictures aside, which may be overviews.
  package init(in folder: URL, otherThan ending: String, among candidates: [URL]) {
    self.folder = folder
    files = candidates.filter { file in
      imageNameKind(file) == .read && !file.lastPathComponent.hasSuffix(ending) && !isPicture(file)
    }
  }

  package mutating func add(_ others: UnreadImages) { files += others.files }

  /// Names the first of them and what to do; nil without any.
  package var sentence: String? {
    guard !files.isEmpty else { return nil }
    let folder = folder.standardizedFileURL.path
    let names = files.map { file in
      let path = file.standardizedFileURL.path
      return path.hasPrefix(folder + "/") ? String(path.dropFirst(folder.count + 1)) : path
    }
    let what = counted(files.count, "file looks like an image and is", plural: "files look like images and are")
    let them = files.count == 1 ? "it" : "them"
    return
      "\(self.folder.path): \(what) not read (\(listed(names.sorted()))); convert \(them) to NIfTI (.nii.gz), or move \(them) "
      + "away."
  }

  package func report() {
    if let sentence { Warnings.report(sentence) }
  }
}
