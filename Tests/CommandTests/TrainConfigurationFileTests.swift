import Foundation
import Testing
import Torch

@testable import DualNorm
@testable import DualNormCLI

@Suite struct TrainConfigurationFileTests {
  let folder: TemporaryFolder
  private var file: URL { folder.file("options.yaml") }
  private var run: RunFolder { RunFolder(folder.file("run")) }

  init() throws { folder = try TemporaryFolder() }

  private static let yaml = """
    width: 4
    iterations: [2, 2]
    batch-size: 2
    validate-every: 2
    threads: 1
    precision: float32
    dual-blocks: [inc, mid]
    merge-labels: [[1, 2]]
    mask: hard
    seed: 5
    """

  private func write(_ yaml: String) throws { try Data(yaml.utf8).write(to: file) }

  @Test func optionsAreThoseOfTheCommandLine() throws {
    try write(Self.yaml + "\ndata: \(Tiny.data.path)")
    let fromFile = try dualnorm("train", "--config", file.path, "--output", run.url.path, "--quiet")
    #expect(fromFile.status == 0 && messagesBesideWarnings(fromFile.errors) == "")
    let other = RunFolder(folder.file("other"))
    let given = try dualnorm(
      ["train", "--data", Tiny.data.path, "--output", other.url.path] + Tiny.quick
        + ["--dual-blocks", "inc,mid", "--merge-labels", "1,2", "--mask", "hard", "--seed", "5"])
    #expect(given.status == 0 && messagesBesideWarnings(given.errors) == "")
    for file in [\RunFolder.configuration, \.model, \.log, \.description] {
      #expect(try Data(contentsOf: run.url(file)) == Data(contentsOf: other.url(file)))
    }
    #expect(try run.readDescription().network.dual?.blocks == [.inc, .mid])
  }

  @Test func commandLineWins() throws {
    try write(Self.yaml + "\ndata: /no/such")
    let result = try dualnorm(
      "train", "--config", file.path, "--data", Tiny.data.path, "--output", run.url.path, "--width", "6",
      "--dual-blocks",
      "down1", "--quiet")
    #expect(result.status == 0 && messagesBesideWarnings(result.errors) == "")
    let network = try run.readDescription().network
    #expect(network.width == 6 && network.dual == DualPlan([.down1], maskKind: .hard))
  }

  /// A saved configuration can be reused, and names its data from any folder.
  @Test func savedConfigurationMakesTheSameRun() throws {
    try write(Self.yaml + "\ndata: \(relative(Tiny.data))")
    #expect(try dualnorm("train", "--config", file.path, "--output", run.url.path, "--quiet").status == 0)
    let saved = try TrainingConfiguration(yaml: run.configuration)
    #expect(saved.data == (try Tiny.data.path))
    let again = RunFolder(folder.file("again"))
    let result = try dualnorm("train", "--config", run.configuration.path, "--output", again.url.path, "--quiet")
    #expect(result.status == 0 && messagesBesideWarnings(result.errors) == "")
    #expect(try Data(contentsOf: again.model) == Data(contentsOf: run.model))
    #expect(try Data(contentsOf: again.configuration) == Data(contentsOf: run.configuration))
  }

  @Test func pathsOfAFileBecomeAbsolute() throws {
    try write("data: \(relative(Tiny.data))\ninit: ./a/../weights.pth\nsplits: folds.json\nfold: 0\n")
    let resolved = try TrainOptions.parse(["--config", file.path]).resolved()
    let here = FileManager.default.currentDirectoryPath
    #expect(try resolved.data == Tiny.data.path)
    #expect(resolved.initial == here + "/weights.pth" && resolved.splits == here + "/folds.json")
    #expect(try TrainOptions.parse(["--config", file.path]).resolved(data: "/a/./b").data == "/a/b")
  }

