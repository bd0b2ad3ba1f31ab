import Basics
package import Foundation

extension DataRecipe {
  /// The names of the built-in recipes, the files of the folder `Recipes`.
  package static var names: [String] { contents.map(\.name) }

  /// The built-in recipes, compiled in so that the binary finds them anywhere.
  private static let contents: [(name: String, yaml: [UInt8])] = [
    ("btcv-8-organs", PackageResources.btcv_8_organs_yaml),
    ("btcv-tcia-6-organs", PackageResources.btcv_tcia_6_organs_yaml),
    ("prostate", PackageResources.prostate_yaml),
    ("tcia-6-organs", PackageResources.tcia_6_organs_yaml),
  ]

  /// A built-in recipe, or the one in a YAML file.
  ///
  /// - Throws: `Refusal` for a name that is neither, or an invalid file, naming the key.
  package static func named(_ nameOrFile: String) throws -> DataRecipe {
    if let known = contents.first(where: { $0.name == nameOrFile }) {
      return try read(String(decoding: known.yaml, as: UTF8.self), file: "Recipes/\(known.name).yaml")
    }
    let isFile = FileManager.default.fileExists(atPath: nameOrFile)
    guard isFile || nameOrFile.contains("/") || nameOrFile.hasSuffix(".yaml") || nameOrFile.hasSuffix(".yml") else {
      throw Refusal(
        .input, "\(Setting.recipe) \(quoted(nameOrFile))", "there is no such recipe or file",
        detail: "the nearest recipe is \(nearest(to: nameOrFile, among: names)) (of \(listed(names, atMost: 10)))")
    }
    return try DataRecipe(yaml: URL(fileURLWithPath: nameOrFile))
  }

  /// - Throws: `Refusal` for an invalid file, naming the key.
  package init(yaml url: URL) throws {
    self = try DataRecipe.file.read(url)
    try validate(file: url.path)
  }

  private static func read(_ text: String, file: String) throws -> DataRecipe {
    let recipe = try self.file.read(text, file: file)
    try recipe.validate(file: file)
    return recipe
  }

  func yaml() throws -> String { try DataRecipe.file.yaml(self) }

  private static var file: OptionsFile<DataRecipe> {
    OptionsFile(
      defaults: { _ in DataRecipe() }, keys: CodingKeys.allCases.map(\.rawValue),
      entryKeys: ["labels": ["name", "from", "to"]],
      sample: "window: [-125, 275]",
      example: { key in CodingKeys(rawValue: key).map { recipeExample(of: $0) } ?? "" })
  }
}

/// An example value of a key as YAML, on one line.
private func recipeExample(of key: DataRecipe.CodingKeys) -> String {
  switch key {
  case .description: "CT of the abdomen"
  case .labels: "[{name: prostate, from: [1, 2], to: 1}]"
  case .window: "[-125, 275]"
  case .cropMargin: "1"
  case .everyNthSlice: "3"
  case .resampleSize: "[384, 384]"
  case .flipY: "true"
  case .flipYVoxels: "[labels]"
  case .headerFrom: "images"
  }
}
