import Foundation
import MedicalImaging
import Testing

@testable import Datasets
@testable import DualNorm
@testable import Scores

@Suite struct TrainCommandTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Trains in `name`, and returns the run folder.
  private func train(_ name: String, data: URL? = nil, _ options: [String] = []) throws -> RunFolder {
    let url = folder.file(name)
    let result = try dualnorm(
      ["train", "--data", data?.path ?? Tiny.data.path, "--output", url.path] + Tiny.quick + options)
    #expect(result.status == 0 && result.output == "" && messagesBesideWarnings(result.errors) == "")
    return RunFolder(url)
  }

  @Test func runFolderHoldsModelConfigurationLogAndSplit() throws {
    let run = RunFolder(try Tiny.run)
    #expect(
      contents(of: run.url) == [
        "checkpoints", "checkpoints/dual-best.safetensors", "checkpoints/last.safetensors",
        "checkpoints/plain-best.safetensors", "config.yaml", "facts.json", "log.csv", "model.json",
        "model.safetensors", "splits.json", "tensorboard",
      ])
    let description = try run.readDescription()
    #expect(description.labels.groups == [[1], [2]])
    #expect(description.sites == ["Site-A", "Site-B"])
    #expect(description.network.dual?.blocks == [.inc, .down1, .down2, .down3])
    let rows = try String(contentsOf: run.log, encoding: .utf8).split(separator: "\n")
    #expect(
      rows[0]
        == "stage,iteration,learning_rate,loss_first,loss_final,hard_dice_loss,validation_dice,validation_dice_Site-A,validation_dice_Site-B"
    )
    #expect(rows.count == 1 + 60 + 60)
    #expect(rows[60].hasPrefix("plain,60,") && rows[61].hasPrefix("dual,1,0.02,"))
  }

  /// Two of the volumes fit; the others are read from temporary files, which are gone afterwards.
  @Test func volumesThatDoNotFitTheMemoryTrainAlike() throws {
    let (all, few) = (try train("all"), try train("few", ["--memory", "0.00005"]))
    #expect(try Data(contentsOf: few.model) == Data(contentsOf: all.model))
    #expect(try Data(contentsOf: few.log) == Data(contentsOf: all.log))
    #expect(try FileManager.default.contentsOfDirectory(atPath: few.url.path).allSatisfy { !$0.hasPrefix(".prepared") })
  }

  @Test func theSeedDecides() throws {
    let first = try train("first")
    let again = try train("again")
    let other = try train("other", ["--seed", "2"])
    func bytes(_ file: KeyPath<RunFolder, URL>, _ run: RunFolder) throws -> Data {
      try Data(contentsOf: run[keyPath: file])
    }
    for file in [\RunFolder.model, \.log, \.splits, \.description] {
      #expect(try bytes(file, again) == bytes(file, first))
    }
    for file in [\RunFolder.model, \.log] { #expect(try bytes(file, other) != bytes(file, first)) }
  }

  @Test func speaksOfDataSplitPlanAndNextStep() throws {
    let run = folder.file("run").path
    let result = try dualnorm(
      ["train", "--data", Tiny.data.path, "--output", run] + Tiny.quick.filter { $0 != "--quiet" })
    let lines = result.errors.split(separator: "\n").map(String.init)
    #expect(result.status == 0 && result.output == "")
    #expect(lines[0].hasPrefix("site    cases  slice H×W  slices  spacing in mm x, y, z"))
    #expect(lines.contains("Split: 4 cases train, 2 choose the best checkpoint, 0 are held out."))
    #expect(
      lines.contains(
        "Preparation: whiten per volume by its brighter voxels, no resampling, windows of 32×32 (H×W), 3 slices an input."
      ))
    #expect(lines.contains { $0.hasPrefix("dual 2/2: validation Dice 0.") })
    #expect(
      lines.last
        == "Trained \(run). No case was held out. Next, with data of other patients: dualnorm evaluate --model \(run) "
        + "--data DIR --output \(run)-evaluation")
  }

  @Test func mergedLabelsAreOneClass() throws {
    let description = try train("run", ["--merge-labels", "2,1"]).readDescription()
    #expect(description.network.classes == 2)
    #expect(description.labels.groups == [[2, 1]])
  }

  @Test func threeSitesShareEachBatch() throws {
    let data = folder.file("three")
    #expect(
      try dualnorm(
        "phantom", "--output", data.path, "--size", "32x32x4", "--cases", "2", "--sites", "3", "--quiet"
      ).status == 0)
    let run = try train("run", data: data, ["--batch-size", "3"])
    #expect(try run.readDescription().sites == ["Site-A", "Site-B", "Site-C"])
    let split = try JSONDecoder().decode(Split.self, from: Data(contentsOf: run.splits))
    #expect(split.training.count == 3 && split.validation.count == 3)
    #expect(Set(split.training.map { $0.prefix(6) }).count == 3)
  }

  @Test func stagesCanBeLeftOut() throws {
    let plain = try train("plain", ["--iterations", "2,0"])
    #expect(try plain.readDescription().network.dual == nil)
    #expect(contents(of: plain.checkpoints) == ["last.safetensors", "plain-best.safetensors"])
    let dual = try train("dual", ["--iterations", "0,2"])
    #expect(try dual.readDescription().network.dual?.blocks.count == 4)
    #expect(contents(of: dual.checkpoints) == ["dual-best.safetensors", "last.safetensors"])
    let none = try train("none", ["--dual-blocks", "none"])
    #expect(try Data(contentsOf: none.model) == Data(contentsOf: plain.model))
  }

  /// nnU-Net's layout with two modalities, and a window that begins below 0.
  @Test func modalitiesAreChannels() throws {
    let data = folder.file("Dataset001")
    for name in ["Case00", "Case01", "Case02"] {
      let source = try Tiny.data.appendingPathComponent("Site-A/\(name)")
      for channel in ["_0000", "_0001"] {
        try Image(contentsOf: URL(fileURLWithPath: source.path + ".nii.gz"))
          .write(to: data.appendingPathComponent("imagesTr/\(name)\(channel).nii.gz"))
      }
      try LabelMap(contentsOf: URL(fileURLWithPath: source.path + "_segmentation.nii.gz"))
        .write(to: data.appendingPathComponent("labelsTr/\(name).nii.gz"))
    }
    let json = """
      {"channel_names": {"0": "T2", "1": "ADC"}, "labels": {"background": 0, "organ": 1, "vessel": 2},
      "file_ending": ".nii.gz"}
      """
    try Data(json.utf8).write(to: data.appendingPathComponent("dataset.json"))
    let description = try train("run", data: data, ["--window", "-125,600"]).readDescription()
    #expect(description.modalities == ["T2", "ADC"])
    #expect(description.network.inputChannels == 6)
    #expect(description.labels.names == ["organ", "vessel"])
    #expect(description.preparation.window == IntensityWindow(-125, 600))
  }
}