  /// A file from before recipes, which had no loss, weight decay, averaging, foreground share or whitening.
  @Test(arguments: [true, false]) func aFileOfTheVersionBeforeRecipesTrainsAsItDid(augments: Bool) throws {
    try write(
      """
      augmentation: \(augments)
      context: 3
      data: /data
      dual-blocks:
      - inc
      - down1
      hold-out: 0e+0
      iterations:
      - 30
      - 20
      learning-rate: 1e-3
      mask: soft
      merge-labels: []
      norm: bn
      reduction: 2
      schedule: cosine
      seed: 7
      skip-unpaired: false
      validation-fraction: 1.5e-1
      weighted-cross-entropy: false
      width: 16
      zoom: 1e+0
      """)
    var expected = TrainingConfiguration(.published)
    (expected.iterations, expected.schedule, expected.seed, expected.width) = ([30, 20], .cosine, 7, 16)
    (expected.data, expected.context, expected.dualBlocks) = ("/data", 3, [.inc, .down1])
    expected.precision = .float32
    if !augments { expected.augmentation = [] }
    let read = try TrainingConfiguration(yaml: file)
    #expect(read == expected && read.loss == .published && read.weightDecay == 0 && read.averaging == 0)
    #expect(read.foregroundShare == 0 && read.whitening == .volume)
    try write(read.yaml())
    #expect(try TrainingConfiguration(yaml: file) == read)
    // Its defaults were those of no recipe.
    try write("augmentation: \(augments)")
    #expect(try TrainingConfiguration(yaml: file).iterations == [4000, 2000])
  }

  private func relative(_ url: URL) -> String {
    let up = FileManager.default.currentDirectoryPath.split(separator: "/").map { _ in ".." }
    return (up + [String(url.path.dropFirst())]).joined(separator: "/")
  }

  @Test(arguments: [
    ("widht: 4", "the option \"widht\" is unknown; the nearest one is \"width\"."),
    ("batch_size: 4", "the option \"batch_size\" is unknown; the nearest one is \"batch-size\"."),
    ("width: wide", "the option \"width\" has a value of the wrong shape; a value looks like 32."),
    ("width: 4.5", "the option \"width\" has a value of the wrong shape; a value looks like 32."),
    ("seed: -1", "the option \"seed\" has a value of the wrong shape; a value looks like 1."),
    ("norm: batch", "the option \"norm\" has a value of the wrong shape; a value looks like bn."),
    (
      "mask-source: truth",
      "the option \"mask-source\" has a value of the wrong shape; a value looks like prediction."
    ),
    (
      "local-statistics: own",
      "the option \"local-statistics\" has a value of the wrong shape; a value looks like predicted."
    ),
    ("iterations: 3", "the option \"iterations\" has a value of the wrong shape; a value looks like [4000, 2000]."),
    (
      "dual-blocks: [inc, down9]",
      "the dual block \"down9\" is no block of residual-unet; the nearest is down1 of inc, down1, down2, down3, down4, mid, "
        + "up1, up2, up3 and up4."
    ),
    (
      "merge-labels: [1, 2]", "the option \"merge-labels\" has a value of the wrong shape; a value looks like [[1, 2]]."
    ),
    ("exclude-labels: 3", "the option \"exclude-labels\" has a value of the wrong shape; a value looks like [3, 5]."),
    ("window: [low, 275]", "the option \"window\" has a value of the wrong shape; a value looks like [-125, 275]."),
    ("data: [one, two]", "the option \"data\" has a value of the wrong shape; a value looks like ../data."),
    ("batch-size: big", "the option \"batch-size\" has a value of the wrong shape; a value looks like 8."),
    ("- 1", "holds no options; write one a line, for example `width: 16`."),
    ("just text", "holds no options; write one a line, for example `width: 16`."),
    ("width: [", "is not YAML (2:1: error: parser: while parsing a flow node in line 2, column 1)."),
    (
      "width: 4\nwidth: 5",
      "is not YAML (Parser: expected all keys to be unique but found the following duplicated key(s): 'width'.)."
    ),
  ])
  func refusesAFileOf(yaml: String, sentence: String) throws {
    try write(yaml + "\n")
    try expectRefusal(
      "\(file.path): \(sentence)",
      of: ["train", "--data", Tiny.data.path, "--config", file.path, "--output", run.url.path])
    #expect(contents(of: folder.url) == ["options.yaml"])
  }

  @Test func refusesAFileThatIsNotThereAndOneWithoutData() throws {
    try expectRefusal(
      "\(file.path): cannot be read as text; give a YAML file of options.",
      of: ["train", "--data", Tiny.data.path, "--config", file.path, "--output", run.url.path])
    try write(Self.yaml)
    try expectRefusal(
      "No data set was given; name its folder with --data.",
      of: ["train", "--config", file.path, "--output", run.url.path])
  }
}

extension RunFolder {
  fileprivate func url(_ file: KeyPath<RunFolder, URL>) -> URL { self[keyPath: file] }
}
