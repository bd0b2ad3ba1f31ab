import Foundation
import MedicalImaging
import Testing

@testable import DualNorm
@testable import Scores

/// The options `--adapt` and `--mask-source` of evaluate and predict.
@Suite struct AdaptTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func evaluate(_ name: String, run: URL? = nil, _ options: String...) throws -> URL {
    let output = folder.file(name)
    let result = try dualnorm(
      [
        "evaluate", "--model", run?.path ?? Tiny.run.path, "--data", Tiny.data.path, "--output", output.path,
        "--threads", "1", "--quiet", "--split", "all",
      ] + options)
    #expect(result.status == 0 && messagesBesideWarnings(result.errors) == "")
    return output
  }

  private func train(_ options: String...) throws -> URL {
    let run = folder.file("run")
    let result = try dualnorm(
      ["train", "--data", Tiny.data.path, "--output", run.path] + Tiny.quick + options)
    #expect(result.status == 0 && messagesBesideWarnings(result.errors) == "")
    return run
  }

  private func table(_ evaluation: URL) throws -> ScoreTable {
    try JSONDecoder().decode(
      ScoreTable.self, from: Data(contentsOf: evaluation.appendingPathComponent("scores.json")))
  }

  private func masks(_ folder: URL) throws -> [String: LabelMap] {
    let files = contents(of: folder).filter { $0.hasSuffix(".nii.gz") }
    return try Dictionary(
      uniqueKeysWithValues: files.map { ($0, try LabelMap(contentsOf: folder.appendingPathComponent($0))) })
  }

  @Test func adaptedPassesStandBesideTheOthers() throws {
    let plain = try evaluate("plain")
    let adapted = try evaluate("adapted", "--adapt", "case")
    let table = try table(adapted)
    #expect(table.passes == ["first", "final", "first+adapt", "final+adapt"])
    #expect(table.scores.filter { !$0.pass.hasSuffix("+adapt") } == (try self.table(plain)).scores)
    let csv = try String(contentsOf: adapted.appendingPathComponent("scores.csv"), encoding: .utf8)
    #expect(csv.components(separatedBy: ",final+adapt,").count == 1 + 12)
    let (before, after) = try (
      masks(adapted.appendingPathComponent("predictions")), masks(adapted.appendingPathComponent("predictions-adapted"))
    )
    #expect(before == (try masks(plain.appendingPathComponent("predictions"))))
    #expect(before.keys == after.keys && before != after)
    #expect(contents(of: plain).allSatisfy { !$0.contains("adapted") })
    // The masks that predict writes.
    let output = folder.file("masks")
    let result = try dualnorm(
      "predict", "--model", Tiny.run.path, "--input", Tiny.data.path, "--output", output.path, "--adapt", "case",
      "--threads", "1", "--quiet")
    #expect(result.status == 0 && messagesBesideWarnings(result.errors) == "")
    #expect(try masks(output) == after)
  }

  @Test func aSiteIsAdaptedToAsAWhole() throws {
    let byCase = try masks(try evaluate("case", "--adapt", "case").appendingPathComponent("predictions-adapted"))
    let bySite = try masks(try evaluate("site", "--adapt", "site").appendingPathComponent("predictions-adapted"))
    #expect(byCase.keys == bySite.keys && byCase != bySite)
    let output = folder.file("masks")
    #expect(
      try dualnorm(
        "predict", "--model", Tiny.run.path, "--input", Tiny.data.path, "--output", output.path, "--adapt", "site",
        "--threads", "1", "--quiet"
      ).status == 0)
    #expect(try masks(output) == bySite)
    // A single volume is its whole site.
    let single = folder.file("single.nii.gz")
    #expect(
      try dualnorm(
        "predict", "--model", Tiny.run.path, "--input", Tiny.data.appendingPathComponent("Site-A/Case00.nii.gz").path,
        "--output", single.path, "--adapt", "site", "--threads", "1", "--quiet"
      ).status == 0)
    #expect(try LabelMap(contentsOf: single) == byCase["Site-A/Case00.nii.gz"])
  }

  @Test func withoutBatchNormThereIsAWarning() throws {
    let run = try train("--norm", "in", "--dual-blocks", "none")
    let output = folder.file("evaluation")
    let result = try dualnorm(
      "evaluate", "--model", run.path, "--data", Tiny.data.path, "--output", output.path, "--adapt", "case",
      "--threads", "1", "--quiet")
    #expect(result.status == 0)
    #expect(
      result.errors.hasPrefix(
        "Warning: --adapt case changes nothing: the model's norm is in, without batch statistics.\n"))
    #expect(
      try masks(output.appendingPathComponent("predictions"))
        == masks(output.appendingPathComponent("predictions-adapted")))
  }

  @Test func aSliceOfOneValueCannotBeAdaptedTo() throws {
    let scan = folder.file("scan.nii.gz")
    try Image(voxels: (0..<256).map(Float.init), geometry: Geometry(size: [16, 16, 1])).write(to: scan)
    let run = try train("--size", "16,16", "--iterations", "1,0")
    try expectRefusal(
      "\(scan.path): is a single slice of 16×16 pixels (H×W), of which --adapt cannot take statistics; leave --adapt out.",
      of: [
        "predict", "--model", run.path, "--input", scan.path, "--output", folder.file("mask.nii.gz").path, "--adapt",
        "case",
      ])
  }

  @Test func masksOfAnotherSource() throws {
    let own = try evaluate("own")
    let finals = try ["reference", "uniform", "prediction"].map { source in
      let evaluation = try evaluate(source, "--mask-source", source)
      for name in ["Site-A/Case00", "Site-B/Case02"] {
        let path = "first-pass/\(name).nii.gz"
        #expect(
          try LabelMap(contentsOf: evaluation.appendingPathComponent(path))
            == LabelMap(contentsOf: own.appendingPathComponent(path)))
      }
      return try masks(evaluation.appendingPathComponent("predictions"))
    }
    #expect(finals[2] == (try masks(own.appendingPathComponent("predictions"))))
    #expect(finals[0] != finals[2] && finals[1] != finals[2] && finals[0] != finals[1])
  }

  @Test func aModelOfReferenceMasksOnlyEvaluates() throws {
    let run = try train("--mask-source", "reference", "--local-statistics", "measured")
    let network = try RunFolder(run).readDescription().network
    #expect(network.dual?.maskSource == .reference && network.dual?.localStatistics == .measured)
    let saved = try TrainingConfiguration(yaml: RunFolder(run).configuration)
    #expect(saved.maskSource == .reference && saved.localStatistics == .measured)
    #expect(
      try dualnorm("info", run.path).output.contains(
        "(soft masks, reduction 2, reference mask, measured local statistics)\n"))
    let output = folder.file("mask.nii.gz")
    try expectRefusal(
      "\(run.path): its final pass sees the true mask (mask-source reference), which a volume to be segmented does not "
        + "have; use dualnorm evaluate, or a model trained with --mask-source prediction.",
      of: [
        "predict", "--model", run.path, "--input", Tiny.data.appendingPathComponent("Site-A/Case00.nii.gz").path,
        "--output", output.path,
      ])
    #expect(!FileManager.default.fileExists(atPath: output.path))
    #expect(try table(try evaluate("evaluation", run: run)).passes == ["first", "final"])
  }

  @Test func aModelWithoutDualBlocksSeesNoMask() throws {
    let run = try train("--dual-blocks", "none")
    try expectRefusal(
      "\(run.path): has no dual blocks that could see a mask; leave --mask-source out.",
      of: [
        "evaluate", "--model", run.path, "--data", Tiny.data.path, "--output", folder.file("out").path,
        "--mask-source", "uniform",
      ])
  }
}
