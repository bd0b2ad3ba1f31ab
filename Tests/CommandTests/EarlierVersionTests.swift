import Foundation
import MedicalImaging
import Testing
import Torch

@testable import DualNorm

/// Files of an earlier version, made by `Tools/fixtures_earlier.sh`, give what that version gave.
@Suite struct EarlierVersionTests {
  private static let earlier = fixtures.appendingPathComponent("earlier")
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func earlier(_ path: String) -> URL { Self.earlier.appendingPathComponent(path) }

  private func text(_ url: URL) throws -> String { try String(contentsOf: url, encoding: .utf8) }

  /// Copies a folder, and names a data set in the copy's options.
  private func copy(_ name: String, options: String, data: URL) throws -> URL {
    let url = folder.file(name)
    try FileManager.default.copyItem(at: earlier(name), to: url)
    let file = url.appendingPathComponent(options)
    let original = try text(file)
    #expect(original.contains("data: /earlier/data\n"))
    try Data(original.replacingOccurrences(of: "data: /earlier/data\n", with: "data: \(data.path)\n").utf8).write(
      to: file)
    return url
  }

  /// A run's held-out cases are recognized by their voxels, since its own folder of data is gone.
  @Test func aRunSegmentsAsItDid() throws {
    let out = folder.file("evaluation")
    let result = try dualnorm(
      ["evaluate", "--model", earlier("run").path, "--data", earlier("data").path]
        + ["--output", out.path, "--threads", "1", "--quiet"])
    #expect(result.status == 0 && messagesBesideWarnings(result.errors) == "")
    let masks = contents(of: earlier("evaluation")).filter { $0.hasSuffix("/Case02.nii.gz") }
    #expect(masks.count == 4)
    #expect(contents(of: out).filter { $0.hasSuffix(".nii.gz") } == masks)
    for mask in masks {
      let now = try LabelMap(contentsOf: out.appendingPathComponent(mask))
      #expect(try now == LabelMap(contentsOf: earlier("evaluation/\(mask)")) && now.voxels.contains(1), "\(mask)")
    }
    #expect(try text(out.appendingPathComponent("scores.csv")) == text(earlier("evaluation/scores.csv")))
  }

  @Test func predictMakesTheSameMask() throws {
    let mask = folder.file("mask.nii.gz")
    let result = try dualnorm(
      "predict", "--model", earlier("run").path, "--input", earlier("data/Site-B/Case02.nii.gz").path, "--output",
      mask.path, "--threads", "1", "--quiet")
    #expect(result.status == 0 && messagesBesideWarnings(result.errors) == "")
    #expect(try LabelMap(contentsOf: mask) == LabelMap(contentsOf: earlier("evaluation/predict.nii.gz")))
  }

  /// A run resumes after its data have moved and the weights that it started from are gone.
  ///
  /// Other processors round differently, so numbers are compared within 1e-4.
  @Test func aStoppedRunEndsAsItDid() throws {
    let data = folder.file("moved")
    try FileManager.default.copyItem(at: earlier("data"), to: data)
    let run = RunFolder(try copy("stopped", options: "config.yaml", data: data))
    let result = try dualnorm("train", "--resume", run.url.path, "--quiet")
    #expect(result.status == 0 && messagesBesideWarnings(result.errors) == "")
    #expect(try text(run.log).hasPrefix(text(earlier("stopped/log.csv"))))
    try expectNear(run.log, earlier("ended/log.csv"))
    let weights = try Safetensors.read(run.model)
    let expected = try rows(earlier("ended/weights.csv")).dropFirst()
    #expect(expected.count == weights.tensors.filter { $0.tensor.dtype == .float32 }.count)
    for row in expected {
      let numbers = try floats(#require(weights[String(row[0])]))
      let square = numbers.reduce(0) { $0 + $1 * $1 } / Double(numbers.count)
      #expect(try isNear(numbers[0], number(row[1])), "\(row[0])")
      #expect(try isNear(square.squareRoot(), number(row[2])), "\(row[0])")
    }
  }

  @Test func optionsMeanWhatTheyMeant() throws {
    var expected = TrainingConfiguration(.published)
    expected.data = "/earlier/labels"
    (expected.width, expected.norm, expected.dualBlocks) = (1, .in, [.mid, .up1])
    (expected.mask, expected.maskSource, expected.localStatistics) = (.hard, .uniform, .measured)
    (expected.reduction, expected.context) = (1, 1)
    (expected.mergeLabels, expected.excludeLabels) = ([[1, 2]], [3])
    expected.window = IntensityWindow(-100, 900.5)
    expected.spacing = VoxelSpacing(5, 5.5)
    expected.size = Extent(height: 48, width: 32)
    (expected.whitening, expected.validationFraction, expected.holdOut) = (.volume, 0.3, 0.25)
    (expected.iterations, expected.batchSize) = (StageIterations(plain: 1, dual: 1), 4)
    (expected.learningRate, expected.schedule, expected.weightDecay) = (0.02, .cosine, 0.01)
    (expected.loss, expected.deepSupervision, expected.foregroundShare) = (.batchDice, true, 0.25)
    (expected.averaging, expected.augmentation, expected.zoom) = (0.5, [.rotation, .gamma], 1.5)
    (expected.validateEvery, expected.precision, expected.freezeExcept) = (1, .float32, ["outc"])
    (expected.seed, expected.threads, expected.memory) = (12, 1, 0.5)
    let read = try TrainingConfiguration(yaml: earlier("options.yaml"))
    #expect(read == expected)
    #expect(read.network == .residualUNet)
    try read.validate()
  }

  @Test func anExperimentHasTheSameTable() throws {
    let experiment = try copy("experiment", options: "training.yaml", data: earlier("data"))
    let result = try dualnorm("experiment", "table", experiment.path)
    #expect(result.status == 0 && result.errors == "")
    #expect(try result.output == namingOnlyPass(text(earlier("experiment/table.txt"))))
    #expect(
      try text(experiment.appendingPathComponent("summary.md"))
        == namingOnlyPass(text(earlier("experiment/summary.md"))))
  }

