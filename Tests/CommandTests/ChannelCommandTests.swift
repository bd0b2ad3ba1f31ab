import Foundation
import MedicalImaging
import Testing

@testable import DualNorm

/// A made data set of two modalities in one 4-D file a case, as Decathlon's BrainTumour and Prostate are.
@Suite struct ChannelCommandTests {
  let folder: TemporaryFolder
  private var data: URL { folder.file("Task01_Made") }

  init() throws { folder = try TemporaryFolder() }

  /// The first modality shows the phantom's image, the second noise and the class, which the first does not show.
  private func makeData() throws {
    var entries: [String] = []
    for (number, name) in ["Site-A/Case00", "Site-A/Case01", "Site-A/Case02", "Site-B/Case00"].enumerated() {
      let source = try Tiny.data.appendingPathComponent(name)
      let image = try Image(contentsOf: URL(fileURLWithPath: source.path + ".nii.gz"))
      let grid = image.geometry
      var mask = LabelMap(repeating: 0, geometry: grid)
      for index in mask.voxels.indices {
        let (x, y) = (index % grid.size.x, index / grid.size.x % grid.size.y)
        let (left, top) = (5 + 3 * number, 17 - 3 * number)
        mask.voxels[index] = (left..<left + 10).contains(x) && (top..<top + 8).contains(y) ? 1 : 0
      }
      let second = ramp(like: image) { mask.voxels[$0] == 1 ? 400 : 0 }
      let file = "case\(number).nii.gz"
      try FileManager.default.createDirectory(
        at: data.appendingPathComponent("imagesTr"), withIntermediateDirectories: true)
      try writeChannelsCompactly([image, second], to: data.appendingPathComponent("imagesTr/\(file)"))
      try mask.write(to: data.appendingPathComponent("labelsTr/\(file)"))
      entries.append("{\"image\": \"./imagesTr/\(file)\", \"label\": \"./labelsTr/\(file)\"}")
    }
    let json = """
      {"name": "Made", "tensorImageSize": "4D", "modality": {"0": "T2", "1": "ADC"},
      "labels": {"0": "background", "1": "hidden"}, "training": [\(entries.joined(separator: ", "))]}
      """
    try Data(json.utf8).write(to: data.appendingPathComponent("dataset.json"))
  }

  private func run(_ arguments: String...) throws -> String {
    let result = try dualnorm(arguments)
    #expect(result.status == 0 && messagesBesideWarnings(result.errors) == "", "\(result.errors)")
    return result.output
  }

  private func dice(_ a: LabelMap, _ b: LabelMap) -> Double {
    let both = zip(a.voxels, b.voxels).count { $0 > 0 && $1 > 0 }
    return 2 * Double(both) / Double(a.voxels.count { $0 > 0 } + b.voxels.count { $0 > 0 })
  }

  @Test func bothModalitiesReachTheNetwork() throws {
    try makeData()
    let report = try run("check", data.path, "--fix", folder.file("copy").path)
    #expect(report.contains("T2") && report.contains("ADC"), "\(report)")
    #expect(contents(of: folder.file("copy/imagesTr")) == (0..<4).map { "case\($0).nii.gz" })
    let output = folder.file("run")
    let trained = try dualnorm(["train", "--data", data.path, "--output", output.path] + Tiny.learning)
    #expect(trained.status == 0 && messagesBesideWarnings(trained.errors) == "", "\(trained.errors)")
    let description = try RunFolder(output).readDescription()
    #expect(description.modalities == ["T2", "ADC"] && description.network.inputChannels == 6)

    _ = try run(
      "evaluate", "--model", output.path, "--data", data.path, "--output", folder.file("scores").path, "--threads",
      "1", "--quiet")
    let file = data.appendingPathComponent("imagesTr/case3.nii.gz")
    let truth = try LabelMap(contentsOf: data.appendingPathComponent("labelsTr/case3.nii.gz"))
    let mask = folder.file("mask.nii")
    _ = try run(
      "predict", "--model", output.path, "--input", file.path, "--output", mask.path, "--threads", "1", "--quiet")
    let found = try LabelMap(contentsOf: mask)
    #expect(dice(found, truth) > 0.8, "\(dice(found, truth))")
    #expect(found.geometry == truth.geometry)
    #expect(Array(try Data(contentsOf: mask)[40..<50]) == [3, 0, 32, 0, 32, 0, 4, 0, 1, 0])
    #expect(try LabelMap(contentsOf: folder.file("scores/predictions/Made/case3.nii.gz")) == found)

    // A folder of such files, and the modalities in files of their own, give the same mask.
    let channels = try Image.channels(contentsOf: file)
    let scans = folder.file("scans")
    try FileManager.default.createDirectory(at: scans, withIntermediateDirectories: true)
    try FileManager.default.copyItem(at: file, to: scans.appendingPathComponent("case3.nii.gz"))
    _ = try run(
      "predict", "--model", output.path, "--input", scans.path, "--output", folder.file("out").path, "--threads", "1",
      "--quiet", "--preview")
    #expect(contents(of: folder.file("out")) == ["case3.nii.gz", "case3_preview.png"])
    #expect(try LabelMap(contentsOf: folder.file("out/case3.nii.gz")) == found)
    for (index, channel) in channels.enumerated() { try channel.write(to: folder.file("c_000\(index).nii")) }
    _ = try run(
      "predict", "--model", output.path, "--input", folder.file("c_0000.nii").path, "--input",
      folder.file("c_0001.nii").path, "--output", folder.file("apart.nii").path, "--threads", "1", "--quiet")
    #expect(try LabelMap(contentsOf: folder.file("apart.nii")).voxels == found.voxels)

    // Without the second modality the class is not seen.
    let blind = folder.file("blind.nii")
    try writeChannels([channels[0], ramp(like: channels[1]) { _ in 0 }], to: blind)
    _ = try run(
      "predict", "--model", output.path, "--input", blind.path, "--output", mask.path, "--threads", "1", "--quiet")
    let unseen = dice(try LabelMap(contentsOf: mask), truth)
    #expect(unseen < 0.3, "\(unseen)")
    try refusals(of: output, file, channels)
  }

  /// Regular noise, and what `body` adds at each voxel.
  private func ramp(like image: Image, adding body: (Int) -> Float) -> Image {
    let voxels = image.voxels.indices.map { Float($0 * 7919 % 101) + body($0) }
    return Image(voxels: voxels, geometry: image.geometry)
  }

  private func refusals(of model: URL, _ file: URL, _ channels: [Image]) throws {
    let three = folder.file("three.nii.gz")
    try writeChannels(channels + [channels[0]], to: three)
    let arguments = ["predict", "--model", model.path, "--output", folder.file("none.nii").path, "--input"]
    try expectRefusal(
      "\(three.path): holds 3 channels, and the model takes 2 (T2, ADC); give a file of these, or one file for each.",
      of: arguments + [three.path])
    try expectRefusal(
      "--input names 1 files, and the model takes 2; give one a modality, in order.",
      of: arguments + [folder.file("c_0000.nii").path])
    // Both channels count, as they are read and as they are taken apart.
    try expectRefusal(
      "\(file.path): its 32×32×4×2 voxels take 6.6e-05 GB, and a volume may take 6.5e-05 GB (--memory); crop or resample "
        + "it.", of: arguments + [file.path, "--memory", "6.5e-5"])
  }
}
