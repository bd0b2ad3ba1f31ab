import Foundation
import MedicalImaging
import TestSupport
import Testing
import Torch

@testable import Basics
@testable import Datasets
@testable import DualNorm
@testable import Experiments
@testable import Scores

/// Thousands of damaged texts, each of which gives a value or an error of one line. A trap ends the test program.
@Suite struct TextMutationTests {
  private static let tokens = [
    "../", "/", "\\", "\u{0}", "\\u0000", "\n", "..", ",", "\"", "{", "[", "]", "}", ": ", "- ", "null", "true", "-1",
    "1e999", "18446744073709551616", "0.5", "\u{202E}", "\u{1B}[2J", "b.nii.gz", "Site-A", "é", "#", "&a ", "*a", "|\n",
    "\t",
    String(repeating: "a", count: 300), String(repeating: "[", count: 150),
  ]

  /// Damages a text repeatedly and passes it to `read`; counts read and refused texts.
  private func mutate(_ text: String, times: Int, seed: UInt64, _ read: (Data) throws -> Void) throws -> (Int, Int) {
    var mutator = Mutator(seed: seed, tokens: Self.tokens)
    var counts = (read: 0, refused: 0)
    for index in 0..<times {
      let damaged = mutator.mutated(Data(text.utf8))
      let taken = hang {
        do {
          try read(damaged)
          counts.read += 1
        } catch let error
          where error is Refusal
        {
          let sentence = "\(error)"
          #expect(sentence.allSatisfy { !$0.isNewline } && sentence.count < 2000, "seed \(seed), number \(index)")
          counts.refused += 1
        } catch {
          Issue.record("seed \(seed), number \(index): \(error)")
        }
      }
      #expect(taken == nil, "seed \(seed), number \(index)")
    }
    return counts
  }

