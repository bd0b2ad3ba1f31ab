import Basics
import Foundation
import MedicalImaging
import Scores

/// nnU-Net's `dataset.json`: names of channels and labels.
struct NNUNetDataset {
  let channels: [String]
  let labels: LabelScheme

  /// - Throws: `Refusal` for another structure, for regions and for an ignore label.
  init(_ file: URL) throws {
    let object = try readJSONObject(file)
    func fault(_ found: String, _ remedy: String = "restore the file") -> Refusal {
      Refusal(.input, file.path, found, remedy: remedy)
    }
    guard let channels = (object["channel_names"] ?? object["modality"]) as? [String: Any],
      let labels = object["labels"] as? [String: Any]
    else { throw fault("names no channels and labels") }
    self.channels = try (0..<channels.count).map { index in
      guard let name = channels["\(index)"] as? String else { throw fault("has no channel \(index)") }
      return name
    }
    guard object["regions_class_order"] == nil, labels.values.allSatisfy({ !($0 is [Any]) }) else {
      throw fault("has labels as regions, which overlap", "train nnU-Net with one label a class")
    }
    guard labels["ignore"] == nil else {
      throw fault("has an ignore label, which this program does not know", "train nnU-Net without it")
    }
    var names: [Int: String] = [:]
    for (name, value) in labels {
      guard let value = value as? Int, names.updateValue(name, forKey: value) == nil else {
        throw fault("has the label \(quoted(name)) with a value that is no number of its own")
      }
    }
    guard names.keys.sorted() == Array(0..<names.count), (2...256).contains(names.count) else {
      throw fault("has the labels \(listed(names.keys.sorted().map(String.init), atMost: 8)), expected 0, 1 and so on")
    }
    self.labels = LabelScheme(
      groups: (1..<names.count).map { [LabelValue($0)] }, names: (1..<names.count).map { names[$0]! })
  }
}
