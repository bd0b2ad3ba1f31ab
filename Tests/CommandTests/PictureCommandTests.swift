import Foundation
import MedicalImaging
import Testing

@testable import Basics
@testable import DualNorm
@testable import Scores

/// Colour pictures from training to scores: 12 of 32×32 pixels, each with a bright and a red blob; masks hold 0, 100
/// and 255.
@Suite struct PictureCommandTests {
  let folder: TemporaryFolder
  private let data: URL
  private let run: URL
  private let report: String

  init() throws {
    folder = try TemporaryFolder()
    data = folder.file("data")
    run = folder.file("run")
    var generator = SeededGenerator(seed: 3)
    for number in 0..<12 {
      let site = data.appendingPathComponent("Site-\(number < 6 ? "A" : "B")")
      try Self.makePicture(String(format: "Case%02d", number), in: site, &generator)
    }
    let options = "--width 4 --iterations 60,40 --batch-size 4 --learning-rate 0.01 --validate-every 20 --threads 1"
    let result = try dualnorm(
      ["train", "--data", data.path, "--output", run.path] + options.split(separator: " ").map(String.init))
    #expect(result.status == 0, "\(result.errors)")
    report = result.errors
  }

  private static func makePicture(_ name: String, in folder: URL, _ generator: inout SeededGenerator) throws {
    var picture = RGBImage(width: 32, height: 32)
    var mask = LabelMap(repeating: 0, geometry: Geometry(size: [32, 32, 1]))
    let centres = [8, 23].map {
      ($0 + Int.random(in: -2...2, using: &generator), Int.random(in: 9...22, using: &generator))
    }
    for y in 0..<32 {
      for x in 0..<32 {
        let noise = UInt8.random(in: 0...20, using: &generator)
        picture[x, y] = [60 + noise, 90 + noise, 120 + noise]
        for (index, centre) in centres.enumerated()
        where (x - centre.0) * (x - centre.0) + (y - centre.1) * (y - centre.1) < 30 {
          picture[x, y] = index == 0 ? [200 + noise, 210 + noise, 220] : [190 + noise, 40, 30]
          mask[x, y, 0] = index == 0 ? 100 : 255
        }
      }
    }
    try picture.write(to: folder.appendingPathComponent("\(name).png"))
    try mask.write(to: folder.appendingPathComponent("\(name)_mask.png"))
  }

  @Test func fromTrainingToScores() throws {
    #expect(report.contains("1 slice an input.") && !report.contains(" mm"))
    let description = try RunFolder(run).readDescription()
    #expect(description.modalities == ["red", "green", "blue"])
    #expect(description.network.inputChannels == 3 && description.preparation.contextSlices == 1)
    #expect(description.labels.groups == [[100], [255]])
    #expect(try TrainingConfiguration(yaml: RunFolder(run).configuration).context == 1)
    try evaluates()
    try predicts()
    try refuses()
  }

  private func evaluates() throws {
    let output = folder.file("evaluation")
    let result = try dualnorm(
      "evaluate", "--model", run.path, "--data", data.path, "--output", output.path, "--threads", "1", "--split", "all",
      "--quiet")
    #expect(result.status == 0 && result.errors == "")
    for pass in ["predictions", "first-pass"] {
      #expect(contents(of: output.appendingPathComponent("\(pass)/Site-A")) == (0..<6).map { "Case0\($0).png" })
    }
    try isInColourAndPixels(output)
    let scored = try dualnorm(
      "score", "--prediction", output.appendingPathComponent("predictions").path, "--reference", data.path, "--output",
      folder.file("scores.csv").path, "--quiet")
    #expect(scored.status == 0 && scored.errors == "")
    let own = try String(contentsOf: output.appendingPathComponent("scores.csv"), encoding: .utf8)
    let final = own.split(separator: "\n").filter { $0.contains(",final,") }
    let again = try String(contentsOf: folder.file("scores.csv"), encoding: .utf8).split(separator: "\n").dropFirst()
    #expect(final.count == 24 && again.count == 24)
    // There the class is named by its value. Only this table has the split's side.
    func dice(_ row: Substring, from place: Int) -> ArraySlice<Substring> {
      row.split(separator: ",", omittingEmptySubsequences: false).dropFirst(place)
    }
    #expect(Set(final.map { dice($0, from: 6) }) == Set(again.map { dice($0, from: 5) }))
  }

