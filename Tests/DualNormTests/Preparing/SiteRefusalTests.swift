import Foundation
import MedicalImaging
import Testing

@testable import Basics
@testable import Datasets

/// Sources and outputs that cannot be prepared; nothing may remain.
@Suite struct SiteRefusalTests {
  let folder: DataFolder
  private var output: URL { folder.url.appendingPathComponent("data") }
  private var mask: URL { url("labels/b.nii.gz") }
  private var image: URL { url("images/b.nii.gz") }
  private static let geometry = Geometry(size: [8, 8, 3], spacingMM: [1, 1, 2], originMM: [0, 5, 0])

  /// Creates two cases: rows 0 to 3 have label 1 and a uniform intensity, the others a gradient.
  init() throws {
    folder = try DataFolder()
    for name in ["a", "b"] {
      let image: Image = volume(Self.geometry) { x, y, z in y < 4 ? 50 : Float(100 + 40 * x + y + z) }
      try image.write(to: url("images/\(name).nii.gz"))
      try labels().write(to: url("labels/\(name).nii.gz"))
    }
  }

  private func url(_ name: String) -> URL { folder.url.appendingPathComponent(name) }

  private func labels(_ geometry: Geometry = geometry, upsideDown: Bool = false) -> LabelMap {
    volume(geometry) { _, y, _ in (y < 4) != upsideDown ? 1 : 0 }
  }

  private func prepare(_ recipe: String = "flip-y: false", site: String = "X", training: Bool = false) throws
    -> PreparedSite
  {
    try folder.write(recipe + "\n", to: "recipe.yaml")
    return try SitePreparation(
      recipe: url("recipe.yaml").path, images: url("images"), labels: url("labels"), site: site, output: output,
      training: training, version: "test"
    ).run()
  }

  private func expectRefusal(_ message: String, _ recipe: String, training: Bool = false) {
    #expect(sentence { try prepare(recipe, training: training) } == message)
    let left = (try? FileManager.default.contentsOfDirectory(atPath: output.path)) ?? []
    #expect(left.isEmpty)
  }

  @Test func aMaskThatIsNotOnItsImagesGrid() throws {
    var moved = Self.geometry
    moved.originMM.y = -5
    try labels(moved).write(to: mask)
    let refusal =
      "\(mask.path): does not lie on the voxels of its image \(image.path): origin differs by 10 mm along y; resample the "
      + "mask onto the image or correct the wrong header."
    expectRefusal(refusal, "flip-y: false")
    #expect(try prepare("header-from: images").cases.count == 2)
    #expect(try Image(contentsOf: output.appendingPathComponent("X/b.nii.gz")).geometry.originMM.y == 5)
    try FileManager.default.removeItem(at: output)
    _ = try prepare("header-from: labels")
    #expect(try Image(contentsOf: output.appendingPathComponent("X/b.nii.gz")).geometry.originMM.y == -5)
    try FileManager.default.removeItem(at: output)
    try labels(Geometry(size: [8, 8, 2])).write(to: mask)
    expectRefusal(
      "\(mask.path): does not lie on the voxels of its image \(image.path): size 8×8×2 against 8×8×3; resample the mask onto "
        + "the image or correct the wrong header.", "header-from: images")
  }

  /// If headers are wrong, the covered intensities reveal labels that are upside down.
  @Test func labelsUpsideDown() throws {
    try labels(upsideDown: true).write(to: mask)
    expectRefusal(
      "\(mask.path): its labels fit their image much better with the rows in the other order (standard deviation within "
        + "labels 0 against 91.662); add labels to flip-y-voxels in the recipe.", "header-from: images")
    try labels(upsideDown: true).write(to: url("labels/a.nii.gz"))
    #expect(try prepare("{header-from: images, flip-y-voxels: [labels]}").cases.count == 2)
    try FileManager.default.removeItem(at: output)
    try labels().write(to: url("labels/a.nii.gz"))
    expectRefusal(
      "\(url("labels/a.nii.gz").path): its labels fit their image much better with the rows in the other order (standard "
        + "deviation within labels 0 against 91.662); take labels out of flip-y-voxels in the recipe.",
      "{header-from: images, flip-y-voxels: [labels]}")
  }

