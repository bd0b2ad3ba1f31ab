import Foundation
import Testing
import Torch

@testable import DualNorm

/// The options `--init`, `--freeze-except` and `--recipe`, and values left to the device.
@Suite struct TrainStartTests {
  let folder: TemporaryFolder
  private var run: RunFolder { RunFolder(folder.file("run")) }

  init() throws { folder = try TemporaryFolder() }

  private func arguments(_ options: String...) throws -> [String] {
    ["train", "--data", try Tiny.data.path, "--output", run.url.path] + Tiny.quick + options
  }

  private func tensors(_ run: RunFolder) throws -> [String: StoredTensor] {
    Dictionary(uniqueKeysWithValues: try Safetensors.read(run.model).tensors.map { ($0.name, $0.tensor) })
  }

  @Test func startsFromARunAndTrainsOnlyWhatIsNamed() throws {
    let arguments = try arguments("--init", Tiny.run.path, "--freeze-except", "outc", "norm_0_aux")
    let result = try dualnorm(arguments.filter { $0 != "--quiet" })
    #expect(result.status == 0)
    let sentence = try #require(result.errors.split(separator: "\n").first { $0.hasPrefix("Initial weights: ") })
    #expect(sentence.hasPrefix("Initial weights: 214 tensors fit by name and shape; 72 in the file are not used (inc."))
    let (before, after) = (try tensors(RunFolder(Tiny.run)), try tensors(run))
    for (name, tensor) in after where name.hasSuffix("weight") || name.hasSuffix("bias") {
      if name.contains("outc") {
        #expect(tensor.data != before[name]?.data, "\(name)")
      } else if !name.contains("_aux.") {
        #expect(tensor.data == before[name]?.data, "\(name)")
      }
    }
    #expect(try String(contentsOf: run.configuration, encoding: .utf8).contains("freeze-except:\n- outc\n- norm_0_aux"))
  }

  /// The reason comes from LibTorch: the CUDA libraries are missing, or find no GPU.
  @Test(.enabled(if: (try? DeviceChoice.auto.resolved()) == .cpu, "this machine has a GPU"))
  func aDeviceThatIsNotThereIsRefusedBeforeAFolderIsMade() throws {
    let data = try Tiny.data.path
    let shared = ["--data", data, "--output", run.url.path, "--device", "cuda"] + Tiny.quick
    let experiment = ["experiment", "cross-validate", "--folds", "2", "--methods", "bn"]
    for (verb, start) in [(["train"], "Error: "), (experiment, "Error: bn/fold-0: ")] {
      let result = try dualnorm(verb + shared)
      #expect(result.status == 1 && result.output == "")
      #expect(result.errors.hasPrefix(start + "--device is cuda:0, and LibTorch"))
      #expect(result.errors.hasSuffix("give --device cpu.\n") && result.errors.count { $0 == "\n" } == 1)
      #expect(!FileManager.default.fileExists(atPath: run.url.path), "\(verb)")
    }
  }

  @Test func aStartThatCannotBeIsRefusedBeforeTheFolderIsMade() throws {
    let missing = folder.file("none")
    try expectRefusal(
      "\(missing.path): there is no such file or folder; give a run folder or a file of weights.",
      of: arguments("--init", missing.path))
    try expectRefusal(
      "--freeze-except \"ouct\": no parameter's name contains it; the nearest part of a name is \"outc\".",
      of: arguments("--freeze-except", "ouct"))
    let other = folder.file("other.safetensors")
    try Safetensors(tensors: [("a", StoredTensor(dtype: .float32, shape: [1], data: Data(count: 4)))]).write(to: other)
    try expectRefusal(
      "\(other.path): none of its 1 tensors fits this network by name and shape; give weights of a DualNorm-UNet for "
        + "--init.", of: arguments("--init", other.path))
    #expect(!FileManager.default.fileExists(atPath: run.url.path))
  }

  @Test func nothingLeftToTrainIsSaid() throws {
    try expectRefusal(
      "--freeze-except _aux: leaves nothing to train in the plain stage; name one of its blocks, or give the stage no "
        + "--iterations.", of: arguments("--freeze-except", "_aux"))
    #expect(!FileManager.default.fileExists(atPath: run.url.path))
  }