  /// That version called the only pass of a network without dual norms the first.
  private func namingOnlyPass(_ text: String) -> String {
    [
      ("\nbn      first ", "\nbn      only  "), ("| bn | first |", "| bn | only |"), ("bn (first)", "bn (only)"),
      ("  against     n  ", "  against    n  "), ("passes: first", "passes: only, first"),
    ].reduce(text) { $0.replacingOccurrences(of: $1.0, with: $1.1) }
  }

  /// An experiment's command trains only the missing cell.
  @Test(.endsSomeTime) func anExperimentContinues() throws {
    let experiment = try copy("experiment", options: "training.yaml", data: earlier("data"))
    let cells = experiment.appendingPathComponent("cells")
    try FileManager.default.removeItem(at: cells.appendingPathComponent("dual/fold-1/seed-3"))
    let options =
      """
      --methods bn,dual --folds 2 --seeds 1 --width 1 --reduction 1 --precision float32 --threads 1 \
      --augmentation none --batch-size 4 --learning-rate 0.02 --iterations 60,40 --validate-every 50 --seed 3 --quiet
      """.split(separator: " ").map(String.init)
    let result = try dualnorm(
      ["experiment", "cross-validate", "--data", earlier("data").path, "--output", experiment.path] + options)
    #expect(result.status == 0 && messagesBesideWarnings(result.errors) == "")
    for cell in ["bn/fold-0", "bn/fold-1", "dual/fold-0", "dual/fold-1"] {
      let file = "\(cell)/seed-3/results.csv"
      let now = try rows(cells.appendingPathComponent(file))
      let then = try rows(earlier("experiment/cells/\(file)"))
      if cell == "dual/fold-1" {
        // Everything but the value and the outcome, which may differ between processors.
        #expect(now.map { $0.prefix(9) } == then.map { $0.prefix(9) })
        #expect(contents(of: cells).contains("\(cell)/seed-3/model.safetensors"))
      } else {
        #expect(now == then)
        #expect(!contents(of: cells).contains("\(cell)/seed-3/model.safetensors"))
      }
    }
  }

  // MARK: Numbers

  private func rows(_ url: URL) throws -> [[Substring]] {
    try text(url).split(separator: "\n").map { $0.split(separator: ",", omittingEmptySubsequences: false) }
  }

  private func number(_ text: Substring) throws -> Double { try #require(Double(text)) }

  private func isNear(_ value: Double, _ expected: Double) -> Bool {
    abs(value - expected) <= 1e-4 * max(1, abs(expected))
  }

  private func expectNear(_ url: URL, _ expected: URL) throws {
    let (now, then) = try (rows(url), rows(expected))
    #expect(now.count == then.count && now.first == then.first)
    for (row, other) in zip(now, then).dropFirst() {
      #expect(row.count == other.count && row[..<2] == other[..<2])
      for (text, expected) in zip(row, other).dropFirst(2) where text != expected {
        #expect(try isNear(number(text), number(expected)), "\(row[..<2])")
      }
    }
  }

  private func floats(_ tensor: StoredTensor) -> [Double] {
    tensor.data.withUnsafeBytes { bytes in
      stride(from: 0, to: bytes.count, by: 4).map { Double(bytes.loadUnaligned(fromByteOffset: $0, as: Float.self)) }
    }
  }
}
