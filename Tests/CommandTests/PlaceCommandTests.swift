import Foundation
import MedicalImaging
import Testing

/// Volumes whose headers state their position twice, or not at all.
@Suite struct PlaceCommandTests {
  let folder: TemporaryFolder
  private let scan: URL
  private let doubt: String

  /// Creates a site of three cases. The first image's qform lies 20 mm to the right of its sform, and its mask follows
  /// the qform, as some programs write it.
  init() throws {
    folder = try TemporaryFolder()
    let site = folder.file("data/Site-A")
    try FileManager.default.createDirectory(at: folder.file("data"), withIntermediateDirectories: true)
    try FileManager.default.copyItem(at: Tiny.data.appendingPathComponent("Site-A"), to: site)
    try FileManager.default.removeItem(at: site.appendingPathComponent("all_list.txt"))
    let packed = site.appendingPathComponent("Case00.nii.gz")
    scan = site.appendingPathComponent("Case00.nii")
    try Image(contentsOf: packed).write(to: scan)
    try FileManager.default.removeItem(at: packed)
    var bytes = try Data(contentsOf: scan)
    bytes[254] = 2
    let offset = bytes[268..<272].withUnsafeBytes { $0.loadUnaligned(as: Float.self) } + 20
    bytes.replaceSubrange(268..<272, with: withUnsafeBytes(of: offset) { Data($0) })
    try bytes.write(to: scan)
    try move(mask: site.appendingPathComponent("Case00_segmentation.nii.gz"), byMM: [-20, 0, 0])
    doubt =
      "\(scan.path): its sform and qform lie up to 20 mm apart; its sform was used, and what is written keeps both: make them "
      + "agree, or check where it lies."
  }

  private var data: String { folder.file("data").path }

  @Test func masksAndProbabilitiesKeepBothForms() throws {
    let mask = folder.file("mask.nii")
    let result = try dualnorm(
      "predict", "--model", Tiny.run.path, "--input", scan.path, "--output", mask.path, "--probabilities", "--quiet")
    #expect(result.status == 0)
    #expect(result.errors.contains("Warning: \(doubt)\n"))
    let (before, after) = (try Data(contentsOf: scan), try Data(contentsOf: mask))
    for field in [76..<108, 123..<124, 252..<328] { #expect(after[field] == before[field], "\(field)") }
    let maps = try Data(contentsOf: folder.file("mask_probabilities.nii"))
    #expect(maps[252..<328] == before[252..<328])
    let json = try dualnorm(
      "predict", "--model", Tiny.run.path, "--input", scan.path, "--output", mask.path, "--log-format", "json")
    #expect(json.errors.contains(#""warning":"#) && json.errors.contains("lie up to 20 mm apart"))
  }

  @Test func aMaskByEitherFormIsRight() throws {
    let check = try dualnorm("check", data)
    #expect(check.status == 0)
    #expect((check.output + check.errors).contains("lie up to 20 mm apart"))
    let run = folder.file("run").path
    let training = try dualnorm(["train", "--data", data, "--output", run] + Tiny.quick)
    #expect(training.status == 0)
    #expect(training.errors.contains("lie up to 20 mm apart"))
    let evaluation = try dualnorm(
      "evaluate", "--model", Tiny.run.path, "--data", data, "--output", folder.file("evaluation").path, "--quiet")
    #expect(evaluation.status == 0 && evaluation.errors.contains("Warning: \(doubt)\n"))
    let mask = folder.file("data/Site-A/Case00_segmentation.nii.gz")
    let onImage = folder.file("on-image.nii")
    let grid = try Image(contentsOf: scan).geometry
    try LabelMap(voxels: LabelMap(contentsOf: mask).voxels, geometry: grid).write(to: onImage)
    let score = try dualnorm("score", "--prediction", mask.path, "--reference", onImage.path)
    #expect(score.status == 0 && score.output.contains("1.000"))
  }

  @Test func pairsOfHeaderAndVoxelsAreRead() throws {
    let scans = folder.file("scans")
    try FileManager.default.createDirectory(at: scans, withIntermediateDirectories: true)
    var header = try Data(contentsOf: scan).prefix(352)
    try Data(contentsOf: scan).dropFirst(352).write(to: scans.appendingPathComponent("b.img"))
    header.replaceSubrange(108..<112, with: Data(count: 4))  // data offset: voxels begin at byte 0
    header.replaceSubrange(344..<348, with: Data("ni1\0".utf8))
    try header.write(to: scans.appendingPathComponent("b.hdr"))
    let output = folder.file("out")
    let result = try dualnorm(
      "predict", "--model", Tiny.run.path, "--input", scans.path, "--output", output.path, "--quiet")
    #expect(result.status == 0 && contents(of: output) == ["b.nii.gz"])
    let single = folder.file("single.nii.gz")
    _ = try dualnorm("predict", "--model", Tiny.run.path, "--input", scan.path, "--output", single.path, "--quiet")
    #expect(try LabelMap(contentsOf: output.appendingPathComponent("b.nii.gz")) == LabelMap(contentsOf: single))
  }

  /// The command runs without root's right to read everything.
  @Test func whatMayNotBeReadIsSaidToBeDenied() throws {
    let secret = folder.file("data")
    func refusal(_ arguments: String...) throws -> String {
      let result = try dualnorm(
        arguments,
        limits: #"""
          { test $(id -u) -ne 0 || exec setpriv --bounding-set=-dac_override,-dac_read_search "$0" "$@"; }
          """#)
      #expect(result.status == 1)
      return result.errors
    }
    func denied(_ url: URL, _ whose: String = "its permissions") -> String {
      "Error: \(url.path): may not be read (Permission denied); change \(whose).\n"
    }
    defer { for url in [secret, scan] { try? allow(url, 0o755) } }
    try allow(scan, 0)
    #expect(try refusal("score", "--prediction", scan.path, "--reference", scan.path) == denied(scan))
    try allow(secret, 0)
    #expect(try refusal("check", secret.path) == denied(secret))
    #expect(try refusal("info", secret.path) == denied(secret))
    #expect(
      try refusal("score", "--prediction", scan.path, "--reference", scan.path)
        == denied(scan, "the permissions of the folders that it lies in"))
  }

  private func allow(_ url: URL, _ permissions: Int) throws {
    try FileManager.default.setAttributes([.posixPermissions: permissions], ofItemAtPath: url.path)
  }
}