  /// The run keeps the recorded precision on every device, and the command without the option can be repeated.
  @Test func aPrecisionLeftToTheDeviceIsWrittenDown() throws {
    let arguments =
      ["train", "--data", try Tiny.data.path, "--output", run.url.path]
      + "--width 2 --dual-blocks none --iterations 2,0 --batch-size 2 --quiet".split(separator: " ").map(String.init)
    for _ in 1...2 {
      let result = try dualnorm(arguments)
      #expect(result.status == 0 && messagesBesideWarnings(result.errors) == "")
      #expect(try TrainingConfiguration(yaml: run.configuration).precision == .standard(on: .cpu))
      #expect(try run.readDescription().precision == .standard(on: .cpu))
    }
    try expectRefusal(
      "\(run.url.path): holds a run with other options (--precision is \(Precision.standard(on: .cpu)), not tf32); go on with "
        + "it by dualnorm train --resume \(run.url.path), or give a new folder for --output.",
      of: arguments + ["--precision", "tf32"])
  }

  @Test func thePublishedRecipeIsWrittenOutAndOptionsOverrideIt() throws {
    let result = try dualnorm(arguments("--recipe", "published", "--learning-rate", "0.002"))
    #expect(result.status == 0 && messagesBesideWarnings(result.errors) == "")
    let configuration = try TrainingConfiguration(yaml: run.configuration)
    var expected = TrainingConfiguration(.published)
    expected.learningRate = 0.002
    (expected.width, expected.iterations, expected.batchSize) = (4, [2, 2], 2)
    (expected.validateEvery, expected.threads, expected.context) = (2, 1, 3)
    (expected.data, expected.precision) = (try Tiny.data.path, .float32)
    #expect(configuration == expected)
    #expect(configuration.recipe == .published && configuration.loss == .published)
    #expect(configuration.schedule == .plateau)
    #expect(try run.readDescription().preparation.whitening == .volume)
  }

  @Test func aRecipeInAFileIsWhatTheOtherKeysOverride() throws {
    let file = folder.file("options.yaml")
    try Data("recipe: published\nschedule: cosine\n".utf8).write(to: file)
    let configuration = try TrainingConfiguration(yaml: file)
    #expect(configuration.loss == .published && configuration.schedule == .cosine && configuration.averaging == 0)
    try Data("recipe: publisht\n".utf8).write(to: file)
    try expectRefusal(
      "\(file.path): the option \"recipe\" has a value of the wrong shape; a value looks like standard.",
      of: ["train", "--config", file.path, "--data", Tiny.data.path, "--output", run.url.path])
  }

  @Test func aFileOfAnotherRecipeIsRefused() throws {
    let file = folder.file("options.yaml")
    try Data("recipe: standard\n".utf8).write(to: file)
    try expectRefusal(
      "\(file.path): names the recipe standard, and --recipe is published; leave --recipe out, or take the recipe and the "
        + "values that are not your own out of the file.", of: arguments("--config", file.path, "--recipe", "published")
    )
    #expect(try TrainingConfiguration(yaml: file, recipe: .standard) == TrainingConfiguration())
  }

  @Test(arguments: [
    ("--foreground-share 2", "--foreground-share is 2.0; give 0 to 1, such as 0.5."),
    ("--averaging 1", "--averaging is 1.0; give 0 (none) to below 1, such as 0.99."),
    ("--weight-decay -1", "--weight-decay is -1.0; give 0 (none) to 1, such as 0.01."),
    (
      "--weighted-cross-entropy",
      "--weighted-cross-entropy weights the published loss only, and --loss is batch-dice; give --loss published."
    ),
    (
      "--mask-source uniform --dual-blocks none",
      "--mask-source is uniform, and there is no dual stage that it could change; name --dual-blocks and give the second of "
        + "--iterations, or leave --mask-source out."
    ),
    (
      "--local-statistics measured --iterations 2,0",
      "--local-statistics is measured, and there is no dual stage that it could change; name --dual-blocks and give the "
        + "second of --iterations, or leave --local-statistics out."
    ),
  ]) func optionsOfTheRecipe(options: String, sentence: String) throws {
    let given = options.replacingOccurrences(of: " -1", with: "=-1").split(separator: " ").map(String.init)
    try expectRefusal(
      sentence, of: ["train", "--data", Tiny.data.path, "--output", run.url.path] + given)
  }
}
