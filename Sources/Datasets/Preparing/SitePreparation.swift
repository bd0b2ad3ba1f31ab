import Basics
package import Foundation
import MedicalImaging

/// The work of `dualnorm prepare`: it turns a source's images and masks into a site of a data set.
package struct SitePreparation: Sendable {
  package let pairs: SourcePairs
  private let recipe: DataRecipe
  private let recipeName: String
  private let site: String
  private let output: URL
  private let crops: Bool
  private let version: String

  /// Pairs the files and checks the output; reads no volume.
  ///
  /// - Parameters:
  ///   - recipeName: one of `DataRecipe.names`, or a file.
  ///   - training: whether to crop to the labelled slices, if the recipe has a margin for it.
  ///   - skipUnpaired: whether to leave out files without a partner rather than refuse them.
  ///   - version: the program's version, for `prepared.json`.
  /// - Throws: `Refusal` for a recipe, folder or name that cannot be used.
  package init(
    recipe recipeName: String, images: URL, labels: URL, site: String, output: URL, training: Bool = false,
    skipUnpaired: Bool = false, version: String
  ) throws {
    recipe = try DataRecipe.named(recipeName)
    guard !training || recipe.cropMargin != nil else {
      throw Refusal(
        .input, "\(Setting.training) crops to the labelled slices, and the recipe \(recipeName) has no crop-margin",
        remedy: "leave \(Setting.training) out")
    }
    guard isSafeFileName(site) else {
      throw Refusal(
        .input, "\(Setting.site) \"\(quoted(site))\" cannot name a folder",
        remedy: "give at most 200 bytes without slashes, control characters and a leading dot")
    }
    try SitePreparation.requireRoom(in: output, for: site, recipe)
    pairs = try SourcePairs(images: images, labels: labels, site: site, skipUnpaired: skipUnpaired)
    self.recipeName = recipeName
    self.site = site
    self.output = output
    self.version = version
    crops = training
  }

  /// Requires that the output holds nothing but other sites, with labels of equal meaning.
  private static func requireRoom(in output: URL, for site: String, _ recipe: DataRecipe) throws {
    let manager = FileManager.default
    var isFolder: ObjCBool = false
    guard manager.fileExists(atPath: output.path, isDirectory: &isFolder) else {
      return try requireMakeable(output, option: .output)
    }
    guard isFolder.boolValue else {
      throw Refusal(
        .input, output.path, "is a file", remedy: "give a folder for \(Setting.output)")
    }
    let code = codeOfEntering(output)
    guard code == 0 else {
      throw Refusal(
        .input, output.path, "cannot be written to\(readOnlyDisk(code))",
        remedy: "give a folder for \(Setting.output) that you may write to")
    }
    guard !manager.fileExists(atPath: output.appendingPathComponent(site).path) else {
      throw Refusal(
        .input, output.appendingPathComponent(site).path, "is there already",
        remedy: "give another \(Setting.site), or delete this one first")
    }
    for entry in try Dataset.entries(of: output) {
      guard manager.fileExists(atPath: entry.path, isDirectory: &isFolder), isFolder.boolValue else {
        throw Refusal(
          .input, output.path, "holds \(entry.lastPathComponent), which is no folder of a site",
          remedy: "give a new folder for \(Setting.output), or one with other sites")
      }
      guard let other = try PreparedSite(in: entry) else { continue }
      for (value, name) in recipe.labelNames.sorted(by: { $0.key < $1.key }) {
        guard let otherName = other.recipe.labelNames[value], otherName != name else { continue }
        throw Refusal(
          .input, entry.path,
          "was prepared with label \(value) as \"\(quoted(otherName))\", and here it is \"\(quoted(name))\"",
          remedy: "give another \(Setting.output), or recipes that name it alike")
      }
    }
  }

  /// Reads, prepares and writes the cases one by one; the site's folder appears once it is complete, or not at all.
  ///
  /// - Parameter progress: receives each case before it is read; an error thrown by it ends the work.
  /// - Throws: the errors of reading and writing volumes, and `Refusal` for a case that the recipe does not fit.
  package func run(progress: (Case) throws -> Void = { _ in }) throws -> PreparedSite {
    let final = output.appendingPathComponent(site)
    var made: PartialPath?
    var facts: [PreparedCaseFacts] = []
    for scan in pairs.cases {
      try progress(scan)
      let prepared = try recipe.prepare(scan, crops: crops)
      // Create the folder only after the recipe has fitted the first case.
      let folder = try made ?? PartialPath(folder: final)
      made = folder
      try write(prepared, scan.name, to: folder.url)
      facts.append(prepared.facts)
    }
    let result = PreparedSite(
      version: version, site: site, recipeName: recipeName, recipe: recipe, isCroppedByLabels: crops, pairs: pairs,
      cases: facts)
    let partial = try made ?? PartialPath(folder: final)
    try writeAtomically(prettyJSON(result), to: partial.url.appendingPathComponent(PreparedSite.fileName))
    try partial.rename(to: final)
    return result
  }

  private func write(_ prepared: CaseByRecipe, _ name: String, to folder: URL) throws {
    for (index, image) in prepared.images.enumerated() {
      let channel = prepared.images.count == 1 ? "" : String(format: "_%04d", index)
      try image.writeCompactly(to: folder.appendingPathComponent("\(name)\(channel).nii.gz"))
    }
    try prepared.labels.write(to: folder.appendingPathComponent("\(name)_segmentation.nii.gz"))
  }
}
