import Foundation
import MedicalImaging
import Testing

@testable import Basics
@testable import DualNorm

/// `predict --uncertainty`: maps and a number for each case.
@Suite struct UncertaintyCommandTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Cases that the network segments worse have the higher number.
  @Test func casesWithErrorsRankHigher() throws {
    let scans = folder.file("scans")
    try FileManager.default.createDirectory(at: scans, withIntermediateDirectories: true)
    var generator = SeededGenerator(seed: 5)
    var truth: [String: LabelMap] = [:]
    for site in ["A", "B"] {
      for index in 0..<3 {
        let source = try Tiny.data.appendingPathComponent("Site-\(site)/Case0\(index)")
        let mask = try LabelMap(contentsOf: URL(fileURLWithPath: source.path + "_segmentation.nii.gz"))
        var image = try Image(contentsOf: URL(fileURLWithPath: source.path + ".nii.gz"))
        let name = "\(site)\(index)"
        try image.write(to: scans.appendingPathComponent(name + ".nii.gz"))
        let mean = image.voxels.reduce(0, +) / Float(image.voxels.count)
        let deviation = (image.voxels.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Float(image.voxels.count))
          .squareRoot()
        for voxel in image.voxels.indices { image.voxels[voxel] += 0.4 * deviation * Float(generator.normal()) }
        try image.write(to: scans.appendingPathComponent(name + "noisy.nii.gz"))
        (truth[name], truth[name + "noisy"]) = (mask, mask)
      }
    }
    let result = try dualnorm([
      "predict", "--model", Tiny.run.path, "--input", scans.path, "--output", folder.file("masks").path,
      "--uncertainty", "--threads", "1",
    ])
    #expect(result.status == 0, "\(result.errors)")
    let lines = result.output.split(separator: "\n").map { $0.split(separator: " ", omittingEmptySubsequences: true) }
    #expect(lines[0].last == "uncertainty")
    let uncertainty = Dictionary(
      uniqueKeysWithValues: lines.dropFirst().map { (String($0[0]), Double($0.last!) ?? .nan) })
    #expect(uncertainty.count == 12 && uncertainty.values.allSatisfy { (0...1).contains($0) })
    func error(_ name: String) throws -> Double {
      let (found, mask) = (try LabelMap(contentsOf: folder.file("masks/\(name).nii.gz")), truth[name]!)
      let wrong = zip(found.voxels, mask.voxels).count { $0 != $1 }
      let labelled = zip(found.voxels, mask.voxels).count { $0 > 0 || $1 > 0 }
      return Double(wrong) / Double(labelled)
    }
    for (name, value) in uncertainty where !name.hasSuffix("noisy") {
      let noisy = name + "noisy"
      #expect(try error(noisy) > error(name), "\(name)")
      #expect(uncertainty[noisy]! > value, "\(name): \(value), with noise \(uncertainty[noisy]!)")
    }
    let map = try Image(contentsOf: folder.file("masks/A0_uncertainty.nii.gz"))
    #expect(map.geometry == (try Image(contentsOf: scans.appendingPathComponent("A0.nii.gz"))).geometry)
    #expect(map.voxels.allSatisfy { $0 >= 0 && $0 <= Float(log(3.0)) + 1e-5 } && map.voxels.max()! > 0.1)
    #expect(!FileManager.default.fileExists(atPath: folder.file("masks/A0_disagreement.nii.gz").path))
  }

  @Test func evaluationsKeepItAndReportsShowIt() throws {
    let output = folder.file("evaluation")
    let result = try dualnorm([
      "evaluate", "--model", Tiny.run.path, "--data", Tiny.data.path, "--split", "all", "--output", output.path,
      "--uncertainty", "--threads", "1",
    ])
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.output.contains("Uncertainty and Dice: Spearman's ρ "))
    let record = try #require(try EvaluationRecord(contentsOf: output))
    let found = try #require(record.uncertainty)
    #expect(found.count == 6 && found.values.allSatisfy { (0...1).contains($0) })
    #expect(record.command(output: "AGAIN").contains("--uncertainty"))
    let page = folder.file("page.html")
    #expect(try dualnorm("report", output.path, "--output", page.path, "--quiet").status == 0)
    let text = try String(contentsOf: page, encoding: .utf8)
    #expect(text.contains("uncertainty") && text.contains(fixed(found.values.min()!, decimals: 3)))
    // The numbers are those of predict.
    let mask = folder.file("m.nii.gz")
    let predicted = try dualnorm([
      "predict", "--model", Tiny.run.path, "--input", Tiny.data.appendingPathComponent("Site-A/Case00.nii.gz").path,
      "--output", mask.path, "--uncertainty", "--threads", "1",
    ])
    #expect(predicted.output.contains(fixed(found["Site-A/Case00"]!, decimals: 3)), "\(predicted.output)")
  }

  /// Several networks also say where they disagree; that is a part of the entropy.
  @Test func theDisagreementOfAnEnsemble() throws {
    let scan = try Tiny.data.appendingPathComponent("Site-A/Case01.nii.gz")
    let models = try TinyExperiment.finished.appendingPathComponent("cells/dual")
    let result = try dualnorm([
      "predict", "--model", models.path, "--input", scan.path, "--output", folder.file("m.nii.gz").path,
      "--uncertainty", "--probabilities", "--threads", "1", "--quiet",
    ])
    #expect(result.status == 0, "\(result.errors)")
    let entropy = try Image(contentsOf: folder.file("m_uncertainty.nii.gz")).voxels
    let disagreement = try Image(contentsOf: folder.file("m_disagreement.nii.gz")).voxels
    let maps = try Image.channels(contentsOf: folder.file("m_probabilities.nii.gz")).map(\.voxels)
    for voxel in entropy.indices {
      let expected = maps.reduce(Float(0)) { sum, map in map[voxel] > 0 ? sum - map[voxel] * log(map[voxel]) : sum }
      #expect(abs(entropy[voxel] - expected) < 1e-4)
      #expect(disagreement[voxel] >= 0 && disagreement[voxel] <= entropy[voxel] + 1e-5)
    }
    #expect(disagreement.max()! > 1e-3)
  }
}
