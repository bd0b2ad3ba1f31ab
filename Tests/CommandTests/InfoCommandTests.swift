import Foundation
import Testing

@testable import DualNorm

@Suite struct InfoCommandTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test func runFolder() throws {
    let result = try dualnorm("info", Tiny.run.path)
    #expect(
      try result.output == """
        network:      width 4, 3 channels in, 3 classes out, norm bn, deep supervision, dual blocks inc down1 down2 down3 (soft masks, reduction 2)
        preparation:  whiten per volume by its brighter voxels, no resampling, windows of 32×32 (H×W), 3 slices an input
        classes:      label 1 (1), label 2 (2)
        modalities:   image
        components:   the largest is \(RunFolder(Tiny.run).readDescription().largestComponentSummary())
        trained on:   Site-A, Site-B
        weights:      286 tensors, 300180 numbers

        """)
    #expect(result.status == 0 && result.errors == "")
  }

  @Test func unfinishedRun() throws {
    let run = folder.file("run")
    try FileManager.default.copyItem(at: Tiny.run, to: run)
    try FileManager.default.removeItem(at: RunFolder(run).model)
    let result = try dualnorm("info", run.path)
    #expect(result.status == 0)
    let lines = result.output.split(separator: "\n").suffix(2)
    #expect(lines.first == "weights:      none yet; its training is not finished")
    let reached = /checkpoint:   dual stage, 60 iterations done, best validation Dice 0\.\d{3} after (20|40|60)/
    #expect(lines.last?.wholeMatch(of: reached) != nil)
  }

  /// A run's `last.safetensors` holds more than weights.
  @Test func checkpointOfARun() throws {
    let checkpoints = RunFolder(try Tiny.run).checkpoints
    let network =
      "network:      width 4, 3 channels in, 3 classes out, norm bn, deep supervision, dual blocks inc down1 down2 down3 (soft masks, reduction 2)"
    for name in ["last", "dual-best"] {
      let result = try dualnorm("info", checkpoints.appendingPathComponent("\(name).safetensors").path)
      let lines = result.output.split(separator: "\n").map(String.init)
      #expect(result.status == 0 && result.errors == "")
      #expect(lines.suffix(2) == [network, "weights:      286 tensors, 300180 numbers"])
      #expect(lines.count == (name == "last" ? 3 : 2))
      guard name == "last" else { continue }
      #expect(lines[0].hasPrefix("checkpoint:   dual stage, 60 iterations done, best validation Dice 0."))
      #expect(lines[0].hasSuffix("; beside the weights it holds what the training goes on with"))
    }
  }

  @Test(arguments: ["commands/reference.pth", "weights/all_types.safetensors", "weights/training.pth"])
  func fileOfWeights(name: String) throws {
    let result = try dualnorm("info", fixtures.appendingPathComponent(name).path, "--tensors")
    let lines = result.output.split(separator: "\n")
    #expect(result.status == 0 && result.errors == "")
    switch name {
    case "commands/reference.pth":
      #expect(
        lines[0]
          == "network:      width 2, 3 channels in, 2 classes out, norm bn, dual blocks inc down1 down2 down3 (soft masks, reduction 2)"
      )
      #expect(lines[1] == "weights:      265 tensors, 76049 numbers")
      #expect(lines[2] == "inc.conv.0.weight F32 [2, 3, 1, 1]")
      #expect(lines.count == 2 + 265)
    case "weights/training.pth":
      #expect(lines[0].hasPrefix("taken from:   "))
      #expect(lines[1] == "network:      not a DualNorm-UNet")
    default:
      #expect(lines[0] == "network:      not a DualNorm-UNet")
      #expect(lines.contains("values.I64 I64 [2, 3]"))
    }
  }

  @Test func nonsense() throws {
    let nowhere = folder.file("nowhere").path
    try expectRefusal("\(nowhere): there is no such file or folder; check the path.", of: ["info", nowhere])
    try expectRefusal(
      "\(folder.path): has no model.json, so it is not a run folder; give the folder that train or import wrote.",
      of: ["info", folder.path])
    let text = folder.file("notes.txt")
    try Data("some notes\n".utf8).write(to: text)
    try expectRefusal(
      "\(text.path): is no zip file, as torch.save writes them; give a file of weights.", of: ["info", text.path])
    let hostile = fixtures.appendingPathComponent("weights/hostile_builtins_eval.pth").path
    let result = try dualnorm("info", hostile)
    #expect(result.status == 1 && result.output == "")
    #expect(result.errors.hasPrefix("Error: \(hostile): refers to __builtin__.eval, "))
  }
}
