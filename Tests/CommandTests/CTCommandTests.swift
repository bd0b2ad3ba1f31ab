import Foundation
import MedicalImaging
import Testing

@testable import DualNorm

/// Data sets of CT from training to prediction.
@Suite struct CTCommandTests {
  let folder: TemporaryFolder
  private var data: URL { folder.file("data") }

  /// `Tiny.data` as one data set whose `dataset.json` names CT.
  init() throws {
    folder = try TemporaryFolder()
    for name in ["imagesTr", "labelsTr"] {
      try FileManager.default.createDirectory(at: folder.file("data/\(name)"), withIntermediateDirectories: true)
    }
    for site in ["Site-A", "Site-B"] {
      for index in 0..<3 {
        for (place, suffix) in [("imagesTr", ""), ("labelsTr", "_segmentation")] {
          try FileManager.default.copyItem(
            at: Tiny.data.appendingPathComponent("\(site)/Case0\(index)\(suffix).nii.gz"),
            to: data.appendingPathComponent("\(place)/\(site)-\(index).nii.gz"))
        }
      }
    }
    let json = #"{"channel_names": {"0": "CT"}, "labels": {"background": 0, "a": 1, "b": 2}, "file_ending": ".nii.gz"}"#
    try Data(json.utf8).write(to: data.appendingPathComponent("dataset.json"))
  }

  private func train(_ name: String, _ options: String...) throws -> RunFolder {
    let run = RunFolder(folder.file(name))
    let result = try dualnorm(["train", "--data", data.path, "--output", run.url.path] + Tiny.quick + options)
    #expect(result.status == 0, "\(result.errors)")
    return run
  }

  @Test func theyAreNormalizedAlike() throws {
    let run = try train("run")
    let plan = try run.readDescription().preparation
    #expect(plan.whitening == .ct && plan.moments != nil && plan.window != nil)
    #expect(try String(contentsOf: run.configuration, encoding: .utf8).contains("whitening: ct"))
    #expect(try String(contentsOf: run.description, encoding: .utf8).contains("\"format\" : 6"))
    _ = try train("run")  // the same command finds the run finished
    let other = try train("other", "--whitening", "foreground").readDescription().preparation
    #expect(other.whitening == .foreground && other.moments == nil)
    let scan = data.appendingPathComponent("imagesTr/Site-A-1.nii.gz").path
    let mask = folder.file("mask.nii.gz").path
    let result = try dualnorm("predict", "--model", run.url.path, "--input", scan, "--output", mask, "--quiet")
    #expect(result.status == 0, "\(result.errors)")
  }

  @Test func weightsFromElsewhereHaveNoSuchMoments() throws {
    let model = try train("run").model.path
    try expectRefusal(
      "--whitening is ct, whose mean and deviation come from training cases; give volume or foreground.",
      of: ["import", model, "--output", folder.file("imported").path, "--whitening", "ct"])
  }
}
