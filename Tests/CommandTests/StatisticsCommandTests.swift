import Foundation
import MedicalImaging
import Testing

@testable import Basics
@testable import DualNorm
@testable import Scores

/// `predict --statistics`: volume and mean intensity of each class and case.
@Suite struct StatisticsCommandTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func predict(_ name: String, _ more: String...) throws -> (status: Int32, output: String, errors: String) {
    try dualnorm(
      ["predict", "--model", Tiny.run.path, "--input", Tiny.data.path, "--output", folder.file("masks").path]
        + ["--statistics", folder.file(name).path, "--threads", "1", "--quiet"] + more)
  }

  /// Each number is that of the written mask and the image.
  @Test func csv() throws {
    let result = try predict("table.csv")
    #expect(result.status == 0, "\(result.errors)")
    let text = try String(contentsOf: folder.file("table.csv"), encoding: .utf8)
    let records = try CSVRecords(text, file: "table.csv").records.map(\.fields)
    let modality = try RunFolder(Tiny.run).readDescription().modalities[0]
    #expect(records[0] == ["case", "class", "labels", "voxels", "volume_ml", "mean_\(modality)"])
    #expect(records.count == 1 + 6 * 2)
    for row in records.dropFirst() {
      let mask = try LabelMap(contentsOf: folder.file("masks/\(row[0]).nii.gz"))
      let image = try Image(contentsOf: try Tiny.data.appendingPathComponent("\(row[0]).nii.gz"))
      let value = try #require(LabelValue(row[2]))
      let voxels = mask.voxels.indices.filter { mask.voxels[$0] == value }
      #expect(row[1] == "label \(value)" && Int(row[3]) == voxels.count && !voxels.isEmpty)
      let spacing = mask.geometry.spacingMM
      let volume = Double(voxels.count) * spacing.x * spacing.y * spacing.z / 1000
      #expect(abs(try #require(Double(row[4])) - volume) < 1e-9)
      let mean = voxels.reduce(0.0) { $0 + Double(image.voxels[$1]) } / Double(voxels.count)
      #expect(abs(try #require(Double(row[5])) - mean) < 1e-6 * abs(mean))
    }
  }

  @Test func json() throws {
    let result = try predict("table.json")
    #expect(result.status == 0, "\(result.errors)")
    let rows = try JSONDecoder().decode([ClassStatistics].self, from: Data(contentsOf: folder.file("table.json")))
    #expect(rows.count == 12 && rows.allSatisfy { $0.meanIntensities.count == 1 && ($0.volumeML ?? 0) > 0 })
    let text = try String(contentsOf: folder.file("table.json"), encoding: .utf8)
    #expect(text.contains("\"case\" : \"Site-A/Case00\"") && text.contains("\"volume_ml\""))
  }

  @Test func refusals() throws {
    #expect(try predict("table.txt").errors.contains("statistics are written as .csv or .json; give the file one of"))
    let twice = try predict("table.csv", "--skip-existing")
    #expect(
      twice.status == 64
        && twice.errors.contains(
          "--statistics is a table of all inputs, and --skip-existing leaves some out; give one of the two.")
    )
    #expect(contents(of: folder.url) == [])
  }
}
