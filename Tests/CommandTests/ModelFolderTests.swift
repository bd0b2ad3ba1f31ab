import Foundation
import Testing

@testable import DualNorm

/// Missing, unfinished and damaged run folders, for predict and info.
@Suite struct ModelFolderTests {
  let folder: TemporaryFolder
  private let run: RunFolder

  init() throws {
    folder = try TemporaryFolder()
    run = RunFolder(folder.file("run"))
    try FileManager.default.copyItem(at: Tiny.run, to: run.url)
  }

  private func expectRefusal(_ sentence: String, _ location: SourceLocation = #_sourceLocation) throws {
    let out = folder.file("out")
    try CommandTests.expectRefusal(
      sentence, of: ["predict", "--model", run.url.path, "--input", Tiny.data.path, "--output", out.path], location)
    #expect(!FileManager.default.fileExists(atPath: out.path), sourceLocation: location)
  }

  @Test func missing() throws {
    try FileManager.default.removeItem(at: run.url)
    let sentence =
      "\(run.url.path): has no model.json, so it is not a run folder; give the folder that train or import wrote."
    try expectRefusal(sentence)
    try Data("a file".utf8).write(to: run.url)
    try expectRefusal(sentence)
  }

  @Test func unfinished() throws {
    try FileManager.default.removeItem(at: run.model)
    try FileManager.default.removeItem(at: run.checkpoints)
    try expectRefusal(
      "\(run.url.path): has no model.safetensors, so its training is not finished; continue it with dualnorm train "
        + "--resume \(run.url.path).")
  }

  @Test func truncatedWeights() throws {
    let bytes = try Data(contentsOf: run.model)
    let header = Int(bytes[1]) << 8 | Int(bytes[0])
    try bytes.dropLast(1000).write(to: run.model)
    try expectRefusal(
      "\(run.model.path): its header describes \(bytes.count - 8 - header) bytes of data, but "
        + "\(bytes.count - 1008 - header) follow; the file is cut short or damaged.")
    try bytes.prefix(10).write(to: run.model)
    try expectRefusal(
      "\(run.model.path): claims a header of \(header) bytes, but 2 follow; it is cut short or no safetensors file.")
    try Data().write(to: run.model)
    try expectRefusal("\(run.model.path): is empty; give a file of weights.")
  }

  @Test func weightsOfAnotherNetwork() throws {
    try FileManager.default.removeItem(at: run.model)
    try FileManager.default.copyItem(
      at: run.checkpoints.appendingPathComponent("plain-best.safetensors"), to: run.model)
    try expectRefusal(
      "\(run.model.path): does not fit the network: missing inc.block.norm_0_aux.param_free_norm.running_mean, "
        + "inc.block.norm_0_aux.param_free_norm.running_var, inc.block.norm_0_aux.param_free_norm.num_batches_tracked, "
        + "inc.block.norm_0_aux.mlp_shared.0.weight, inc.block.norm_0_aux.mlp_shared.0.bias and 67 more; use the weights "
        + "of this configuration.")
  }

  @Test func damagedDescription() throws {
    try Data("{".utf8).write(to: run.description)
    try expectRefusal(
      "\(run.description.path): is not the description of a model (it is not JSON); restore the file.")
  }

  @Test(arguments: [
    (
      "\"width\" : 4", "\"width\" : \"four\"",
      "is not the description of a model (network.width has a value of the wrong kind); restore the file."
    ),
    ("\"width\"", "\"breadth\"", "is not the description of a model (width is missing); restore the file."),
    (
      "\"bn\"", "\"batch\"",
      "is not the description of a model (network.norm has an unknown value); restore the file."
    ),
    ("\"width\" : 4", "\"width\" : 0", "The width is 0; choose 1 to 1024."),
    (
      "\"format\" : ", "\"format\" : 99, \"before\" : ",
      "is of format 99, and this program reads up to 7; use a newer dualnorm."
    ),
    (
      "\"context_slices\" : 3", "\"context_slices\" : 2",
      "The number of context slices is 2; it must be odd (a slice and as many neighbours on each side) and at most 99, "
        + "such as 3."
    ),
    (
      "\"context_slices\" : 3", "\"context_slices\" : 1",
      "the network takes 3 channels, and 1 modalities in 1 slices make 1; restore the file."
    ),
    (
      "      32,\n", "      33,\n",
      "The network's size 33×32 must be multiples of 16 from 16 to 4096, such as 48×32."
    ),
    (
      "      [\n        2\n      ]", "      [\n\n      ]",
      "The label scheme must have at most 255 classes, a name and at least one value from 1 to 65535 for each, and no value twice."
    ),
    (
      "\"width\" : 4", "\"width\" : 4, \"size\" : [48, 32]",
      "the network works for windows of 48×32 only, and the preparation makes 32×32; make both the same."
    ),
  ])
  func description(original: String, replacement: String, sentence: String) throws {
    let text = try String(contentsOf: run.description, encoding: .utf8)
    #expect(text.contains(original))
    let changed = text.replacingOccurrences(of: original, with: replacement)
    try Data(changed.utf8).write(to: run.description)
    try CommandTests.expectRefusal("\(run.description.path): \(sentence)", of: ["info", run.url.path])
  }
}
