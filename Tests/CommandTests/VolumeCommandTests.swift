import Foundation
import MedicalImaging
import Testing

@testable import DualNorm

/// Networks for volumes from the data to the masks: train, resume, evaluate, predict, info, report.
@Suite struct VolumeCommandTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private static let quick = [
    "--dimensions", "3", "--size", "8,16,16", "--width", "2", "--iterations", "6,4", "--validate-every", "4",
    "--batch-size", "2", "--threads", "1", "--precision", "float32", "--quiet",
  ]

  private func train(_ name: String, _ options: [String] = []) throws -> RunFolder {
    let url = folder.file(name)
    let result = try dualnorm(["train", "--data", Tiny.data.path, "--output", url.path] + Self.quick + options)
    #expect(result.status == 0 && messagesBesideWarnings(result.errors) == "")
    return RunFolder(url)
  }

  @Test(arguments: [
    ["--norm", "dsbn"], ["--local-statistics", "measured", "--mask", "hard"], ["--norm", "ln"],
    ["--network", "unet++", "--weight-decay", "0.1"],
  ])
  func everyNormTrainsAndPredicts(options: [String]) throws {
    let run = try train("run", options)
    let scan = try Tiny.data.appendingPathComponent("Site-A/Case01.nii.gz")
    let mask = folder.file("mask.nii.gz")
    let result = try dualnorm(
      "predict", "--model", run.url.path, "--input", scan.path, "--output", mask.path, "--quiet")
    #expect(result.status == 0, "\(result.errors)")
    #expect(try LabelMap(contentsOf: mask).geometry == Image(contentsOf: scan).geometry)
  }

  @Test func aRunIsRecordedResumedAndEvaluated() throws {
    let run = try train("run")
    let again = try train("again")
    #expect(try Data(contentsOf: run.model) == Data(contentsOf: again.model))
    let longer = try train("longer", ["--iterations", "6,8"])
    let description = try run.readDescription()
    #expect(description.network.levels.dimensions == 3 && description.preparation.contextSlices == 1)
    #expect(description.preparation.networkSize == Extent(depth: 8, height: 16, width: 16))
    let configuration = try TrainingConfiguration(yaml: run.configuration)
    #expect(configuration.size == Extent(depth: 8, height: 16, width: 16) && configuration.dimensions == 3)

    let more = try dualnorm("train", "--resume", run.url.path, "--iterations", "6,8", "--quiet")
    #expect(more.status == 0, "\(more.errors)")
    #expect(try String(contentsOf: run.log, encoding: .utf8).split(separator: "\n").count == 15)
    #expect(try longer.readDescription().network == run.readDescription().network)
    let report = folder.file("evaluation")
    let evaluated = try dualnorm(
      "evaluate", "--model", run.url.path, "--data", Tiny.data.path, "--output", report.path, "--adapt", "case",
      "--quiet")
    #expect(evaluated.status == 0, "\(evaluated.errors)")
    #expect(contents(of: report).contains("scores.csv"))
    let page = try dualnorm("report", run.url.path, "--output", folder.file("page.html").path, "--quiet")
    #expect(page.status == 0, "\(page.errors)")
    let info = try dualnorm("info", run.url.path)
    #expect(info.status == 0 && info.output.contains("windows of 8×16×16 (D×H×W)"), "\(info.output)")
  }

  /// A stopped run gives the bits of one that was never stopped, in each stage.
  @Test(.endsSomeTime, arguments: [4, 14]) func aStoppedRunEndsWithTheSameBytes(row: Int) throws {
    let options = ["--iterations", "10,10", "--averaging", "0.9", "--augmentation", "all"]
    let whole = try train("whole", options)
    let run = RunFolder(folder.file("run"))
    let command = try RunningCommand(
      ["train", "--data", Tiny.data.path, "--output", run.url.path] + Self.quick + options)
    func rows() -> Int {
      (try? String(contentsOf: run.log, encoding: .utf8))?.split(separator: "\n").count ?? 0
    }
    while command.isRunning, rows() <= row { usleep(200) }
    command.interrupt()
    let stopped = try command.finish()
    #expect(stopped.status == 130, "\(stopped.errors)")
    let resumed = try dualnorm("train", "--resume", run.url.path, "--quiet")
    #expect(resumed.status == 0, "\(resumed.errors)")
    for file in [\RunFolder.model, \.log, \.last] {
      #expect(try Data(contentsOf: run[keyPath: file]) == Data(contentsOf: whole[keyPath: file]))
    }
  }

  @Test(arguments: ["1024,2048,2048", "4096,4096"]) func aWindowThatNoMemoryHoldsIsRefused(size: String) throws {
    let dimensions = size.split(separator: ",").count
    let output = folder.file("none").path
    let start = Date()
    let result = try dualnorm(
      "train", "--data", Tiny.data.path, "--output", output, "--dimensions", "\(dimensions)", "--size", size, "--width",
      "256", "--batch-size", "64", "--quiet")
    #expect(result.status == 1 && Date().timeIntervalSince(start) < 60)
    let named = size.replacingOccurrences(of: ",", with: "×")
    let lines = result.errors.split(separator: "\n")
    let words = try Regex(
      "^Error: --size is \(named), and a step of 64 windows takes about \\d+ GB of this machine's [\\d.]+ GB; give "
        + "(--size [\\d,]+, or )?a smaller --batch-size or --width\\.$")
    #expect(try words.wholeMatch(in: String(lines.last ?? "")) != nil, "\(result.errors)")
    #expect(!FileManager.default.fileExists(atPath: output))
  }

  /// Cells whose training cases differ share one window, which a resumed experiment keeps.
  @Test func anExperimentPlansOneWindow() throws {
    let data = try Tiny.copyOfData(to: folder.file("data"))
    for name in ["Case00", "Case01"] {
      for suffix in ["", "_segmentation"] {
        let file = data.appendingPathComponent("Site-A/\(name)\(suffix).nii.gz")
        let image = try Image(contentsOf: file)
        var geometry = image.geometry
        geometry.size.z = 3 * image.geometry.size.z
        try Image(voxels: image.voxels + image.voxels + image.voxels, geometry: geometry).writeCompactly(to: file)
      }
    }
    let output = folder.file("experiment")
    let options = Self.quick.filter { !["--size", "8,16,16"].contains($0) } + ["--spacing", "8,8,14"]
    func experiment(_ seeds: String) throws {
      let result = try dualnorm(
        ["experiment", "leave-one-site-out", "--data", data.path, "--methods", "bn", "--seeds", seeds, "--output"]
          + [output.path] + options)
      #expect(result.status == 0, "\(result.errors)")
    }
    try experiment("1")
    try experiment("2")
    let cells = contents(of: output).filter { $0.hasSuffix("/model.json") }
    let windows = try cells.map {
      try RunFolder(output.appendingPathComponent($0).deletingLastPathComponent()).readDescription().preparation
        .networkSize
    }
    #expect(cells.count == 4 && Set(windows).count == 1 && windows[0]?.depth != nil, "\(windows)")
  }

  /// Cells of an experiment with plain and dual norms in 3-D.
  @Test func experimentsCompareMethods() throws {
    let output = folder.file("experiment")
    let result = try dualnorm(
      [
        "experiment", "cross-validate", "--data", Tiny.data.path, "--methods", "bn,dual", "--folds", "2", "--seeds",
        "1",
      ]
        + ["--output", output.path] + Self.quick)
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.output.contains("dual") && contents(of: output).contains("results.csv"))
  }

  /// Windows that abut and windows that overlap by a slice follow each other.
  @Test(arguments: ["0", "0.9"]) func everyOverlapCoversTheVolume(overlap: String) throws {
    let data = folder.file("data")
    let made = try dualnorm(
      "phantom", "--output", data.path, "--size", "32x32x23", "--cases", "2", "--sites", "1", "--quiet")
    #expect(made.status == 0)
    let run = try train("run")
    let scan = data.appendingPathComponent("Site-A/Case00.nii.gz")
    let output = folder.file("out")
    let result = try dualnorm(
      "predict", "--model", run.url.path, "--input", scan.path, "--output", output.path, "--overlap", overlap,
      "--quiet",
      "--probabilities")
    #expect(result.status == 0, "\(result.errors)")
    #expect(try LabelMap(contentsOf: output.appendingPathComponent("Case00.nii.gz")).voxels.count == 32 * 32 * 23)
  }

  @Test func modelsAreExportedAndImported() throws {
    let run = try train("run", ["--local-statistics", "predicted"])
    let scan = try Tiny.data.appendingPathComponent("Site-A/Case02.nii.gz")
    func mask(_ model: URL) throws -> LabelMap {
      let output = folder.file("\(model.lastPathComponent).nii.gz")
      let result = try dualnorm(
        "predict", "--model", model.path, "--input", scan.path, "--output", output.path, "--quiet",
        "--no-largest-component")
      #expect(result.status == 0, "\(result.errors)")
      return try LabelMap(contentsOf: output)
    }
    let exported = folder.file("exported")
    #expect(try dualnorm("export", "--model", run.url.path, "--output", exported.path, "--quiet").status == 0)
    #expect(try mask(exported) == mask(run.url))

    let imported = folder.file("imported")
    let arguments = [
      "import", exported.appendingPathComponent("model.safetensors").path, "--output", imported.path, "--whitening",
      "foreground", "--quiet",
    ]
    let refused = try dualnorm(arguments)
    #expect(refused.status == 1 && refused.errors.contains("is a network of volumes, whose window it does not tell"))
    let result = try dualnorm(arguments + ["--size", "8,16,16"])
    #expect(result.status == 0, "\(result.errors)")
    #expect(try mask(imported) == mask(run.url))
  }

  /// The window and the dual blocks that a run chose are no other options.
  @Test func theSameCommandGoesOn() throws {
    let output = folder.file("run").path
    let arguments =
      ["train", "--data", try Tiny.data.path, "--output", output]
      + Self.quick.filter { !["--size", "8,16,16"].contains($0) }
    #expect(try dualnorm(arguments).status == 0)
    let again = try dualnorm(arguments)
    #expect(again.status == 0, "\(again.errors)")
    let other = try dualnorm(arguments + ["--dual-blocks", "inc"])
    #expect(other.status == 1 && other.errors.contains("--dual-blocks is"), "\(other.errors)")
  }

  @Test func theWindowIsPlannedWithoutTheOption() throws {
    let url = folder.file("planned")
    let result = try dualnorm(
      ["train", "--data", Tiny.data.path, "--output", url.path, "--spacing", "5,5,8"]
        + Self.quick.filter { !["--size", "8,16,16"].contains($0) })
    #expect(result.status == 0, "\(result.errors)")
    let plan = try RunFolder(url).readDescription().preparation
    #expect(plan.networkSize?.depth != nil && plan.resampling == .spacingMM(x: 5, y: 5, z: 8))
    let scan = try Tiny.data.appendingPathComponent("Site-B/Case02.nii.gz")
    let mask = folder.file("mask.nii.gz")
    let predicted = try dualnorm(
      "predict", "--model", url.path, "--input", scan.path, "--output", mask.path, "--quiet", "--probabilities")
    #expect(predicted.status == 0, "\(predicted.errors)")
    #expect(try LabelMap(contentsOf: mask).geometry == Image(contentsOf: scan).geometry)
  }

  @Test(arguments: [
    (
      ["--size", "16,16"], "--size is 16×16, and --dimensions is 3; give depth, height and width, for example 32,64,64"
    ),
    (["--context", "3"], "--context is 3, and --dimensions is 3; leave --context out"),
    (["--resample-size", "32,32"], "--resample-size resamples slices, and --dimensions is 3; give --spacing instead"),
  ])
  func optionsOfSlicesAreRefused(options: [String], sentence: String) throws {
    let output = folder.file("none").path
    let result = try dualnorm(
      ["train", "--data", Tiny.data.path, "--output", output, "--dimensions", "3", "--quiet"] + options)
    #expect(result.status != 0 && result.errors.contains(sentence), "\(result.errors)")
    #expect(!FileManager.default.fileExists(atPath: output))
  }

  @Test func theOtherWayRoundTheyAreRefusedToo() throws {
    for (options, sentence) in [
      (["--size", "8,16,16"], "--size is 8×16×16, and --dimensions is 2; give height and width"),
      (["--spacing", "1,1,1"], "--spacing has three numbers, and --dimensions is 2; give x and y in mm"),
      (["--dimensions", "4"], "--dimensions is 4; give 2 (slices) or 3 (volumes)"),
    ] {
      let result = try dualnorm(
        ["train", "--data", Tiny.data.path, "--output", folder.file("none").path, "--quiet"] + options)
      #expect(result.status == 1 && result.errors.contains(sentence), "\(result.errors)")
    }
  }
}
