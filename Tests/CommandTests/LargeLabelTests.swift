import Foundation
import MedicalImaging
import Testing

@testable import DualNorm
@testable import Scores

/// Masks whose labels take 16 bits, such as FreeSurfer's, through every verb.
@Suite struct LargeLabelTests {
  let folder: TemporaryFolder
  private let values: [LabelValue] = [0, 17, 1035]

  init() throws { folder = try TemporaryFolder() }

  /// `Tiny.data` with 17 and 1035 in place of 1 and 2.
  private func data() throws -> URL {
    let data = try Tiny.copyOfData(to: folder.file("data"))
    for name in contents(of: data) where name.hasSuffix("_segmentation.nii.gz") {
      try change(mask: data.appendingPathComponent(name)) { labels in labels = labels.map { values[Int($0)] } }
    }
    return data
  }

  /// `Tiny.run`, as if it had been trained on these data.
  private func run() throws -> URL {
    let run = RunFolder(folder.file("run"))
    try FileManager.default.copyItem(at: Tiny.run, to: run.url)
    var description = try run.readDescription()
    description.labels = LabelScheme(groups: [[17], [1035]])
    try run.write(description)
    return run.url
  }

  @Test func theyAreLearntUnderTheirValues() throws {
    let output = folder.file("trained")
    let result = try dualnorm(["train", "--data", data().path, "--output", output.path] + Tiny.quick)
    #expect(result.status == 0, "\(result.errors)")
    #expect(try RunFolder(output).readDescription().labels == LabelScheme(groups: [[17], [1035]]))
    let merged = folder.file("merged")
    let options = ["--merge-labels", "17,1035"] + Tiny.quick
    let second = try dualnorm(["train", "--data", folder.file("data").path, "--output", merged.path] + options)
    #expect(second.status == 0, "\(second.errors)")
    #expect(try RunFolder(merged).readDescription().labels.groups == [[17, 1035]])
  }

  /// Masks of 300 values, which two classes hold, as the maps of whole brains or bodies have them.
  @Test func moreLabelsThanANetworkHasAreMerged() throws {
    let data = try Tiny.copyOfData(to: folder.file("many"))
    for name in contents(of: data) where name.hasSuffix("_segmentation.nii.gz") {
      try change(mask: data.appendingPathComponent(name)) { labels in
        for index in 0..<1024 { labels[index] = LabelValue(1 + index / 3 % 299) }
      }
    }
    let output = folder.file("merged")
    let groups: [[LabelValue]] = [[1] + Array(3...150), [2] + Array(151...299)]
    let merging = groups.flatMap { ["--merge-labels", $0.map(String.init).joined(separator: ",")] }
    let result = try dualnorm(["train", "--data", data.path, "--output", output.path] + merging + Tiny.quick)
    #expect(result.status == 0, "\(result.errors)")
    #expect(try RunFolder(output).readDescription().labels.groups == groups)
    let other = folder.file("refused")
    let refused = try dualnorm(["train", "--data", data.path, "--output", other.path] + Tiny.quick)
    #expect(refused.status == 1 && refused.errors.contains(": holds 300 different values, "), "\(refused.errors)")
  }

  /// Masks have 16 bits a voxel, also of a case without a label above 255.
  @Test func theyArePredictedIn16Bits() throws {
    let (run, scan) = (try run(), try Tiny.data.appendingPathComponent("Site-A/Case01.nii.gz"))
    func predict(_ model: URL, _ name: String, _ options: String...) throws -> URL {
      let file = folder.file(name)
      let command = ["predict", "--model", model.path, "--input", scan.path, "--output", file.path, "--quiet"]
      let result = try dualnorm(command + options)
      #expect(result.status == 0, "\(result.errors)")
      return file
    }
    let small = try LabelMap(contentsOf: predict(Tiny.run, "small.nii"))
    let large = try predict(run, "large.nii")
    #expect(try LabelMap(contentsOf: large).voxels == small.voxels.map { values[Int($0)] })
    #expect(
      try fileSize(large) == 352 + 2 * small.voxels.count
        && fileSize(folder.file("small.nii")) == 352 + small.voxels.count)
  }

  @Test func theirScoresAreThoseOfSmallLabels() throws {
    func scores(_ model: URL, _ data: URL, _ name: String) throws -> String {
      let result = try dualnorm(
        "evaluate", "--model", model.path, "--data", data.path, "--output", folder.file(name).path, "--quiet")
      #expect(result.status == 0, "\(result.errors)")
      return try String(contentsOf: folder.file("\(name)/scores.csv"), encoding: .utf8)
    }
    let small = try scores(Tiny.run, Tiny.data, "small")
    #expect(small.contains(",1,1,label 1,found,") && small.contains(",2,2,label 2,found,"))
    let expected = small.replacingOccurrences(of: ",1,1,label 1,", with: ",1,17,label 17,")
      .replacingOccurrences(of: ",2,2,label 2,", with: ",2,1035,label 1035,")
    #expect(try scores(run(), data(), "large") == expected)
  }

  @Test func theCheckCountsThem() throws {
    let result = try dualnorm("check", try data().path)
    #expect(
      result.status == 0 && result.output.contains("\n  17     3      ")
        && result.output.contains("\n  1035   3      "), "\(result.output)")
  }

  private func fileSize(_ url: URL) throws -> Int {
    try #require(try url.resourceValues(forKeys: [.fileSizeKey]).fileSize)
  }
}
