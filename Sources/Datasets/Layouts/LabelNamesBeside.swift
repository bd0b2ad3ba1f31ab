package import Foundation
package import MedicalImaging

/// The names of the labels in masks.
package enum LabelNames {
  /// Finds names in the `dataset.json` in or beside a folder of references, or in the `prepared.json` of all its sites.
  ///
  /// Empty if there is none or it is unusable, since scoring works without names.
  package static func found(beside references: URL) -> [LabelValue: String] {
    let manager = FileManager.default
    let folder = references.standardizedFileURL
    for place in [folder, folder.deletingLastPathComponent()] {
      guard manager.fileExists(atPath: place.appendingPathComponent("dataset.json").path) else { continue }
      return (try? DatasetDescription(contentsOf: place).labelNames) ?? [:]
    }
    var isFolder: ObjCBool = false
    let areSeveral = manager.fileExists(atPath: folder.path, isDirectory: &isFolder) && isFolder.boolValue
    guard areSeveral else { return names(of: [folder.deletingLastPathComponent()]) }
    let sites = ((try? Dataset.entries(of: folder)) ?? []).filter {
      manager.fileExists(atPath: $0.path, isDirectory: &isFolder) && isFolder.boolValue
    }
    return names(of: sites.isEmpty ? [folder] : sites)
  }

  private static func names(of sites: [URL]) -> [LabelValue: String] {
    (try? PreparedSite.all(in: sites).labelNames) ?? [:]
  }
}
