import Basics
import Foundation
import MedicalImaging

/// The names that DICOM segmentations give their labels.
struct SegmentNames: Equatable, Sendable {
  /// Empty unless all masks are segmentations and agree.
  private(set) var names: [LabelValue: String] = [:]
  /// The first number with two names, in a sentence: it is one class, whatever its names.
  private(set) var conflict: String?
  private(set) var conflictingFiles: [URL] = []

  init() {}

  /// Reads the headers of all segmentations. The data check finds those that cannot be read.
  init(of cases: [Case], in folder: URL) {
    var found: [LabelValue: (name: String, file: URL)] = [:]
    let masks = cases.compactMap(\.mask)
    let segmentations = masks.filter(isDICOM)
    for file in segmentations {
      guard let segmentation = try? DICOMSegmentation(contentsOf: file) else { continue }
      for (number, name) in segmentation.names.sorted(by: { $0.key < $1.key }) {
        guard let other = found.updateValue((name, file), forKey: number), conflict == nil,
          other.name.lowercased() != name.lowercased()
        else { continue }
        conflictingFiles = [other.file, file]
        conflict =
          "\(folder.path): segment \(number) is \"\(quoted(name))\" in \(file.path) and \"\(quoted(other.name))\" in "
          + "\(other.file.path), and a number is one class; if these are different structures, give each its own number."
      }
    }
    guard conflict == nil, segmentations.count == masks.count, !found.isEmpty else { return }
    names = found.mapValues(\.name).merging([0: "background"]) { name, _ in name }
  }
}
