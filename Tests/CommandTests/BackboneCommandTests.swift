import Foundation
import Testing

@testable import DualNorm

/// Every backbone from end to end. `ParityTests` and `NNUNetTests` compare them with PyTorch.
@Suite struct BackboneCommandTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private static let others = Architecture.allCases.filter { ![.residualUNet, .nestedUNet].contains($0) }

  private func training(_ network: Architecture, _ run: RunFolder, _ options: [String] = []) throws -> [String] {
    [
      "train", "--data", try Tiny.data.path, "--output", run.url.path, "--network", network.rawValue, "--width", "4",
      "--iterations", "3,3", "--batch-size", "4", "--validate-every", "2", "--precision", "float32", "--threads", "1",
      "--quiet",
    ] + options
  }

  @Test(arguments: others, [2, 3]) func trainsAndPredicts(_ network: Architecture, dimensions: Int) throws {
    let run = RunFolder(folder.file("run"))
    let result = try dualnorm(training(network, run, ["--dimensions", "\(dimensions)"]))
    #expect(result.status == 0, "\(result.errors)")
    let plan = try run.readDescription().network
    #expect(plan.architecture == network && plan.levels.dimensions == dimensions)
    #expect(plan.dual?.blocks == network.standardDualBlocks(depth: plan.levels.depth))
    let mask = folder.file("mask.nii.gz")
    let predicted = try dualnorm(
      "predict", "--model", run.url.path, "--input", Tiny.data.appendingPathComponent("Site-A/Case00.nii.gz").path,
      "--output", mask.path, "--quiet")
    #expect(predicted.status == 0 && FileManager.default.fileExists(atPath: mask.path), "\(predicted.errors)")
    #expect(try dualnorm("info", run.url.path).output.contains("network:      \(network.rawValue), width 4"))
  }

  /// V-Net has the parameters of an activation; UNet++ and nnU-Net's network have names of their own.
  @Test(.endsSomeTime, arguments: [Architecture.nestedUNet, .vnet, .nnunetResidual]) func resumesToTheBit(
    _ network: Architecture
  ) throws {
    let (whole, parts) = (RunFolder(folder.file("whole")), RunFolder(folder.file("parts")))
    let options = ["--iterations", "6,4"]
    #expect(try dualnorm(training(network, whole, options)).status == 0)
    let command = try RunningCommand(training(network, parts, options))
    while command.isRunning, (try? String(contentsOf: parts.log, encoding: .utf8))?.contains("\nplain,2,") != true {
      usleep(1000)
    }
    command.interrupt()
    #expect(try command.finish().status == 130)
    #expect(try dualnorm("train", "--resume", parts.url.path, "--quiet").status == 0)
    #expect(try Data(contentsOf: whole.log) == Data(contentsOf: parts.log))
    #expect(try Data(contentsOf: whole.model) == Data(contentsOf: parts.model))
  }

  @Test func theTransformerIsConfigurable() throws {
    let run = RunFolder(folder.file("run"))
    let options = ["--transformer-layers", "3", "--transformer-heads", "2"]
    #expect(try dualnorm(training(.transUNet, run, options)).status == 0)
    #expect(try run.readDescription().network.transformer == TransformerPlan(layers: 3, heads: 2))
    try expectRefusal(
      "A transformer of 2 layers and 3 heads does not fit 64 channels of the deepest level; choose 1 to 64 layers, and heads "
        + "that divide 64.", of: training(.transUNet, RunFolder(folder.file("b")), ["--transformer-heads", "3"]))
    try expectRefusal(
      "--transformer-layers is 3, and unet has no transformer; give --network transunet, or leave --transformer-layers out.",
      of: training(.unet, RunFolder(folder.file("b")), ["--transformer-layers", "3"]))
  }

  @Test func aMisspeltDualBlockNamesTheNearestAndAll() throws {
    try expectRefusal(
      "The dual block \"down99\" is no block of residual-unet; the nearest is down1 of inc, down1, down2, down3, down4, mid, "
        + "up1, up2, up3 and up4.",
      of: training(.residualUNet, RunFolder(folder.file("run")), ["--dual-blocks", "inc,down99"]))
    try expectRefusal(
      "The dual block \"dec9\" is no block of nnunet; the nearest is dec3 of enc0, enc1, enc2, enc3, enc4, dec3, dec2, dec1 "
        + "and dec0.", of: training(.nnunet, RunFolder(folder.file("run")), ["--dual-blocks", "dec9"]))
    try expectRefusal(
      "The dual block \"mid\" is no block of unet; the nearest is inc of inc, down1, down2, down3, down4, up1, up2, up3 and "
        + "up4.", of: training(.unet, RunFolder(folder.file("run")), ["--dual-blocks", "mid"]))
  }
}
