import Foundation
import MedicalImaging
import Testing

@Suite struct PhantomCommandTests {
  let folder: TemporaryFolder
  var output: String { folder.file("phantom").path }

  init() throws { folder = try TemporaryFolder() }

  @Test func writesTheSitesAndPrintsTheFolder() throws {
    let result = try dualnorm(
      "phantom", "--output", output, "--sites", "1", "--unseen", "--cases", "1", "--size", "40x32x4", "--classes", "3")
    #expect(result.status == 0)
    #expect(result.output == "\(output)\n")
    #expect(result.errors == "")  // such short work shows no progress
    let labels = try LabelMap(contentsOf: folder.file("phantom/Site-B/Case00_segmentation.nii.gz"))
    #expect(labels.geometry.size == [40, 32, 4])
    #expect(Set(labels.voxels) == [0, 1, 2, 3])
  }

  @Test func theSeedDecides() throws {
    func image(seed: String, in name: String) throws -> Data {
      let output = folder.file(name).path
      let result = try dualnorm(
        "phantom", "--output", output, "--sites", "1", "--cases", "1", "--size", "32x32x4", "--seed", seed, "--quiet")
      #expect(result.status == 0 && result.errors.isEmpty)
      return try Data(contentsOf: folder.file("\(name)/Site-A/Case00.nii.gz"))
    }
    let first = try image(seed: "7", in: "first")
    #expect(try image(seed: "7", in: "again") == first)
    #expect(try image(seed: "8", in: "other") != first)
  }

  @Test func refusesAFolderWithContents() throws {
    try Data("mine".utf8).write(to: folder.file("notes.txt"))
    try expectRefusal(
      "\(folder.url.path): this folder is not empty, and a phantom is not mixed with other files; choose another "
        + "output.", of: ["phantom", "--output", folder.url.path])
    let file = folder.file("notes.txt").path
    try expectRefusal(
      "\(file): this is a file, and a phantom needs a folder; choose another output.",
      of: ["phantom", "--output", file])
  }

  @Test(arguments: [
    ("--cases is 1 to 1000, not 0.", ["--cases", "0"]),
    ("--cases is 1 to 1000, not 1001.", ["--cases", "1001"]),
    ("--sites is 1 to 26, not 27.", ["--sites", "27"]),
    ("--sites is 1 to 25 with --unseen, not 26.", ["--sites", "26", "--unseen"]),
    ("--classes is 1 to 3, not 4.", ["--classes", "4"]),
    (
      "A phantom of 8x64x16 voxels cannot be made; choose a size from 32x32x4 to 512x512x512.",
      ["--size", "8x64x16"]
    ),
  ])
  func refusesWhatMakesNoPhantom(sentence: String, options: [String]) throws {
    try expectRefusal(sentence, of: ["phantom", "--output", output] + options)
    #expect(!FileManager.default.fileExists(atPath: output))
  }

  @Test func sizesHaveThreeNumbers() throws {
    try expectRefusal(
      "The value '64x64' is invalid for '--size <XxYxZ>'", status: 64,
      of: ["phantom", "--output", output, "--size", "64x64"])
  }
}
