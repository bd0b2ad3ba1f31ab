import Foundation
import MedicalImaging
import Testing

@testable import DualNorm

/// A model of volumes in one orientation turns other volumes to it.
@Suite struct PredictOrientationTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func predict(_ run: RunFolder, _ input: URL, _ output: String, _ options: [String] = []) throws -> URL {
    let result = try dualnorm(
      ["predict", "--model", run.url.path, "--input", input.path, "--output", folder.file(output).path, "--quiet"]
        + options)
    #expect(result.status == 0 && messagesBesideWarnings(result.errors) == "")
    return folder.file(output)
  }

  /// Mirrored volumes, volumes turned by 180°, and volumes with exchanged axes, whose slices differ.
  @Test(arguments: ["RPS", "RAS", "LPI", "PLS", "SAL"]) func aTurnedVolumeGetsTheSameMask(code: String) throws {
    let run = RunFolder(try Tiny.runOfOneSite)
    let image = try Tiny.data.appendingPathComponent("Site-A/Case00.nii.gz")
    let stored = try Image(contentsOf: image)
    let orientation = stored.geometry.orientation
    #expect(try run.readDescription().preparation.orientation == orientation)
    let turn = try #require(Orientation(code: code))
    #expect(turn != orientation && turn.code == code)
    try stored.reoriented(to: turn).write(to: folder.file("turned.nii"))
    let mask = try LabelMap(contentsOf: predict(run, image, "mask.nii", ["--probabilities"]))
    let turned = try LabelMap(contentsOf: predict(run, folder.file("turned.nii"), "turned-mask.nii"))
    #expect(turned.geometry == (try Image(contentsOf: folder.file("turned.nii"))).geometry)
    #expect(turned.reoriented(to: orientation).voxels == mask.voxels)
    #expect(mask.voxels.contains { $0 > 0 })
    #expect(mask.geometry == stored.geometry)
  }

  /// Sites of different orientations give the model none, so volumes stay as they are.
  @Test func mixedVolumesAreTakenAsTheyAre() throws {
    #expect(try RunFolder(Tiny.run).readDescription().preparation.orientation == nil)
  }

  @Test func refusesAnOrientationThatIsNone() throws {
    let run = RunFolder(folder.file("run"))
    try FileManager.default.copyItem(at: Tiny.runOfOneSite, to: run.url)
    let text = try String(contentsOf: run.description, encoding: .utf8)
    try Data(text.replacing(/"orientation" : "..."/, with: #""orientation" : "LRS""#).utf8).write(to: run.description)
    let result = try dualnorm(
      "predict", "--model", run.url.path, "--input", Tiny.data.path, "--output", folder.file("out").path)
    #expect(result.status == 1)
    #expect(
      result.errors
        == "Error: \(run.description.path): The preparation's orientation is \"LRS\", expected one letter each of L or R, P or A, "
        + "S or I, such as LPS.\n")
  }
}