  /// The pictures of sheet and page are in colour, and no length is in mm.
  private func isInColourAndPixels(_ evaluation: URL) throws {
    let sheet = try Image.channels(contentsOf: evaluation.appendingPathComponent("sheet.png")).map(\.voxels)
    // The blue background, which has 60, 90 and 120 in the files.
    #expect(sheet[0].indices.count { sheet[2][$0] > sheet[1][$0] + 20 && sheet[1][$0] > sheet[0][$0] + 20 } > 10_000)
    let page = folder.file("page.html")
    #expect(
      try dualnorm("report", evaluation.path, "--output", page.path, "--threads", "1", "--quiet").status == 0)
    let html = try String(contentsOf: page, encoding: .utf8)
    #expect(html.contains("ASSD px") && html.contains("NSD 2 px"))
    #expect(!html.contains(" mm"), "\(html.components(separatedBy: " mm")[0].suffix(80)) mm")
    let pictures = html.matches(of: #/data:image\/png;base64,([^"]+)/#).compactMap { Data(base64Encoded: String($0.1)) }
    let isColour = pictures.map { $0[25] == 2 }  // the colour type of a PNG's header
    #expect(isColour.count > 6 && isColour.prefix(6).allSatisfy { $0 })
    let check = try dualnorm("check", data.path, "--report", page.path, "--quiet")
    #expect(check.status == 0 && check.output.contains("size   32 × 32 pixels") && !check.output.contains(" mm"))
    #expect(try !String(contentsOf: page, encoding: .utf8).contains(" mm"))
    #expect(try dualnorm("check", data.path, "--format", "json").output.contains("\"lengthUnit\" : \"px\""))
  }

  private func predicts() throws {
    let input = data.appendingPathComponent("Site-B/Case07.png").path
    let predict = ["predict", "--model", run.path, "--threads", "1", "--quiet"]
    let one = try dualnorm(
      predict + ["--input", input, "--output", folder.file("one/mask.png").path, "--first-pass", "--probabilities"])
    #expect(one.status == 0 && one.errors == "")
    #expect(
      contents(of: folder.file("one")) == [
        "mask.png", "mask_first.png", "mask_first_probabilities.nii.gz", "mask_probabilities.nii.gz",
      ])
    let mask = try LabelMap(contentsOf: folder.file("one/mask.png"))
    #expect(Set(mask.voxels) == [0, 100, 255] && mask.geometry == Geometry(size: [32, 32, 1]))
    let all = try dualnorm(predict + ["--input", data.path, "--output", folder.file("all").path])
    #expect(all.status == 0 && all.errors == "")
    #expect(try LabelMap(contentsOf: folder.file("all/Site-B/Case07.png")) == mask)
    let nifti = try dualnorm(predict + ["--input", input, "--output", folder.file("mask.nii.gz").path])
    #expect(nifti.status == 0)
    #expect(try LabelMap(contentsOf: folder.file("mask.nii.gz")) == mask)
  }

  private func refuses() throws {
    let grey = fixtures.appendingPathComponent("images/grey8.png").path
    let predict = ["predict", "--model", run.path, "--threads", "1"]
    let output = folder.file("none")
    try expectRefusal(
      "\(grey): is grey, so it has 1 channel, and the model takes 3 (red, green, blue); convert it, or use a model of such "
        + "pictures.", of: predict + ["--input", grey, "--output", output.path])
    let input = data.appendingPathComponent("Site-B/Case07.png").path
    try expectRefusal(
      "\(output.path).mha: masks are written as PNG or NIfTI; name the output .png, .nii.gz or .nii, or give a folder.",
      of: predict + ["--input", input, "--output", output.path + ".mha"])
    try expectRefusal(
      "\(input): is an input that --output would overwrite; give another --output.",
      of: predict + ["--input", input, "--output", input])
    #expect(!FileManager.default.fileExists(atPath: output.path))
  }

}

@Suite struct PictureRefusalCommandTests {
  @Test func aModelOfVolumesRefusesColourAndPNG() throws {
    let folder = try TemporaryFolder()
    let colour = fixtures.appendingPathComponent("images/rgb8.png").path
    let predict = try ["predict", "--model", Tiny.run.path, "--threads", "1"]
    try expectRefusal(
      "\(colour): is in colour, so it has 3 channels, and the model takes 1 (image); convert it, or use a model of such "
        + "pictures.", of: predict + ["--input", colour, "--output", folder.file("none").path])
    let mask = folder.file("mask.png").path
    try expectRefusal(
      "\(mask): masks of volumes are written as NIfTI; name the output .nii.gz or .nii.",
      of: predict + ["--input", Tiny.data.appendingPathComponent("Site-A/Case01.nii.gz").path, "--output", mask])
  }
}
