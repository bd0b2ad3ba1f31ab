import Foundation
import Testing

/// Options that cannot work are refused before any data are read: here there are none.
@Suite struct EarlyRefusalTests {
  let folder: TemporaryFolder
  private let disk: SmallDisk

  init() throws {
    folder = try TemporaryFolder()
    disk = try SmallDisk(mebibytes: 1)
  }

  private static let options = [
    ("--size 96", "--size has 1 number; give height and width in pixels, for example 384,384."),
    ("--size 96,100", "The network's size 96×100 must be multiples of 16 from 16 to 4096, such as 96×112."),
    ("--spacing 0,1", "The spacing 0.0×1.0 mm must lie between 0.001 and 1000 mm, such as 0.625×0.625."),
    ("--window 5", "--window has 1 number; give the lowest and highest intensity, for example -125,275."),
  ]

  @Test(
    arguments: options + [
      ("--width 20 --norm gn", "Group norm works on 16 groups, so the width must be a multiple of it, not 20."),
      (
        "--width 4 --reduction 9",
        "The reduction is 9; choose 1 to the width, 4, so that a dual layer keeps a hidden channel."
      ),
      ("--init /no/such", "/no/such: there is no such file or folder; give a run folder or a file of weights."),
    ]) func train(options: String, sentence: String) throws
  {
    try expectRefusal(
      sentence,
      of: ["train", "--data", "/no/data", "--output", folder.file("run").path]
        + options.split(separator: " ").map(String.init))
  }

  @Test(
    arguments: options + [
      ("--width 20 --methods gn", "gn: Group norm works on 16 groups, so the width must be a multiple of it, not 20.")
    ])
  func experiment(options: String, sentence: String) throws {
    let methods = options.contains("--methods") ? [] : ["--methods", "bn"]
    try expectRefusal(
      sentence,
      of: ["experiment", "matrix", "--data", "/no/data", "--output", folder.file("run").path] + methods
        + options.split(separator: " ").map(String.init))
  }

  @Test(arguments: options) func importing(options: String, sentence: String) throws {
    try expectRefusal(
      sentence,
      of: ["import", "/no/such.pth", "--output", folder.file("run").path]
        + options.split(separator: " ").map(String.init))
  }

  /// A file in the way, a file above, and a place where nobody may write.
  @Test func outputs() throws {
    let file = folder.file("file").path
    try Data("mine".utf8).write(to: folder.file("file"))
    let verbs: [([String], String)] = [
      (["train", "--data", "/no/data"], "--output"), (["import", "/no/such.pth"], "--output"),
      (["experiment", "matrix", "--data", "/no/data", "--methods", "bn"], "--output"),
      (["prepare", "--recipe", "btcv-8-organs", "--images", "/no", "--labels", "/no", "--site", "A"], "--output"),
      (["check", try Tiny.data.path], "--fix"),
    ]
    for (words, option) in verbs {
      try expectRefusal("\(file): is a file; give a folder for \(option).", of: words + [option, file])
      let below = file + "/run"
      try expectRefusal(
        "\(below): cannot be made; give a folder for \(option) that you may write to.", of: words + [option, below])
      guard try disk.lock() else { continue }
      let locked = disk.file("new/run").path
      try expectRefusal(
        "\(locked): cannot be made; give a folder for \(option) that you may write to.", of: words + [option, locked])
    }
    try expectRefusal(
      "--output \(file)/page.html: \(file) is a file; give a place in a folder.",
      of: ["report", Tiny.run.path, "--output", file + "/page.html"])
    #expect(contents(of: folder.url) == ["file"])
  }

  @Test func goingOnWhereNobodyMayWrite() throws {
    let run = disk.file("run")
    try FileManager.default.createDirectory(at: run, withIntermediateDirectories: true)
    guard try disk.lock(), disk.isReal else { return }
    try expectRefusal(
      "\(run.path): cannot be read and written (Read-only file system); get the right to, or take a copy.",
      of: ["train", "--resume", run.path])
  }
}
