import Foundation
import Testing

/// Impossible options are refused before any data are read; here there are no data.
@Suite struct EarlyRefusalTests {
  let folder: TemporaryFolder
  private let disk: SmallDisk

  init() throws {
    folder = try TemporaryFolder()
    disk = try SmallDisk(mebibytes: 1)
  }

  private static let options = [
    (
      "--size 96",
      "--size is 96; give two numbers, height and width in pixels, for example 384,384, or three, depth first."
    ),
    ("--size 96,100", "The network's size 96×100 must be multiples of 16 from 16 to 4096, such as 96×112."),
    ("--spacing 0,1", "The spacing 0.0×1.0 mm must lie between 0.001 and 1000 mm, such as 0.625×0.625."),
    ("--window 5", "--window is 5.0; give two numbers, the lowest and highest intensity, for example -125,275."),
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

  /// Outputs blocked by a file, below a file, and in a folder without write access.
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
        "\(locked): cannot be made\(disk.reasonOfLock); give a folder for \(option) that you may write to.",
        of: words + [option, locked])
    }
    try expectRefusal(
      "--output \(file)/page.html: \(file) is a file; give a place in a folder.",
      of: ["report", Tiny.run.path, "--output", file + "/page.html"])
    #expect(contents(of: folder.url) == ["file"])
  }

  /// Every verb that writes, with and without an existing folder.
  @Test func aReadOnlyDiskIsSaidToBeOne() throws {
    guard try disk.lock(), disk.isReal else { return print("no disk can be mounted here") }
    let (data, scan) = try (Tiny.data.path, Tiny.data.appendingPathComponent("Site-A/Case01.nii.gz").path)
    let end = ", since its disk is read-only (Read-only file system); choose another output."
    let mask = scan.replacingOccurrences(of: ".nii", with: "_segmentation.nii")
    let score = ["score", "--prediction", mask, "--reference", mask, "--output"]
    let deep = disk.file("new/deep")
    for file in [disk.file("a.csv"), deep.appendingPathComponent("a.csv")] {
      try expectRefusal("\(disk.folder.path): cannot be written\(end)", of: score + [file.path])
    }
    try expectRefusal(
      "\(deep.path)/data/Site-A: this folder cannot be made\(end)",
      of: ["phantom", "--output", deep.path + "/data", "--size", "32x32x4", "--cases", "1", "--quiet"])
    let predict = ["predict", "-m", try Tiny.run.path, "-i", scan, "--threads", "1", "-o"]
    for place in ["mask.nii.gz", "new/deep/mask.nii.gz"] {
      try expectRefusal("\(disk.folder.path): cannot be written\(end)", of: predict + [disk.file(place).path])
    }
    try expectRefusal(
      "\(deep.path): cannot be made, since its disk is read-only; give a folder for --output that you may "
        + "write to.", of: ["evaluate", "-m", Tiny.run.path, "--data", data, "-o", deep.path, "--threads", "1"])
    try expectRefusal(
      "\(disk.folder.path): cannot be written to, since its disk is read-only; give a folder for --output that you may "
        + "write to.", of: ["train", "--data", data, "--output", disk.folder.path] + Tiny.quick)
    try expectRefusal(
      "--output \(disk.folder.path)/a.html: \(disk.folder.path) cannot be written to, since its disk is read-only; give a "
        + "folder that you may write to.", of: ["report", Tiny.run.path, "--output", disk.file("a.html").path])
  }

  /// A file must not replace a pipe that another program reads.
  @Test func pipesAsOutputs() throws {
    let scan = try Tiny.data.appendingPathComponent("Site-A/Case01.nii.gz").path
    let verbs: [([String], String)] = [
      (["score", "--prediction", "/no", "--reference", "/no", "--output"], "a.csv"),
      (["predict", "-m", try Tiny.run.path, "-i", scan, "--threads", "1", "-o"], "a.nii.gz"),
      (["predict", "-m", try Tiny.run.path, "-i", scan, "--threads", "1", "--skip-existing", "-o"], "a.nii"),
      (["report", try Tiny.run.path, "--output"], "a.html"), (["check", try Tiny.data.path, "--report"], "b.html"),
    ]
    for (words, name) in verbs {
      let pipe = folder.file(name).path
      try #require(mkfifo(pipe, 0o600) == 0)
      try expectRefusal(
        "\(pipe): is a pipe, and only a regular file is replaced; choose another output.", of: words + [pipe])
      var status = stat()
      #expect(lstat(pipe, &status) == 0 && status.st_mode & S_IFMT == S_IFIFO)
    }
    #expect(contents(of: folder.url) == verbs.map(\.1).sorted())
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
