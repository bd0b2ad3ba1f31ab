import Foundation
import MedicalImaging
import Testing
import Torch

@testable import DualNorm

@Suite struct ImportCommandTests {
  let folder: TemporaryFolder
  private let reference = fixtures.appendingPathComponent("commands/reference.pth")
  private var run: RunFolder { RunFolder(folder.file("run")) }

  init() throws { folder = try TemporaryFolder() }

  /// H is the image's y axis and W its x axis; on volumes that are not square, an exchange would show.
  ///
  /// Slices whose sides are not multiples of 16 are not padded.
  @Test(arguments: ["even.nii", "odd.nii.gz", "large.nii.gz"])
  func predictsWhatTheReferenceNetworkPredicts(name: String) throws {
    let stem = String(name.prefix { $0 != "." })
    #expect(
      try dualnorm("import", reference.path, "--output", run.url.path, "--classes", "2", "--quiet").status == 0)
    try expectPrediction(of: name, [], in: "commands/expected.safetensors", key: stem, tolerance: 1e-4)
  }

  /// Slices larger than the network are seen in windows: those of nnU-Net, and those of MONAI where its starts are the
  /// same.
  @Test(arguments: [
    ("even.nii", "even_nnunet"), ("large.nii.gz", "large_nnunet"), ("even.nii", "even_monai"),
  ])
  func windowsAreJoinedAsOthersJoinThem(name: String, key: String) throws {
    #expect(
      try dualnorm("import", reference.path, "--output", run.url.path, "--size", "32,32", "--quiet").status == 0)
    try expectPrediction(of: name, ["--overlap", "0.5"], in: "windows/expected.safetensors", key: key, tolerance: 1e-5)
  }

  /// Compares the foreground's probabilities of both passes with those in a file.
  private func expectPrediction(
    of name: String, _ options: [String], in file: String, key: String, tolerance: Float
  ) throws {
    let input = fixtures.appendingPathComponent("commands/\(name)")
    let result = try dualnorm(
      [
        "predict", "--model", run.url.path, "--input", input.path, "--output", folder.file("mask.nii.gz").path,
        "--probabilities", "--first-pass", "--no-largest-component", "--threads", "1", "--quiet",
      ] + options)
    #expect(result.status == 0 && result.errors == "")
    let expected = try Safetensors.read(fixtures.appendingPathComponent(file)).tensors
    let foreground = floats(try #require(expected.first { $0.name == key }).tensor.data)
    let count = foreground.count / 2
    for (pass, suffix) in ["_first", ""].enumerated() {
      let probabilities = try floats(of4D: folder.file("mask\(suffix)_probabilities.nii.gz"))
      #expect(probabilities.count == 2 * count)
      let (background, found) = (probabilities.prefix(count), probabilities.suffix(count))
      #expect(largestDifference(found, foreground[pass * count..<(pass + 1) * count]) < tolerance)
      #expect(largestDifference(found, background.map { 1 - $0 }) < 1e-5)
      let mask = try LabelMap(contentsOf: folder.file("mask\(suffix).nii.gz"))
      #expect(mask.voxels == zip(background, found).map { $0 < $1 ? 1 : 0 })
    }
    // The passes differ by far more than the tolerance.
    #expect(largestDifference(foreground.prefix(count), foreground.suffix(count)) > 0.1)
  }

  @Test func saysWhatItFound() throws {
    let result = try dualnorm("import", reference.path, "--output", run.url.path, "--size", "64,48")
    #expect(result.status == 0 && result.errors == "Imported 265 tensors to \(run.url.path).\n")
    let summary = """
      network:      width 2, 3 channels in, 2 classes out, norm bn, dual blocks inc down1 down2 down3 (soft masks, reduction 2)
      preparation:  whiten per volume, no resampling, windows of 64×48 (H×W), 3 slices an input
      classes:      label 1 (1)
      modalities:   image
      components:   the largest is kept of all classes, as published

      """
    #expect(result.output == summary)
    #expect(contents(of: run.url) == ["config.yaml", "model.json", "model.safetensors"])
    let info = try dualnorm("info", run.url.path)
    #expect(info.status == 0 && info.output == summary + "weights:      265 tensors, 76049 numbers\n")
  }

  @Test func theConfigurationSaysWhatWasFound() throws {
    let options = ["--mask", "hard", "--local-statistics", "measured", "--whitening", "foreground", "--quiet"]
    #expect(try dualnorm(["import", reference.path, "--output", run.url.path] + options).status == 0)
    let configuration = try TrainingConfiguration(yaml: run.configuration)
    #expect(configuration.width == 2 && configuration.norm == .bn && configuration.context == 3)
    #expect(configuration.dualBlocks == [.inc, .down1, .down2, .down3] && configuration.reduction == 2)
    #expect(configuration.mask == .hard && configuration.localStatistics == .measured)
    #expect(configuration.whitening == .foreground)
    let description = try run.readDescription()
    #expect(description.preparation.whitening == .foreground && description.network.dual?.localStatistics == .measured)
  }

  @Test func takesTheWeightsOfARun() throws {
    let trained = RunFolder(try Tiny.run)
    let result = try dualnorm("import", trained.model.path, "--output", run.url.path, "--classes", "3")
    #expect(result.status == 0)
    #expect(try Data(contentsOf: run.model) == Data(contentsOf: trained.model))
    #expect(try run.readDescription().network == trained.readDescription().network)
  }

  @Test(arguments: [
    ("--classes 3", "FILE: holds 2 classes (background included), not the 3 of --classes."),
    ("--modalities 2", "--modalities is 2, which does not divide the 3 channels of FILE."),
    ("--labels 1,2", "--labels names 2 labels; give 1 different ones above 0, one a foreground class."),
    ("--size 30,30", "The network's size 30×30 must be multiples of 16 from 16 to 4096, such as 32×32."),
    (
      "--window 275,-125", "The window 275.0 to -125.0 must go from a lower to a higher intensity, such as -125 to 275."
    ),
  ])
  func refusesOptions(options: String, sentence: String) throws {
    try expectRefusal(
      sentence.replacingOccurrences(of: "FILE", with: reference.path),
      of: ["import", reference.path, "--output", run.url.path] + options.split(separator: " ").map(String.init))
    #expect(contents(of: folder.url) == [])
  }

  @Test(arguments: [
    (
      "hostile_os_system.pth",
      "refers to os.system, which a checkpoint of weights has no need of; nothing of it was executed, save the weights "
        + "alone: torch.save(model.state_dict(), 'weights.pth')."
    ),
    (
      "network.pth",
      "holds no DualNorm-UNet: inc.conv.0.weight is missing; give a checkpoint of the authors' network, or one that train "
        + "wrote."
    ),
    (
      "trained.safetensors",
      "holds no DualNorm-UNet: inc.conv.0.weight is missing; give a checkpoint of the authors' network, or one that train "
        + "wrote."
    ),
  ])
  func refusesOtherWeights(name: String, sentence: String) throws {
    let file = fixtures.appendingPathComponent("weights/\(name)").path
    try expectRefusal("\(file): \(sentence)", of: ["import", file, "--output", run.url.path])
    #expect(contents(of: folder.url) == [])
  }

  @Test func refusesATruncatedCheckpoint() throws {
    let file = folder.file("cut.pth")
    try Data(contentsOf: reference).dropLast(3000).write(to: file)
    let sentence =
      "\(file.path): does not end like a zip file; it is cut short or damaged, copy or save it again."
    try expectRefusal(sentence, of: ["import", file.path, "--output", run.url.path])
    try expectRefusal(sentence, of: ["info", file.path])
    #expect(contents(of: folder.url) == ["cut.pth"])
  }

  /// Its first level implies a network of 77 GB.
  @Test func refusesAWidthWithoutItsWeights() throws {
    let file = folder.file("wide.safetensors")
    let state = [
      ("inc.conv.0.weight", Tensor(repeating: 0, shape: [1024, 3, 1, 1])),
      ("mid.block.conv_0.weight", Tensor(repeating: 0, shape: [32, 32, 3, 3])),
      ("outc.conv.2.weight", Tensor(repeating: 0, shape: [2, 1024, 1, 1])),
    ]
    try Safetensors(tensors: state.map { ($0, $1.stored) }).write(to: file)
    try expectRefusal(
      "\(file.path): holds no DualNorm-UNet: mid.block.conv_0.weight is of shape [32, 32, 3, 3]; give a checkpoint of the "
        + "authors' network, or one that train wrote.", of: ["import", file.path, "--output", run.url.path])
  }

  /// Layer norm has a weight a pixel, so larger slices are seen in windows of its size.
  @Test func layerNormKeepsItsSize() throws {
    let network = try DualNormNetwork(
      NetworkPlan(classes: 2, width: 2, norm: .ln, size: Extent(height: 48, width: 32)), seed: 1)
    let file = folder.file("weights.safetensors")
    try Safetensors(tensors: network.parameters.stateDictionary).write(to: file)
    try expectRefusal(
      "\(file.path): the network works for windows of 48×32 only, and the preparation makes 64×64; make both the "
        + "same.", of: ["import", file.path, "--output", run.url.path, "--size", "64,64"])
    #expect(try dualnorm("import", file.path, "--output", run.url.path, "--quiet").status == 0)
    let (even, odd, mask) = ("commands/even.nii", "commands/odd.nii.gz", folder.file("mask.nii.gz"))
    let inputs = [even, odd].map { fixtures.appendingPathComponent($0).path }
    func predict(_ input: String) -> [String] {
      ["predict", "--model", run.url.path, "--input", input, "--output", mask.path, "--quiet"]
    }
    for input in inputs {
      #expect(try dualnorm(predict(input)).status == 0)
      #expect(try LabelMap(contentsOf: mask).geometry == Image(contentsOf: URL(fileURLWithPath: input)).geometry)
    }
  }

  private func largestDifference(_ a: some Sequence<Float>, _ b: some Sequence<Float>) -> Float {
    zip(a, b).map { abs($0 - $1) }.max() ?? .nan
  }

  /// The values of a float32 NIfTI [x, y, z, class] with two classes, one class after the other.
  private func floats(of4D url: URL) throws -> [Float] {
    let plain = folder.file("plain.nii")
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", "gzip -dc \"$0\" > \"$1\"", url.path, plain.path]
    try process.run()
    process.waitUntilExit()
    let bytes = try Data(contentsOf: plain)
    #expect(bytes[40] == 4, "dimensions")
    #expect(bytes[48] == 2, "length of the fourth")
    #expect(bytes[70] == 16, "float32")
    return floats(bytes.dropFirst(352))
  }

  private func floats(_ data: Data) -> [Float] {
    let bytes = [UInt8](data)
    return stride(from: 0, to: bytes.count, by: 4).map { start in
      Float(bitPattern: (0..<4).reduce(0) { $0 | UInt32(bytes[start + $1]) << (8 * $1) })
    }
  }
}