  @Test func casesThatTheRecipeDoesNotFit() throws {
    expectRefusal(
      "\(url("labels/a.nii.gz").path): holds no label that the recipe keeps, so there are no slices to crop to; leave the "
        + "case out, or prepare without --training.", "{crop-margin: 1, labels: [{name: liver, from: [6], to: 1}]}",
      training: true)
    try Image(repeating: 7, geometry: Self.geometry).write(to: image)
    expectRefusal(
      "\(image.path): every voxel is 7, expected an image with contrast; leave this case out or restore the file.",
      "flip-y: false")
    try Data("no volume".utf8).write(to: image)
    #expect(sentence { try prepare() }.hasPrefix("\(image.path): "))
    #expect(try FileManager.default.contentsOfDirectory(atPath: output.path).isEmpty)
  }

  @Test func trainingWithoutAMargin() {
    expectRefusal(
      "--training crops to the labelled slices, and the recipe \(url("recipe.yaml").path) has no crop-margin; leave "
        + "--training out.", "flip-y: false", training: true)
  }

  @Test func namesThatAreNoFolders() {
    for site in ["a/b", "", ".hidden"] {
      #expect(
        sentence { try prepare(site: site) }
          == "--site \"\(site)\" cannot name a folder; give at most 200 bytes without slashes, control characters and a "
          + "leading dot.")
    }
  }

  @Test func anOutputMayHoldOtherSitesOnly() throws {
    let liver = "labels: [{name: liver, from: [1], to: 1}]"
    _ = try prepare(liver)
    _ = try prepare(liver, site: "Y")
    #expect(try Dataset(contentsOf: output).sites == ["X", "Y"])
    #expect(
      sentence { try prepare(liver, site: "Y") }
        == "\(output.path)/Y: is there already; give another --site, or delete this one first.")
    #expect(
      sentence { try prepare("labels: [{name: spleen, from: [1], to: 1}]", site: "Z") }
        == "\(output.path)/X: was prepared with label 1 as \"liver\", and here it is \"spleen\"; give another --output, or "
        + "recipes that name it alike.")
    try Data().write(to: output.appendingPathComponent("notes.txt"))
    #expect(
      sentence { try prepare(liver, site: "Z") }
        == "\(output.path): holds notes.txt, which is no folder of a site; give a new folder for --output, or one with other "
        + "sites.")
    #expect(try Dataset(contentsOf: output).sites == ["X", "Y"])
  }

  @Test func sitesThatNameALabelDifferently() throws {
    _ = try prepare("labels: [{name: liver, from: [1], to: 1}]")
    _ = try prepare("labels: [{name: liver, from: [1], to: 1}]", site: "Y")
    let file = output.appendingPathComponent("Y/prepared.json")
    let text = try String(contentsOf: file, encoding: .utf8)
    try Data(text.replacingOccurrences(of: "liver", with: "spleen").utf8).write(to: file)
    #expect(
      sentence { try Dataset(contentsOf: output) }
        == "\(file.path): label 1 is \"spleen\" here and \"liver\" in another site; prepare the sites with recipes that name "
        + "it alike.")
    let invalid = text.replacingOccurrences(of: #""to"\s*:\s*1"#, with: #""to" : 0"#, options: .regularExpression)
    try Data(invalid.utf8).write(to: file)
    #expect(
      sentence { try Dataset(contentsOf: output) }
        == "\(file.path): labels: \"liver\" maps from and to values above 0, 0 is background; correct it.")
    try Data("{}".utf8).write(to: file)
    #expect(
      sentence { try Dataset(contentsOf: output) }.hasPrefix("\(file.path): is not what dualnorm prepare writes ("))
    // If one site has no names, the others get none either.
    try FileManager.default.removeItem(at: file)
    #expect(try Dataset(contentsOf: output).labelNames.isEmpty)
  }

  private struct Stop: Error {}

  @Test func aStoppedPreparationLeavesNoSite() throws {
    let preparation = try SitePreparation(
      recipe: "prostate", images: url("images"), labels: url("labels"), site: "X", output: output, version: "test")
    #expect(throws: Stop.self) { try preparation.run { if $0.name == "b" { throw Stop() } } }
    #expect(try FileManager.default.contentsOfDirectory(atPath: output.path).isEmpty)
    // Files of a killed process do not matter.
    try folder.write("", to: "data/\(PartialName(process: 1).text)/old.nii.gz")
    #expect(try preparation.run().cases.map(\.name) == ["a", "b"])
    #expect(try FileManager.default.contentsOfDirectory(atPath: output.path) == ["X"])
  }
}
