import Foundation
import MedicalImaging
import Testing

@testable import Datasets

/// Published data must give no false alarm, and faults made in a copy must be found.
@Suite(.enabled(if: hasSharedData, "needs ../shared/data"))
struct CheckRealDataTests {
  /// Checks up to eight cases of each site; docs/check.md has the results for all cases.
  @Test(arguments: ["prostate", "lgg"]) func nothingIsOdd(name: String) throws {
    let data = try Dataset(contentsOf: sharedData.appendingPathComponent(name))
    let folder = try DataFolder()
    for (site, cases) in Dictionary(grouping: data.cases, by: \.site) {
      let lines = cases.prefix(8).map { "\($0.images[0].path),\($0.mask?.path ?? "")" }
      try folder.write(lines.joined(separator: "\n"), to: "\(site)/all_list.txt")
    }
    let check = DataCheck.run(on: try Dataset(contentsOf: folder.url))
    #expect(check.facts.count >= 10)
    #expect(check.findings.isEmpty, "\(check.findings.map(\.message))")
  }

  /// Twelve hippocampi of one scale; one mask is damaged.
  private func hippocampi(damaging change: (inout LabelMap) -> Void) throws -> [DataCheck.Finding] {
    let all = try Dataset(contentsOf: sharedData.appendingPathComponent("hippocampus"))
    let folder = try DataFolder()
    var lines = ""
    for scan in all.cases.prefix(12) {
      var mask = try #require(scan.mask)
      if lines.isEmpty {
        var labels = try LabelMap(contentsOf: mask)
        change(&labels)
        mask = folder.url.appendingPathComponent("odd.nii.gz")
        try labels.write(to: mask)
      }
      lines += "\(scan.images[0].path),\(mask.path)\n"
    }
    try folder.write(lines, to: "H/all_list.txt")
    return DataCheck.run(on: try Dataset(contentsOf: folder.url.appendingPathComponent("H"))).findings
      .filter { $0.rule != .intensity }
  }

  @Test func masksAsPublishedAreNotOdd() throws {
    #expect(try hippocampi { _ in }.isEmpty)
  }

  @Test func aMirroredMaskIsFound() throws {
    let findings = try hippocampi { mask in
      mask = LabelMap(voxels: mask.withRowsReversed().voxels, geometry: mask.geometry)
    }
    #expect(findings.count == 1 && findings[0].rule == .placement)
    #expect(findings.first?.message.contains("odd.nii.gz: does not fit its image: mirrored, ") == true)
    #expect(findings.first?.message.contains("it may be mirrored (front to back?)") == true)
  }

  @Test func aShiftedMaskIsFound() throws {
    let findings = try hippocampi { mask in
      let (old, width) = (mask, mask.geometry.size.x)
      for index in mask.voxels.indices {
        let x = index % width
        mask.voxels[index] = x >= 11 ? old.voxels[index - 11] : 0
      }
    }
    #expect(findings.count == 1 && findings[0].rule == .placement)
    #expect(findings.first?.message.contains("odd.nii.gz: its centre lies at ") == true)
  }
}