  /// Every output file for the cases lies two levels below the output folder.
  private func expectInside(_ cases: [Case], _ damaged: Data) {
    let output = URL(fileURLWithPath: "/output")
    for scan in cases {
      let file = output.appendingPathComponent("\(scan.site)/\(scan.name)\(scan.maskEnding)")
      let parts = file.path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
      #expect(
        parts.count == 4 && file.standardizedFileURL.path == file.path && !file.path.utf8.contains(0)
          && parts.allSatisfy { $0.count <= 240 && !$0.starts(with: "..".utf8) },
        "\(scan.identifier) of \(String(decoding: damaged, as: UTF8.self))")
    }
  }

  @Test func damagedLists() throws {
    let folder = try DataFolder()
    try folder.touch(
      "data/Site-A/a.nii.gz", "data/Site-A/b.nii.gz", "data/Site-A/a_segmentation.nii.gz", "data/Site-A/m/b.nii.gz",
      "c.nii.gz")
    let data = folder.url.appendingPathComponent("data")
    let list = data.appendingPathComponent("Site-A/all_list.txt")
    let text =
      "# cases\na.nii.gz,a_segmentation.nii.gz,p1\nb.nii.gz, m/b.nii.gz\n\n../../c.nii.gz,a_segmentation.nii.gz,p1\n"
    let counts = try mutate(text, times: 2500, seed: 31) { damaged in
      try rewrite(list, damaged)
      let dataset = try Dataset(contentsOf: data)
      expectInside(dataset.cases, damaged)
      _ = try Split.make(cases: dataset.cases, validationFraction: 0.3, seed: 1)
    }
    #expect(counts.0 > 100 && counts.1 > 500, "\(counts)")
  }

  @Test func damagedDescriptions() throws {
    let folder = try DataFolder()
    for name in ["a", "b"] {
      for part in ["imagesTr", "labelsTr"] { try folder.touch("\(part)/\(name).nii.gz") }
      try folder.touch("imagesTr/\(name)_0000.nii.gz", "imagesTr/\(name)_0001.nii.gz")
    }
    let file = folder.url.appendingPathComponent("dataset.json")
    let decathlon = """
      {"name": "Heart", "modality": {"0": "MRI"}, "labels": {"0": "background", "1": "left atrium"}, "numTraining": 2,
       "training": [{"image": "./imagesTr/a.nii.gz", "label": "./labelsTr/a.nii.gz"},
        {"image": "./imagesTr/b.nii.gz", "label": "./labelsTr/b.nii.gz"}]}
      """
    let nnUNet = """
      {"channel_names": {"0": "T2", "1": "ADC"}, "labels": {"background": 0, "PZ": 1, "TZ": 2}, "file_ending": ".nii.gz",
       "name": "x"}
      """
    var read = (0, 0)
    for (seed, text) in [(UInt64(32), decathlon), (33, nnUNet)] {
      let counts = try mutate(text, times: 1500, seed: seed) { damaged in
        try rewrite(file, damaged)
        let dataset = try Dataset(contentsOf: folder.url)
        expectInside(dataset.cases, damaged)
        _ = LabelNames.found(beside: folder.url)
      }
      read = (read.0 + counts.0, read.1 + counts.1)
    }
    #expect(read.0 > 100 && read.1 > 1000)
  }

  private func cases(_ count: Int) -> [Case] {
    (0..<count).map {
      Case(name: "c\($0)", site: $0 % 2 == 0 ? "A" : "B", images: [URL(fileURLWithPath: "/c\($0).nii")], mask: nil)
    }
  }

  @Test func damagedSplitsAndFolds() throws {
    let (folder, cases) = (try ScratchFolder(), cases(6))
    let split = #"{"training": ["A/c0", "B/c1", "A/c2"], "validation": ["B/c3"], "test": ["A/c4", "B/c5"]}"#
    let splits = try mutate(split, times: 2000, seed: 34) { damaged in
      let read = try Split(contentsOf: folder.file(damaged, "splits.json"), cases: cases)
      let named = read.training + read.validation + read.test
      #expect(Set(named).count == named.count && Set(named).isSubset(of: cases.map(\.identifier)))
    }
    #expect(splits.0 > 20 && splits.1 > 1000)
    let folds =
      #"[{"train": ["A/c0", "c1", "c2"], "val": ["c3", "A/c4"]}, {"train": ["c3", "c4"], "val": ["c0", "B/c5"]}]"#
    let found = try mutate(folds, times: 2000, seed: 35) { damaged in
      let read = try Folds(contentsOf: folder.file(damaged, "splits_final.json"), cases: cases)
      for fold in read.folds { #expect(Set(fold.train).isDisjoint(with: fold.test)) }
    }
    #expect(found.0 > 20 && found.1 > 1000)
  }

  @Test func damagedOptions() throws {
    let folder = try ScratchFolder()
    var options = TrainingConfiguration()
    options.data = "/data"
    options.mergeLabels = [[1, 2], [3, 4]]
    options.window = IntensityWindow(-125, 275)
    options.size = Extent(height: 64, width: 64)
    options.iterations = [30, 20]
    let training = try mutate(options.yaml(), times: 1500, seed: 36) { damaged in
      let read = try TrainingConfiguration(yaml: folder.file(damaged, "config.yaml"))
      try read.validate()
      _ = try read.extended(to: [40, 30], after: nil)
      _ = try read.plan()
    }
    #expect(training.0 > 30 && training.1 > 500, "\(training)")
    for (seed, name) in zip(UInt64(37)..., DataRecipe.names) {
      let recipe = try mutate(DataRecipe.named(name).yaml(), times: 500, seed: seed) { damaged in
        _ = try DataRecipe(yaml: folder.file(damaged, "recipe.yaml"))
      }
      #expect(recipe.0 > 20 && recipe.1 > 100)
    }
  }

  @Test func damagedExperiments() throws {
    let folder = try DataFolder()
    var asked = ExperimentConfiguration(
      .crossValidate, methods: try ExperimentMethod.list(["bn", "dual+measured"]), training: TrainingConfiguration())
    asked.training.data = "/data"
    asked.sites = ["A", "B"]
    try asked.write(to: folder.url)
    let file = folder.url.appendingPathComponent("experiment.yaml")
    let counts = try mutate(String(contentsOf: file, encoding: .utf8), times: 1500, seed: 41) { damaged in
      try rewrite(file, damaged)
      let read = try ExperimentConfiguration(contentsOf: folder.url)
      try read.validate()
      _ = read.seedValues
    }
    #expect(counts.0 > 20 && counts.1 > 500)
  }

  /// Each readable model is tried: the network is created, and memory allocated for it, only if the weights exist.
  @Test func damagedModels() throws {
    let folder = try DataFolder()
    let run = RunFolder(folder.url)
    let network = NetworkPlan(classes: 2, width: 2, dual: [.inc], sites: 1)
    let description = ModelDescription(
      network: network,
      preparation: try PreparationPlan(
        window: IntensityWindow(0, 9), networkSize: Extent(height: 32, width: 48)),
      labels: LabelScheme(groups: [[1]]), modalities: ["image"], sites: ["A", "B"])
    try Safetensors(tensors: DualNormNetwork(network, seed: 1).parameters.stateDictionary).write(to: run.model)
    try run.write(description)
    let counts = try mutate(String(contentsOf: run.description, encoding: .utf8), times: 2000, seed: 42) { damaged in
      try rewrite(run.description, damaged)
      _ = try SegmentationModel(contentsOf: run)
    }
    #expect(counts.0 > 100 && counts.1 > 500)
  }

  /// Replaces the file without waiting for the disk.
  private func rewrite(_ file: URL, _ contents: Data) throws {
    unlink(file.path)
    let handle = FileHandle(fileDescriptor: open(file.path, O_CREAT | O_WRONLY, 0o600), closeOnDealloc: true)
    try handle.write(contentsOf: contents)
  }
}
