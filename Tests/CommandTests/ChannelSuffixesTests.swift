import Foundation
import MedicalImaging
import Testing

@testable import DualNorm

/// Files named as another channel than `predict` is given them as.
@Suite struct ChannelSuffixesTests {
  let folder: TemporaryFolder
  private let models = fixtures.appendingPathComponent("nnunet")

  init() throws { folder = try TemporaryFolder() }

  private func imported(_ name: String) throws -> URL {
    let run = folder.file(name)
    let result = try dualnorm(
      "import", models.appendingPathComponent(name).path, "--output", run.path, "--quiet")
    #expect(result.status == 0, "\(result.errors)")
    return run
  }

  /// Runs `predict` and returns its warnings of names.
  private func warnings(_ model: URL, _ inputs: [URL]) throws -> [String] {
    let result = try dualnorm(
      ["predict", "--model", model.path, "--output", folder.file("masks").path, "--threads", "1", "--quiet"]
        + inputs.flatMap { ["--input", $0.path] })
    #expect(result.status == 0, "\(result.errors)")
    return result.errors.split(separator: "\n").map(String.init).filter { $0.contains("named as another channel") }
  }

  /// Copies the file of a channel under another name.
  private func copy(_ source: URL, as name: String) throws -> URL {
    let target = folder.file(name)
    try FileManager.default.createDirectory(
      at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
    try FileManager.default.copyItem(at: source, to: target)
    return target
  }

  @Test func channelsInAnotherOrder() throws {
    let run = try imported("plain-3d-mr")
    let names = try RunFolder(run).readDescription().modalities
    #expect(names.count == 2)
    let files = (0..<2).map { models.appendingPathComponent("plain-3d-mr/input/first_000\($0).nii.gz") }
    #expect(try warnings(run, files).isEmpty)
    #expect(
      try warnings(run, files.reversed()) == [
        "Warning: \(files[1].path): is named as another channel (_0001) than modality 1 of 2, \(names[0]); give the files in "
          + "the order \(names[0]) and \(names[1]), or rename them."
      ])
    // Numbers of two cases are no channels.
    let others = [try copy(files[0], as: "t1_0002.nii.gz"), try copy(files[1], as: "t2_0001.nii.gz")]
    #expect(try warnings(run, others).isEmpty)
  }

  @Test func theSecondChannelForAModelOfOne() throws {
    let run = try imported("residual-3d")
    let name = try RunFolder(run).readDescription().modalities[0]
    let source = models.appendingPathComponent("residual-3d/input/first_0000.nii.gz")
    #expect(try warnings(run, [source]).isEmpty)
    let (first, second) = (try copy(source, as: "scans/a_0000.nii.gz"), try copy(source, as: "scans/a_0001.nii.gz"))
    let warning =
      "Warning: \(second.path): is named as another channel (_0001), and the model takes only _0000 (\(name)); give the "
      + "file of that channel, or rename this one."
    #expect(try warnings(run, [first]).isEmpty)
    #expect(try warnings(run, [second]) == [warning])
    #expect(try warnings(run, [folder.file("scans")]) == [warning])
  }

  /// Frames are numbered too, and only nnU-Net's models name each file by its channel.
  @Test func numbersAreNoChannelsForOtherModels() throws {
    let source = try Tiny.data.appendingPathComponent("Site-A/Case01.nii.gz")
    let file = try copy(source, as: "frame_0001.nii.gz")
    #expect(try warnings(Tiny.run, [file]).isEmpty)
  }
}
