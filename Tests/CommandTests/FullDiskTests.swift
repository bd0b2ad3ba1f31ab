import Basics
import Foundation
import MedicalImaging
import Testing
import Torch

@testable import DualNorm

/// Commands on a full disk: one sentence, no incomplete file, and the work continues once there is room.
@Suite struct FullDiskTests {
  let disk: SmallDisk

  init() throws { disk = try SmallDisk() }

  /// The room grows when the same file is refused twice.
  ///
  /// So the run meets a full disk at its start, its log, its events, its checkpoints and its best weights. Finally
  /// there is room for all.
  @Test(.endsSomeTime) func aTrainingGoesOnOnceThereIsRoom() throws {
    let run = RunFolder(disk.file("run"))
    func train() throws -> (status: Int32, output: String, errors: String) {
      let isThere = FileManager.default.fileExists(atPath: run.configuration.path)
      return try disk.dualnorm(isThere ? ["train", "--resume", run.url.path, "--quiet"] : Brief.arguments(run))
    }
    var refused: [String] = []
    var pages = 0
    while pages < 1000 {
      try disk.fill(leaving: pages)
      let last = FileManager.default.fileExists(atPath: run.last.path) ? try iteration(run) : nil
      let result = try train()
      if result.status == 0 { break }
      let file = try #require(disk.refusedFile(result), "with \(pages) pages")
      let name = file.hasPrefix("run/tensorboard/") ? "events" : String(file.dropFirst("run/".count))
      // The checkpoint is always the previous or a newer one.
      if let last { #expect(try iteration(run) >= last, "\(name)") }
      if name == refused.last { pages = pages < 4 ? pages + 1 : pages * 2 }
      refused.append(name)
    }
    print("refused: \(refused)")
    let start = disk.isReal ? ["config.yaml", "model.json", "splits.json"] : []
    for name in start + ["facts.json", "events", "checkpoints/last.safetensors"] {
      #expect(refused.contains(name), "\(refused)")
    }
    try disk.makeRoom()
    let end = try train()
    #expect(end.status == 0 && messagesBesideWarnings(end.errors) == "")
    #expect(try Brief.differences(of: run) == [])
    #expect(try Data(contentsOf: run.facts) == Data(contentsOf: Brief.run.folder.facts))
  }

  /// The checkpoint's iteration, counted through both stages.
  private func iteration(_ run: RunFolder) throws -> Int {
    let state = try #require(try Safetensors.read(run.last).metadata["state"])
    let iteration = try #require(state.firstMatch(of: /"iteration":(\d+)/).flatMap { Int($0.1) })
    return iteration + (state.contains("\"stage\":\"dual\"") ? 14 : 0)
  }

  /// A mask of 4,448 bytes before compression, probabilities of twelve times as many, and a DICOM object.
  @Test(
    .endsSomeTime,
    arguments: [
      ("mask.nii.gz", [0, 1, 2]), ("mask.nii", [0, 1]), ("mask.dcm", [0, 1]), ("probabilities", [8, 13]),
    ])
  func aPredictionIsWholeOrNotThere(name: String, pages: [Int]) throws {
    let isDICOM = name.hasSuffix(".dcm")
    let input =
      isDICOM
      ? fixtures.appendingPathComponent("dicom/oblique") : try Tiny.data.appendingPathComponent("Site-A/Case00.nii.gz")
    let takesProbabilities = name == "probabilities"
    let mask = takesProbabilities ? "mask.nii.gz" : name
    let arguments =
      [
        "predict", "--model", try Tiny.run.path, "--input", input.path, "--output", disk.file(mask).path, "--threads",
        "1",
      ]
      + ["--quiet"] + (takesProbabilities ? ["--probabilities"] : [])
    for pages in pages where disk.isReal || pages < 2 {
      try disk.fill(leaving: pages)
      let refused = disk.refusedFile(try disk.dualnorm(arguments))
      #expect(refused == (takesProbabilities ? "mask_probabilities.nii.gz" : mask), "with \(pages) pages")
      #expect(disk.contents == (takesProbabilities ? ["mask.nii.gz"] : []), "with \(pages) pages")
    }
    try disk.makeRoom()
    let end = try disk.dualnorm(arguments)
    #expect(end.status == 0 && messagesBesideWarnings(end.errors) == "")
    #expect(disk.contents == (takesProbabilities ? ["mask.nii.gz", "mask_probabilities.nii.gz"] : [mask]))
    if takesProbabilities {
      // The compressed file is complete, checksum included; its reader refuses it only as 4-D.
      let file = disk.file("mask_probabilities.nii.gz")
      #expect(
        throws: Refusal(
          .image,
          sentence: "\(file.path): a 4-D file (32×32×4×3); expected a 3-D volume: split it into one file a channel.")
      ) {
        try Image(contentsOf: file)
      }
    } else if !isDICOM {
      #expect(try LabelMap(contentsOf: disk.file(mask)).voxels.contains { $0 > 0 })
    }
  }

