import Foundation
import Testing
import Torch

@testable import Basics
@testable import Datasets
@testable import DualNorm
@testable import Scores

@Suite struct EvaluationRecordTests {
  private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("record-\(UUID().uuidString)")

  @Test func isReadAsItWasWritten() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    #expect(try EvaluationRecord(contentsOf: folder) == nil)
    var record = EvaluationRecord(
      models: [URL(fileURLWithPath: "/a/../run")], data: URL(fileURLWithPath: "/data"),
      labels: LabelScheme(groups: [[1, 2]]),
      cases: [Case(name: "Case00", site: "Site-A", images: [], mask: nil)])
    #expect(record.model == "/run" && record.cases == ["Site-A/Case00"])
    #expect(
      record.command(output: "OUT") == [
        "dualnorm", "evaluate", "--model", "/run", "--data", "/data", "--output", "OUT", "--split", "all",
      ])
    try record.write(to: folder)
    #expect(try EvaluationRecord(contentsOf: folder) == record)
    record.device = .cuda(1)
    (record.split, record.adaptation, record.maskSource, record.precision) = ("test", "site", .uniform, .bfloat16)
    (record.largestComponent, record.tolerancesMM) = (.ofNone, [1.5, 3])
    record.largestComponentClasses = ["label 1"]
    (record.mergeLabels, record.excludeLabels) = ([[1, 2], [4, 5]], [3])
    let words =
      "--split test --adapt site --mask-source uniform --precision bfloat16 --device cuda:1 --no-largest-component --tolerance 1.5,3 "
      + "--merge-labels 1,2 --merge-labels 4,5 --exclude-labels 3"
    #expect(record.command(output: "OUT").dropFirst(8).joined(separator: " ") == words)
    record.sides = ["Site-A/Case00": .validation]
    record.failures = [CaseFailure("Site-A/Case00", Refusal(.input, sentence: "a.nii.gz: is empty."))]
    record.warnings = ["a.nii.gz: is odd."]
    try record.write(to: folder)
    #expect(try EvaluationRecord(contentsOf: folder) == record)
  }
}
