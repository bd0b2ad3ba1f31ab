import Foundation

/// What masks' values are called.
package enum LabelNames {
  /// By the `dataset.json` in a folder of references or beside it, or by the `prepared.json` of every site in it; empty
  /// where there is none that can be used, as scores do without.
  package static func found(beside references: URL) -> [UInt8: String] {
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

  private static func names(of sites: [URL]) -> [UInt8: String] { (try? PreparedSite.all(in: sites).labelNames) ?? [:] }
}
