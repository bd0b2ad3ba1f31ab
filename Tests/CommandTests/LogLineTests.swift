import Foundation
import Testing

@testable import Basics

/// With `--log-format json`, each line of standard error is an object, for every verb.
@Suite struct LogLineTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func expectObjects(_ arguments: [String], status: Int32 = 0, atLeast count: Int = 1) throws {
    let result = try dualnorm(arguments + ["--log-format", "json"])
    #expect(result.status == status, "\(result.errors)")
    let lines = result.errors.split(separator: "\n")
    #expect(lines.count >= count, "\(arguments[0]) says something")
    for line in lines {
      let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      #expect(object?.isEmpty == false, "\(arguments[0]): \(line)")
      let sentences = ["message", "warning", "error"].compactMap { object?[$0] as? String }
      #expect(!sentences.contains { $0.contains("\n") }, "a table in \(line)")
    }
  }

  @Test func predictAndEvaluate() throws {
    let scans = folder.file("scans")
    try FileManager.default.createDirectory(at: scans, withIntermediateDirectories: true)
    for name in ["a", "b"] {
      try FileManager.default.copyItem(
        at: Tiny.data.appendingPathComponent("Site-A/Case01.nii.gz"), to: scans.appendingPathComponent("\(name).nii.gz")
      )
    }
    try Data("damaged".utf8).write(to: scans.appendingPathComponent("c.nii.gz"))
    let predict = [
      "predict", "-m", try Tiny.run.path, "-i", scans.path, "-o", folder.file("out").path, "--threads", "1",
    ]
    try expectObjects(predict, status: 1)
    try expectObjects(predict + ["--skip-existing", "-v", "--preview"], status: 1)
    try expectObjects([
      "evaluate", "-m", try Tiny.run.path, "--data", try Tiny.data.path, "-o", folder.file("evaluation").path,
      "--threads", "1",
    ])
  }

  /// Messages show direction marks as question marks; JSON results escape them.
  @Test func marksOfDirection() throws {
    let scans = folder.file("scans")
    try FileManager.default.createDirectory(at: scans, withIntermediateDirectories: true)
    let name = "scan\u{202E}gpj\u{200F}"
    for name in [name, "other"] {
      try Data("damaged".utf8).write(to: scans.appendingPathComponent("\(name).nii.gz"))
    }
    let predict = [
      "predict", "-m", try Tiny.run.path, "-i", scans.path, "-o", folder.file("out").path, "--threads", "1", "-v",
    ]
    for format in ["text", "json"] {
      let result = try dualnorm(predict + ["--log-format", format])
      #expect(result.status == 1 && result.errors.contains("scan"))
      #expect(!(result.output + result.errors).unicodeScalars.contains { $0.misleads && $0 != "\n" })
      #expect(result.errors.contains("scan?gpj?.nii.gz"))
    }
    let data = folder.file("data")
    try FileManager.default.createDirectory(at: data, withIntermediateDirectories: true)
    try FileManager.default.copyItem(
      at: Tiny.data.appendingPathComponent("Site-A"), to: data.appendingPathComponent(name))
    let check = try dualnorm("check", data.path, "--format", "json", "--log-format", "json")
    #expect(check.output.contains(#""name" : "scan\u202egpj\u200f""#), "\(check.output.prefix(500))")
    let report = folder.file("page.html").path
    let text = try dualnorm("check", data.path, "--report", report)
    #expect(text.output.contains("scan?gpj?"))
    let page = try String(contentsOfFile: report, encoding: .utf8)
    #expect(page.contains("scan?gpj?"))
    for said in [check.output, check.errors, text.output, text.errors, page] {
      #expect(!said.unicodeScalars.contains { $0.misleads && $0 != "\n" })
    }
  }

  @Test func train() throws {
    try expectObjects(
      ["train", "--data", Tiny.data.path, "--output", folder.file("run").path] + Tiny.quick.filter { $0 != "--quiet" })
  }

  @Test(.endsSomeTime) func experimentPrepareAndDemo() throws {
    try expectObjects(TinyExperiment.arguments(folder.file("experiment"), methods: "bn"))
    let source = try Tiny.data.appendingPathComponent("Site-B").path
    try expectObjects([
      "prepare", "--recipe", "prostate", "--images", source, "--labels", source, "--site", "Ours", "--output",
      folder.file("prepared").path,
    ])
    try expectObjects(["demo", "--iterations", "2,2", "--cases", "2", "--output", folder.file("demo").path])
  }

  @Test func phantomCheckAndScore() throws {
    let data = folder.file("data").path
    try expectObjects(["phantom", "--output", data, "--size", "32x32x4", "--cases", "2", "--sites", "2"], atLeast: 0)
    try expectObjects(["check", data, "--fix", folder.file("fixed").path], atLeast: 0)
    let scores = folder.file("scores.csv").path
    try expectObjects(["score", "--prediction", data, "--reference", data, "--output", scores], atLeast: 0)
  }
}