  /// Files that an evaluation wrote before the disk was full are complete: they equal those of one with room.
  @Test(.endsSomeTime) func anEvaluationLeavesWholeFiles() throws {
    func evaluate(_ output: URL) throws -> (status: Int32, output: String, errors: String) {
      try disk.dualnorm([
        "evaluate", "--model", try Tiny.run.path, "--data", try Tiny.data.path, "--output", output.path, "--threads",
        "1",
        "--quiet",
      ])
    }
    let whole = disk.file("whole")
    #expect(try evaluate(whole).status == 0)
    var refused: [String] = []
    for (number, pages) in [0, 3, 14, 16, 30, 36, 42, 48, 56].enumerated() where disk.isReal || number == 1 {
      try disk.fill(leaving: pages)
      let output = disk.file("evaluation")
      refused.append(String(disk.refusedFile(try evaluate(output))?.dropFirst("evaluation/".count) ?? "?"))
      for name in contents(of: output) where !name.hasSuffix(".json") || !name.hasPrefix("evaluation") {
        var isFolder: ObjCBool = false
        let file = output.appendingPathComponent(name)
        guard FileManager.default.fileExists(atPath: file.path, isDirectory: &isFolder), !isFolder.boolValue else {
          continue
        }
        #expect(try Data(contentsOf: file) == Data(contentsOf: whole.appendingPathComponent(name)), "\(name)")
      }
      try FileManager.default.removeItem(at: output)
    }
    print("refused: \(refused)")
    let expected =
      disk.isReal ? ["evaluation.json", "first-pass/", "predictions/", "scores.json", "sheet.png"] : ["scores.json"]
    #expect(expected.filter { part in !refused.contains { $0.hasPrefix(part) } } == [], "\(refused)")
  }

  @Test func aReportAndAPrintedResult() throws {
    let page = disk.file("report.html")
    let report = ["report", try Tiny.run.path, "--output", page.path, "--threads", "1", "--quiet"]
    try disk.fill(leaving: 3)
    #expect(disk.refusedFile(try disk.dualnorm(report)) == "report.html")
    #expect(disk.contents == [])
    try disk.makeRoom()
    #expect(try disk.dualnorm(report).status == 0)
    #expect(try String(contentsOf: page, encoding: .utf8).hasSuffix("</html>\n"))
    guard disk.isReal else { return }
    for pages in [0, 1] {
      try disk.fill(leaving: pages)
      let check = try disk.dualnorm(
        ["check", try Tiny.data.path, "--format", "json", "--quiet"], output: disk.file("check.json"))
      #expect(check.status == 1)
      #expect(check.errors.hasPrefix("Error: Standard output cannot be written ("))
      #expect(check.errors.hasSuffix("); make room where it goes, or send it elsewhere.\n"))
    }
  }
}
