import Foundation
import Testing
import Torch

@testable import DualNorm

/// A network that finds nothing always causes a warning.
@Suite struct UnfoundClassesTests {
  let folder: TemporaryFolder
  private var run: RunFolder { RunFolder(folder.file("run")) }
  private static let remedy = "train longer (--iterations), with a larger --width, or with another --seed."

  init() throws { folder = try TemporaryFolder() }

  /// Options of a training that learns nothing and starts from weights that favour some classes.
  ///
  /// - Parameter bias: the bias of each class.
  private func options(bias: [Float]) throws -> [String] {
    let file = folder.file("start.safetensors")
    let data = bias.withUnsafeBytes { Data($0) }
    let tensor = StoredTensor(dtype: .float32, shape: [bias.count], data: data)
    try Safetensors(tensors: [("outc.conv.2.bias", tensor)]).write(to: file)
    return ["--init", file.path, "--learning-rate", "1e-9"]
      + "--width 2 --iterations 2,0 --batch-size 2 --validate-every 1 --precision float32 --threads 1 --quiet".split(
        separator: " "
      ).map(String.init)
  }

  private func train(_ options: [String]) throws -> String {
    let result = try dualnorm(["train", "--data", Tiny.data.path, "--output", run.url.path] + options)
    #expect(result.status == 0 && result.output == "")
    return result.errors
  }

  @Test func inNoValidationCase() throws {
    let sentence = "nothing was found in any validation case, so the model finds no class at all; \(Self.remedy)"
    #expect(try train(options(bias: [100, -100, -100])) == "Warning: \(run.url.path): \(sentence)\n")
    #expect(try run.readDescription().warnings == [sentence])
    #expect(try dualnorm("info", run.url.path).output.contains("\nwarning:      \(sentence)\n"))
    let page = folder.file("page.html")
    #expect(try dualnorm("report", run.url.path, "--output", page.path, "--quiet").status == 0)
    #expect(try ParsedPage(Data(contentsOf: page)).text.contains(sentence))
    // The same command ends with the warning again.
    let again = try dualnorm(
      ["train", "--data", Tiny.data.path, "--output", run.url.path] + options(bias: [100, -100, -100])
        + ["--log-format", "json"])
    #expect(again.errors == #"{"warning":"\#(run.url.path): \#(sentence)"}"# + "\n")
  }

  @Test func oneClassOfTwo() throws {
    let errors = try train(options(bias: [-100, 100, -100]))
    #expect(errors == "Warning: \(run.url.path): label 2 was found in no validation case; \(Self.remedy)\n")
  }

  /// A network of many classes names the first of them.
  @Test func manyClassesAreCounted() {
    var state = TrainingState(stage: .plain, schedule: LearningRateSchedule(.cosine, base: 0.001))
    let names = (1...13).map { "part \($0)" }
    state.unfoundInValidation = Array(names.dropLast())
    let first = names.prefix(9).joined(separator: ", ")
    #expect(
      state.warnings(classes: names) == ["\(first) and 3 more were found in no validation case; \(Self.remedy)"])
  }

  /// Without validation cases, training cases are checked.
  @Test func withoutValidation() throws {
    let errors = try train(options(bias: [100, -100, -100]) + ["--validation-fraction", "0"])
    #expect(
      errors == "Warning: \(run.url.path): nothing was found in any training case that was tried, and no validation "
        + "case has a class, so the model finds no class at all; \(Self.remedy)\n")
  }

  @Test(.endsSomeTime) func inAnExperiment() throws {
    let output = folder.file("experiment")
    func run(_ verb: [String]) throws -> (status: Int32, output: String, errors: String) {
      try dualnorm(
        ["experiment"] + verb + options(bias: [100, -100, -100]).filter { verb[0] != "table" || $0.isEmpty })
    }
    let result = try run([
      "leave-one-site-out", "--data", Tiny.data.path, "--methods", "bn", "--seeds", "1", "--output", output.path,
    ])
    let sentence = "nothing was found in any validation case, so the model finds no class at all; \(Self.remedy)"
    #expect(result.status == 0)
    // The warning appears once, though both cells have it.
    let warnings = result.errors.split(separator: "\n").filter { $0.hasSuffix(": \(sentence)") }
    #expect(warnings == ["Warning: bn/Site-A/seed-1: \(sentence)"])
    let note = "Warning: bn/Site-A/seed-1 and bn/Site-B/seed-1: \(sentence)\n"
    #expect(result.output.contains("\n" + note))
    let summary = output.appendingPathComponent("summary.md")
    #expect(try String(contentsOf: summary, encoding: .utf8).contains("\n- \(note)"))
    let json = folder.file("table.json")
    let table = try run(["table", output.path, "--output", json.path])
    #expect(table.status == 0 && table.output == result.output)
    #expect(try String(contentsOf: json, encoding: .utf8).contains(sentence))
    let log = output.appendingPathComponent("cells/bn/Site-A/seed-1/cell.log")
    #expect(try String(contentsOf: log, encoding: .utf8).contains("Warning: "))
    let page = folder.file("page.html")
    #expect(try dualnorm("report", output.path, "--output", page.path, "--quiet").status == 0)
    #expect(try ParsedPage(Data(contentsOf: page)).text.contains(sentence))
  }
}
