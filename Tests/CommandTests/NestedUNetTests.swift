import Foundation
import Testing

@testable import DualNorm

/// UNet++, the second backbone, from end to end. `ParityTests` compares it with PyTorch.
@Suite struct NestedUNetTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func training(_ run: RunFolder) throws -> [String] {
    [
      "train", "--data", try Tiny.data.path, "--output", run.url.path, "--network", "unet++", "--dual-blocks",
      "x0_0,x1_1,x4_0", "--width", "2", "--iterations", "20,20", "--batch-size", "4", "--learning-rate", "0.02",
      "--augmentation", "none", "--validate-every", "20", "--precision", "float32", "--threads", "1", "--quiet",
    ]
  }

  @Test func trainsPredictsAndNamesItself() throws {
    let run = RunFolder(folder.file("run"))
    #expect(try dualnorm(training(run)).status == 0)
    let plan = try run.readDescription().network
    // In the order of the network.
    #expect(plan.architecture == .nestedUNet && plan.dual?.blocks == ["x0_0", "x4_0", "x1_1"])
    #expect(try String(contentsOf: run.configuration, encoding: .utf8).contains("network: unet++"))
    let image = try Tiny.data.appendingPathComponent("Site-A/Case00.nii.gz")
    let mask = folder.file("mask.nii.gz")
    let result = try dualnorm(
      "predict", "--model", run.url.path, "--input", image.path, "--output", mask.path, "--quiet")
    #expect(result.status == 0 && FileManager.default.fileExists(atPath: mask.path), "\(result.errors)")
    #expect(try dualnorm("info", run.url.path).output.contains("network:      unet++, width 2"))
    #expect(try dualnorm("info", run.model.path).output.contains("network:      unet++, width 2"))
    let imported = RunFolder(folder.file("imported"))
    #expect(try dualnorm("import", run.model.path, "--output", imported.url.path, "--quiet").status == 0)
    #expect(try imported.readDescription().network == plan)
    #expect(try TrainingConfiguration(yaml: imported.configuration).network == .nestedUNet)
  }

  @Test func hasDualBlocksOfItsOwnWithoutTheOption() throws {
    let run = RunFolder(folder.file("run"))
    var arguments = try training(run)
    let place = arguments.firstIndex(of: "--dual-blocks")!
    arguments.removeSubrange(place...place + 1)
    #expect(try dualnorm(arguments).status == 0)
    #expect(try run.readDescription().network.dual?.blocks == ["x0_0", "x1_0", "x2_0", "x3_0"])
  }

  @Test func refusesTheBlocksOfAnotherNetwork() throws {
    let output = folder.file("run").path
    try expectRefusal(
      "The dual block \"inc\" is no block of unet++; the nearest is x0_0 of x0_0, x1_0, x2_0, x3_0, x4_0, x0_1, x1_1, x2_1, "
        + "x3_1, x0_2, x1_2, x2_2, x0_3, x1_3 and x0_4.",
      of: ["train", "--data", Tiny.data.path, "--output", output, "--network", "unet++", "--dual-blocks", "inc"])
    try expectRefusal(
      "The dual block \"x0_0\" is no block of residual-unet; the nearest is inc of inc, down1, down2, down3, down4, mid, up1, "
        + "up2, up3 and up4.",
      of: ["train", "--data", Tiny.data.path, "--output", output, "--dual-blocks", "x0_0"])
  }
}
