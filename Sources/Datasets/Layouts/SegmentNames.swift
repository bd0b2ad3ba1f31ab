import Basics
import Foundation
import MedicalImaging

/// The names that DICOM segmentations give their labels; empty unless all masks are segmentations.
///
/// Segmentations that cannot be read are left to the data check.
///
/// - Throws: `Refusal` if two segmentations give one number different names, since it would be one class.
func segmentNames(of cases: [Case]) throws -> [LabelValue: String] {
  var names: [LabelValue: (name: String, file: URL)] = [:]
  let masks = cases.compactMap(\.mask)
  let segmentations = masks.filter(isDICOM)
  for file in segmentations {
    guard let segmentation = try? DICOMSegmentation(contentsOf: file) else { continue }
    for (number, name) in segmentation.names.sorted(by: { $0.key < $1.key }) {
      guard let other = names.updateValue((name, file), forKey: number), other.name.lowercased() != name.lowercased()
      else { continue }
      throw Refusal(
        .input, file.path,
        "segment \(number) is \"\(quoted(name))\" and, in \(other.file.path), \"\(quoted(other.name))\"",
        remedy: "give each structure one number in all segmentations")
    }
  }
  guard segmentations.count == masks.count, !names.isEmpty else { return [:] }
  return names.mapValues(\.name).merging([0: "background"]) { name, _ in name }
}
