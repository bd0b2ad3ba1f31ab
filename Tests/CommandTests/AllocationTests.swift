import Foundation
import Testing

@testable import DualNorm

/// Files of a few hundred bytes that claim terabytes are refused before memory is allocated.
///
/// The command may use 400 MB of data memory, and needs 200 MB itself.
@Suite struct AllocationTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private static let limits = "ulimit -d 400000 && ulimit -t 20"

  private func expectRefusal(
    _ file: URL, of arguments: [String], _ location: SourceLocation = #_sourceLocation
  ) throws {
    let result = try dualnorm(arguments, limits: Self.limits)
    #expect(result.status == 1 && result.output == "", sourceLocation: location)
    #expect(
      result.errors.hasPrefix("Error: \(file.path): ") && result.errors.filter(\.isNewline).count == 1,
      "\(result.errors)", sourceLocation: location)
  }

  @Test func theLimitIsEnoughForWork() throws {
    let result = try dualnorm(
      [
        "predict", "--model", Tiny.run.path, "--input", Tiny.data.appendingPathComponent("Site-A/Case00.nii.gz").path,
        "--output", folder.file("mask.nii.gz").path, "--threads", "1", "--quiet",
      ], limits: Self.limits)
    #expect(result.status == 0 && result.errors == "")
  }

  @Test func volumesThatClaimTerabytes() throws {
    var one = try Data(contentsOf: fixtures.appendingPathComponent("imaging/big-endian.nii"))
    for axis in 0..<3 { one.replaceSubrange(42 + 2 * axis..<44 + 2 * axis, with: [0x7f, 0xff]) }
    var two = try Data(contentsOf: fixtures.appendingPathComponent("imaging/nifti2-big-endian.nii"))
    for axis in 0..<3 { two.replaceSubrange(24 + 8 * axis..<32 + 8 * axis, with: [0, 0, 0, 0, 0, 0, 0x40, 0]) }
    var overflowing = two
    for axis in 0..<3 {
      overflowing.replaceSubrange(24 + 8 * axis..<32 + 8 * axis, with: [0x7f] + [UInt8](repeating: 0xff, count: 7))
    }
    func text(_ name: String, _ from: String, _ to: String) throws -> Data {
      var data = try Data(contentsOf: fixtures.appendingPathComponent("imaging/\(name)"))
      data.replaceSubrange(try #require(data.range(of: Data(from.utf8))), with: Data(to.utf8))
      return data
    }
    for (name, contents) in [
      ("one.nii", one), ("two.nii", two), ("overflowing.nii", overflowing),
      ("meta.mha", try text("type-i2.mha", "DimSize = 5 4 3", "DimSize = 16384 16384 16384")),
      ("nrrd.nrrd", try text("type-i2.nrrd", "sizes: 5 4 3", "sizes: 16384 16384 16384")),
      ("packed.mha", try text("type-f4.mha", "DimSize = 5 4 3", "DimSize = 16384 16384 16384")),
      ("packed.nrrd", try text("type-f4.nrrd", "sizes: 5 4 3", "sizes: 16384 16384 16384")),
    ] {
      let file = folder.file(name)
      try contents.write(to: file)
      try expectRefusal(file, of: ["score", "--prediction", file.path, "--reference", file.path])
    }
    for name in ["huge.png", "huge.jpg", "huge.tif"] {
      let file = fixtures.appendingPathComponent("images/\(name)")
      let mask = fixtures.appendingPathComponent("images/mask.tif")
      try expectRefusal(
        file,
        of: name == "huge.jpg"
          ? [
            "predict", "--model", Tiny.run.path, "--input", file.path, "--output", folder.file("m").path, "--threads",
            "1",
          ]
          : ["score", "--prediction", file.path, "--reference", mask.path])
    }
  }

  @Test(arguments: [
    #"{"inc.conv.0.weight":{"dtype":"F32","shape":[1099511627776],"data_offsets":[0,8]}}"#,
    #"{"inc.conv.0.weight":{"dtype":"F32","shape":[4611686018427387904,0,1,1],"data_offsets":[0,0]}}"#,
    #"{"inc.conv.0.weight":{"dtype":"F32","shape":[1,2,1,1],"data_offsets":[0,8]},"mid.block.conv_0.weight":{"dtype":"F32","shape":[16,16,3,3],"data_offsets":[8,9224]},"outc.conv.2.weight":{"dtype":"F32","shape":[1099511627776,0,1,1],"data_offsets":[9224,9224]}}"#,
  ]) func weightsThatClaimTerabytes(header: String) throws {
    let file = folder.file("weights.safetensors")
    let contents = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Data($0) } + Data(header.utf8)
    let size = header.contains("9224") ? 9224 : header.contains("[0,8]") ? 8 : 0
    try (contents + Data(count: size)).write(to: file)
    try expectRefusal(file, of: ["import", file.path, "--output", folder.file("run").path])
    #expect(contents.count < 1000)
  }

  /// The description asks for a network of 13 GB; the weights are those of a small one.
  @Test func aModelThatClaimsToBeLarge() throws {
    let run = RunFolder(folder.file("run"))
    try FileManager.default.copyItem(at: Tiny.run, to: run.url)
    var description = try run.readDescription()
    description.network.width = 1024
    try run.write(description)
    let result = try dualnorm(
      [
        "predict", "--model", run.url.path, "--input", Tiny.data.path, "--output", folder.file("masks").path,
        "--threads", "1",
      ],
      limits: Self.limits)
    #expect(result.status == 1)
    #expect(
      result.errors.wholeMatch(
        of:
          /Error: .*\/model.safetensors: holds \d+ numbers, far fewer than the network of .*\/model.json has; restore both files from the same run.\n/
      ) != nil, "\(result.errors)")
  }

  @Test func optionsThatMultiply() throws {
    let file = folder.file("options.yaml")
    var text = "width: &a0 [1, 1]\n"
    for level in 1...9 {
      text += "k\(level): &a\(level) [*a\(level - 1), *a\(level - 1), *a\(level - 1), *a\(level - 1)]\n"
    }
    try Data(text.utf8).write(to: file)
    try expectRefusal(
      file, of: ["train", "--data", Tiny.data.path, "--output", folder.file("run").path, "--config", file.path])
  }
}
