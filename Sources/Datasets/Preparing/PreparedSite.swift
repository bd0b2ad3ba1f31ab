import Basics
import Foundation
import MedicalImaging

/// `prepared.json` of a site's folder: the recipe as applied, and a record of each case.
package struct PreparedSite: Codable, Equatable, Sendable {
  static let fileName = "prepared.json"

  /// The version of the program that wrote it.
  package let version: String
  let site: String
  let recipeName: String
  let recipe: DataRecipe
  /// Tells whether the cases were cropped to their labelled slices, which makes them fit for training only.
  package let isCroppedByLabels: Bool
  /// Cases whose image and mask were paired by their number only.
  package let pairedByNumber: [String]
  /// Files left out because they have no partner.
  let unpaired: [String]
  package let cases: [PreparedCaseFacts]

  /// Reads the site's `prepared.json`; nil if there is none.
  ///
  /// - Throws: `Refusal` for an invalid file or recipe.
  init?(in folder: URL) throws {
    let url = folder.appendingPathComponent(PreparedSite.fileName)
    guard FileManager.default.fileExists(atPath: url.path) else { return nil }
    guard let data = contents(ofRegularFile: url) else {
      throw Refusal(.input, url.path, "cannot be read", remedy: "check its permissions")
    }
    do {
      self = try JSONDecoder().decode(PreparedSite.self, from: data)
    } catch let error as DecodingError {
      throw Refusal(
        .input, url.path, "is not what \(Verb.prepare) writes (\(error.brief))", remedy: "restore or delete the file")
    }
    try recipe.validate(file: url.path)
  }

  init(
    version: String, site: String, recipeName: String, recipe: DataRecipe, isCroppedByLabels: Bool, pairs: SourcePairs,
    cases: [PreparedCaseFacts]
  ) {
    self.version = version
    self.site = site
    self.recipeName = recipeName
    self.recipe = recipe
    self.isCroppedByLabels = isCroppedByLabels
    pairedByNumber = pairs.pairedByNumber.map(\.name)
    unpaired = pairs.unpaired.map(\.path)
    self.cases = cases
  }
}

extension PreparedSite {
  /// Combines the sites of a data set: the labels' names, if every site has them, and the sites cropped by labels.
  ///
  /// - Throws: `Refusal` if two sites give one value different names.
  static func all(in folders: [URL]) throws -> (labelNames: [LabelValue: String], cropped: [String]) {
    let found = try folders.map { (folder: $0, prepared: try PreparedSite(in: $0)) }
    let cropped = found.filter { $0.prepared?.isCroppedByLabels == true }.map {
      $0.folder.standardizedFileURL.lastPathComponent
    }
    var names: [LabelValue: String] = [:]
    for (folder, prepared) in found {
      for (value, name) in (prepared?.recipe.labelNames ?? [:]).sorted(by: { $0.key < $1.key }) {
        if let other = names.updateValue(name, forKey: value), other != name {
          throw Refusal(
            .input, folder.appendingPathComponent(fileName).path,
            "label \(value) is \"\(quoted(name))\" here and \"\(quoted(other))\" in another site",
            remedy: "prepare the sites with recipes that name it alike")
        }
      }
    }
    let areNamed = found.allSatisfy { $0.prepared?.recipe.labels.isEmpty == false }
    return (areNamed ? names : [:], cropped)
  }
}
