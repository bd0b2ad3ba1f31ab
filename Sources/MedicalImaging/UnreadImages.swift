import Basics
package import Foundation

/// Files of a folder that look like images but are not read, for a warning that data are missing.
package struct UnreadImages: Equatable, Sendable {
  let folder: URL
  package private(set) var files: [URL]

  /// - Parameters:
  ///   - candidates: files in the folder or its subfolders that a reader considered.
  ///   - passedOver: further files that the reader could have read and did not.
  package init(in folder: URL, among candidates: [URL] = [], passedOver: [URL] = []) {
    self.folder = folder
    files = candidates.filter { imageNameKind($0) == .unread } + passedOver
  }

  /// Finds readable images with another extension; ignores pictures, which may be overviews.
  package init(in folder: URL, otherThan ending: String, among candidates: [URL]) {
    self.folder = folder
    files = candidates.filter { file in
      imageNameKind(file) == .read && !file.lastPathComponent.hasSuffix(ending) && !isPicture(file)
    }
  }

  package mutating func add(_ others: UnreadImages) { files += others.files }

  /// Names the first of them and the remedy; nil without any.
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
