import Foundation
import Testing
import Torch

@testable import DualNorm

/// Exports of a run folder, and uses of an unfinished run.
@Suite struct ExportCommandTests {
  let folder: TemporaryFolder
  private var model: RunFolder { RunFolder(folder.file("model")) }

  init() throws { folder = try TemporaryFolder() }

  private func predict(_ run: URL, _ output: String) throws -> (mask: Data, errors: String) {
    let mask = folder.file(output)
    let image = try Tiny.data.appendingPathComponent("Site-A/Case00.nii.gz").path
    let result = try dualnorm(
      "predict", "--model", run.path, "--input", image, "--output", mask.path, "--threads", "1", "--quiet")
    #expect(result.status == 0)
    return (try Data(contentsOf: mask), result.errors)
  }

  @Test func theSlimFolderSegmentsAlike() throws {
    let run = RunFolder(try Tiny.run)
    let result = try dualnorm("export", "-m", run.url.path, "-o", model.url.path)
    #expect(result.status == 0 && result.output == "")
    #expect(result.errors == "Wrote \(model.url.path) (1.2 MB of weights).\n")
    #expect(contents(of: model.url) == ["model.json", "model.safetensors"])
    #expect(try predict(model.url, "slim.nii.gz") == predict(run.url, "whole.nii.gz"))
    // The names, shapes and order of the reference network, which has no outputs for deep supervision.
    let description = try model.readDescription()
    #expect(!description.network.deepSupervision)
    let state = try Safetensors.read(model.model).tensors
    let network = try DualNormNetwork(description.network, seed: 0).parameters.stateDictionary
    #expect(state.map(\.name) == network.map(\.name) && state.map(\.tensor.shape) == network.map(\.tensor.shape))
    #expect(state.allSatisfy { !$0.name.contains("coarse") } && state.count == 265)
    try expectRefusal(
      "\(model.url.path): is not empty; give a new folder for --output, or delete this one first.",
      of: ["export", "--model", run.url.path, "--output", model.url.path])
  }

  /// The best weights so far of the current stage.
  @Test(arguments: [Stage.plain, .dual]) func anUnfinishedRun(stage: Stage) throws {
    let run = RunFolder(folder.file("run"))
    try FileManager.default.copyItem(at: Tiny.run, to: run.url)
    try FileManager.default.removeItem(at: run.model)
    if stage == .plain {
      try FileManager.default.removeItem(at: run.checkpoints.appendingPathComponent("dual-best.safetensors"))
    }
    let found = try predict(run.url, "mask.nii.gz")
    #expect(
      found.errors == "Warning: \(run.url.path): its training is not finished, so the best weights of its "
        + "\(stage.rawValue) stage so far are taken; finish it with dualnorm train --resume \(run.url.path).\n")
    if stage == .dual { #expect(try found.mask == predict(Tiny.run, "whole.nii.gz").mask) }
    let result = try dualnorm("export", "--model", run.url.path, "--output", model.url.path, "--quiet")
    #expect(result.status == 0 && result.errors == found.errors)
    #expect(try (model.readDescription().network.dual == nil) == (stage == .plain))
    #expect(try predict(model.url, "slim.nii.gz").mask == found.mask)
  }
}
