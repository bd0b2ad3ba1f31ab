import Foundation
import Testing

@testable import DualNorm
@testable import DualNormCLI

/// Domain-specific batch norm with a site that is given, known by its folder, or unknown.
@Suite struct SiteTests {
  let folder: TemporaryFolder
  private let scan: URL

  init() throws {
    folder = try TemporaryFolder()
    scan = try Tiny.data.appendingPathComponent("Site-A/Case01.nii.gz")
  }

  /// Trains for moments, long enough for the branches to differ.
  private func train(_ options: String...) throws -> RunFolder {
    let run = folder.file("run")
    let result = try dualnorm(
      ["train", "--data", Tiny.data.path, "--output", run.path] + Tiny.quick
        + ["--norm", "dsbn", "--iterations", "8,4", "--batch-size", "4", "--learning-rate", "0.03"] + options)
    #expect(result.status == 0 && messagesBesideWarnings(result.errors) == "")
    return RunFolder(run)
  }

  private func foreground(_ run: RunFolder, input: URL, _ options: String...) throws -> [Float] {
    let output = folder.file("out-\(UUID().uuidString)/mask.nii")
    let result = try dualnorm(
      [
        "predict", "--model", run.url.path, "--input", input.path, "--output", output.path, "--threads", "1",
        "--probabilities", "--quiet",
      ] + options)
    #expect(result.status == 0 && messagesBesideWarnings(result.errors) == "")
    return try channel(
      1, of: output.deletingLastPathComponent().appendingPathComponent("mask_probabilities.nii"))
  }

  /// Reads one class of a float32 NIfTI [x, y, z, class] with a header of 352 bytes.
  private func channel(_ index: Int, of url: URL) throws -> [Float] {
    let bytes = [UInt8](try Data(contentsOf: url).dropFirst(352))
    let count = 32 * 32 * 4
    return (0..<count).map { voxel in
      let at = 4 * (index * count + voxel)
      return Float(bitPattern: (0..<4).reduce(0) { $0 | UInt32(bytes[at + $1]) << (8 * $1) })
    }
  }

  @Test func namedAndUnknownSites() throws {
    let run = try train("--dual-blocks", "none")
    let network = try run.readDescription().network
    #expect(network.norm == .dsbn && network.sites == 2)
    let info = try dualnorm("info", run.url.path)
    #expect(
      info.output.hasPrefix(
        "network:      width 4, 3 channels in, 3 classes out, norm dsbn of 2 sites, deep supervision, no dual blocks\n")
    )
    let a = try foreground(run, input: scan, "--site", "Site-A")
    let b = try foreground(run, input: scan, "--site", "Site-B")
    let unnamed = try foreground(run, input: scan)
    func largest(_ x: [Float], _ y: [Float]) -> Float { zip(x, y).map { abs($0 - $1) }.max()! }
    #expect(largest(a, b) > 1e-3)
    #expect(largest(unnamed, zip(a, b).map { ($0 + $1) / 2 }) < 1e-5)
  }

  /// The folder names the site in `evaluate` and in a folder of sites.
  @Test func theFolderNamesTheSite() throws {
    let run = try train()
    let data = folder.file("data")
    for (source, copy) in [("A", "A"), ("A", "B"), ("A", "X")] {
      for ending in [".nii.gz", "_segmentation.nii.gz"] {
        let target = data.appendingPathComponent("Site-\(copy)/Case01\(ending)")
        try FileManager.default.createDirectory(
          at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
        try FileManager.default.copyItem(
          at: Tiny.data.appendingPathComponent("Site-\(source)/Case01\(ending)"), to: target)
      }
    }
    let options = ["--model", run.url.path, "--threads", "1", "--quiet"]
    let (masks, evaluation) = (folder.file("masks"), folder.file("evaluation"))
    #expect(try dualnorm(["predict", "--input", data.path, "--output", masks.path] + options).status == 0)
    #expect(try dualnorm(["evaluate", "--data", data.path, "--output", evaluation.path] + options).status == 0)
    func mask(_ name: String, _ arguments: [String]) throws -> Data {
      let url = folder.file("\(name).nii.gz")
      #expect(
        try dualnorm(["predict", "--input", scan.path, "--output", url.path] + options + arguments).status == 0)
      return try Data(contentsOf: url)
    }
    let expected = [
      "A": try mask("a", ["--site", "Site-A"]), "B": try mask("b", ["--site", "Site-B"]), "X": try mask("x", []),
    ]
    for (site, bytes) in expected {
      #expect(try Data(contentsOf: masks.appendingPathComponent("Site-\(site)/Case01.nii.gz")) == bytes)
      let path = "predictions/Site-\(site)/Case01.nii.gz"
      #expect(try Data(contentsOf: evaluation.appendingPathComponent(path)) == bytes)
    }
  }

  /// A single file never has a site, even in a folder named like a training site.
  @Test func aSingleFileIsOfNoSite() throws {
    let input = try Tiny.data.appendingPathComponent("Site-A")
    func sites(_ url: URL, _ output: String) throws -> [String?] {
      try PredictionJob.jobs(input: [url], output: folder.file(output), modalities: 1).map(\.site)
    }
    #expect(try sites(scan, "mask.nii.gz") == [nil] && sites(scan, "masks") == [nil])
    let images = folder.file("Site-A")
    try FileManager.default.createDirectory(at: images, withIntermediateDirectories: true)
    try FileManager.default.copyItem(
      at: input.appendingPathComponent("Case00.nii.gz"), to: images.appendingPathComponent("Case00.nii.gz"))
    #expect(try sites(images, "masks") == ["Site-A"])
  }

  @Test func sitesThatAModelDoesNotHave() throws {
    let run = try train("--iterations", "1,0")
    let output = folder.file("mask.nii.gz").path
    func arguments(_ run: URL, _ site: String) -> [String] {
      ["predict", "--model", run.path, "--input", scan.path, "--output", output, "--site", site]
    }
    try expectRefusal(
      "--site is \"Site_B\", which the model was not trained on; the nearest one is \"Site-B\" of Site-A and Site-B; "
        + "without --site an unknown site gets the mean of all.", of: arguments(run.url, "Site_B"))
    try expectRefusal(
      "--site chooses a branch of domain-specific batch norm, and the model's norm is bn; leave --site out.",
      of: arguments(Tiny.run, "Site-A"))
    #expect(!FileManager.default.fileExists(atPath: output))
  }

  @Test func importNamesTheSitesByNumber() throws {
    let run = try train("--iterations", "1,0", "--whitening", "volume")  // the normalization of import
    let imported = RunFolder(folder.file("imported"))
    let arguments = ["import", run.model.path, "--output", imported.url.path]
    try expectRefusal(
      "\(run.model.path): has no dual blocks that --local-statistics could change; leave --local-statistics out.",
      of: arguments + ["--local-statistics", "measured"])
    let result = try dualnorm(arguments + ["--quiet"])
    #expect(result.status == 0 && messagesBesideWarnings(result.errors) == "")
    #expect(try imported.readDescription().sites == ["site 1", "site 2"])
    #expect(
      try foreground(imported, input: scan, "--site", "site 2") == foreground(run, input: scan, "--site", "Site-B"))
  }
}
