import Foundation
import Testing

@testable import Datasets

@Suite struct DataRecipeTests {
  let folder: DataFolder

  init() throws { folder = try DataFolder() }

  /// The recipes are compiled in; this list must equal the folder's contents.
  @Test func everyFileOfTheFolderIsARecipeOfTheProgram() throws {
    let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    let recipes = package.appendingPathComponent("Sources/Datasets/Recipes")
    let files = try FileManager.default.contentsOfDirectory(atPath: recipes.path).sorted()
    #expect(files == DataRecipe.names.map { "\($0).yaml" })
    for name in DataRecipe.names {
      let recipe = try DataRecipe.named(name)
      #expect(try recipe == DataRecipe(yaml: recipes.appendingPathComponent("\(name).yaml")))
      #expect(recipe.resampleSize == [384, 384] && !recipe.description.isEmpty)
      #expect(try DataRecipe.named(recipes.appendingPathComponent("\(name).yaml").path) == recipe)
    }
  }

  @Test func thePublishedLabelsAreThese() throws {
    func map(_ name: String) throws -> [String] {
      try DataRecipe.named(name).labels.map { "\($0.name) \($0.from)→\($0.to)" }
    }
    #expect(try map("prostate") == ["prostate [1, 2]→1"])
    #expect(
      try map("btcv-8-organs") == [
        "spleen [1]→1", "right kidney [2]→2", "left kidney [3]→3", "gallbladder [4]→4", "pancreas [11]→5",
        "liver [6]→6",
        "stomach [7]→7", "aorta [8]→8",
      ])
    let six = [
      "spleen [1]→1", "left kidney [3]→2", "gallbladder [4]→3", "liver [6]→4", "stomach [7]→5", "pancreas [11]→6",
    ]
    #expect(try map("btcv-tcia-6-organs") == six)
    #expect(try map("tcia-6-organs") == six)
    let tcia = try DataRecipe.named("tcia-6-organs")
    #expect(tcia.everyNthSlice == 3 && tcia.flipYVoxels == [.labels] && tcia.headerFrom == .images && !tcia.flipY)
    #expect(tcia.window == [-125, 275] && tcia.cropMargin == 1)
    #expect(try DataRecipe.named("btcv-8-organs").labelNames[5] == "pancreas")
  }

  @Test(arguments: [
    ("lables: []", "the option \"lables\" is unknown; the nearest one is \"labels\"."),
    (
      "labels: [{name: liver, from: [6], two: 4}]",
      "labels: the key \"two\" is unknown; the nearest one is \"to\"."
    ),
    (
      "labels: {liver: 6}",
      "the option \"labels\" has a value of the wrong shape; a value looks like [{name: prostate, from: [1, 2], to: 1}]."
    ),
    (
      "labels: [{name: liver, from: 6, to: 4}]",
      "the option \"labels\" has a value of the wrong shape; a value looks like [{name: prostate, from: [1, 2], to: 1}]."
    ),
    (
      "labels: [{name: liver, from: [6]}]",
      "the option \"labels\" has a value of the wrong shape; a value looks like [{name: prostate, from: [1, 2], to: 1}]."
    ),
    ("crop-margin: one", "the option \"crop-margin\" has a value of the wrong shape; a value looks like 1."),
    ("header-from: both", "the option \"header-from\" has a value of the wrong shape; a value looks like images."),
    (
      "flip-y-voxels: labels",
      "the option \"flip-y-voxels\" has a value of the wrong shape; a value looks like [labels]."
    ),
    ("384", "holds no options; write one a line, for example `window: [-125, 275]`."),
    (
      "window: [275, -125]",
      "window is [275.0, -125.0]; give the lowest and the highest intensity, for example [-125, 275]."
    ),
    ("crop-margin: -1", "crop-margin is -1; give the slices to keep on each side, 0 to 1000."),
    ("every-nth-slice: 0", "every-nth-slice is 0; give 1 (all slices) to 100."),
    (
      "resample-size: [384]",
      "resample-size is [384]; give height and width in pixels, each 8 to 4096, for example [384, 384]."
    ),
    (
      "resample-size: [4, 384]",
      "resample-size is [4, 384]; give height and width in pixels, each 8 to 4096, for example [384, 384]."
    ),
    (
      "labels: [{name: liver, from: [0], to: 4}]",
      "labels: \"liver\" maps from and to values above 0, 0 is background; correct it."
    ),
    (
      "labels: [{name: a, from: [1], to: 1}, {name: b, from: [2], to: 1}]",
      "labels: \"b\" or its value 1 is there twice; list the source's values of one class in one from, for example [1, 2]."
    ),
    (
      "labels: [{name: a, from: [1], to: 1}, {name: b, from: [2, 1], to: 2}]",
      "labels: the source's value 1 is mapped twice; keep one of the two."
    ),
    ("labels: [{name: '', from: [1], to: 1}]", "labels: the label to 1 has no name of one line; give it one."),
  ])
  func refusesAFileOf(yaml: String, message: String) throws {
    try folder.write(yaml + "\n", to: "recipe.yaml")
    let file = folder.url.appendingPathComponent("recipe.yaml").path
    #expect(sentence { try DataRecipe.named(file) } == "\(file): \(message)")
  }

  @Test func refusesWhatIsNeitherRecipeNorFile() {
    #expect(
      sentence { try DataRecipe.named("prostat") }
        == "--recipe prostat: there is no such recipe or file; the nearest recipe is prostate (of btcv-8-organs, "
        + "btcv-tcia-6-organs, prostate and tcia-6-organs).")
    #expect(
      sentence { try DataRecipe.named("/no/such.yaml") }
        == "/no/such.yaml: cannot be read as text; give a YAML file of options.")
  }
}
