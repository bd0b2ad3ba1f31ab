import Foundation
import MedicalImaging
import Testing

@testable import Datasets
@testable import DualNorm
@testable import Scores

/// One real case per site, so that the suite is fast even without optimization.
@Suite(.enabled(if: hasSharedData, "needs ../shared/data"))
struct RealDataTests {
  /// The last case of each site, listed by absolute path.
  func excerpt(_ name: String) throws -> (folder: DataFolder, data: Dataset) {
    let all = try Dataset(contentsOf: sharedData.appendingPathComponent(name))
    let folder = try DataFolder()
    for (site, cases) in Dictionary(grouping: all.cases, by: \.site) {
      let scan = try #require(cases.last)
      let mask = try #require(scan.mask)
      try folder.write("\(scan.images[0].path),\(mask.path)", to: "\(site)/all_list.txt")
    }
    return (folder, try Dataset(contentsOf: folder.url))
  }

  @Test func hippocampusComesBackBitByBit() throws {
    let (folder, data) = try excerpt("hippocampus")
    let check = DataCheck.run(on: data)
    #expect(check.findings.isEmpty && check.facts.count == 1)
    let scheme = try LabelScheme(values: Set(check.facts.flatMap(\.labels.keys)))
    #expect(scheme.groups == [[1], [2]])
    let plan = try PreparationPlan.derived(from: check.facts)
    for scan in data.cases {
      let prepared = try PreparedVolume(reading: scan, scheme: scheme, plan: plan)
      let back = scheme.fileValues(of: prepared.restored(labels: try #require(prepared.labels)))
      #expect(try back.voxels == LabelMap(contentsOf: #require(scan.mask)).voxels)
    }
    withExtendedLifetime(folder) {}
  }

  @Test func lggIsPlannedAt128() throws {
    let (folder, data) = try excerpt("lgg")
    let check = DataCheck.run(on: data)
    #expect(check.findings.isEmpty && check.sites.map(\.site) == ["Site-A", "Site-B", "Site-C"])
    let plan = try PreparationPlan.derived(from: check.facts)
    #expect(plan.networkSize == Extent(height: 128, width: 128) && plan.resampling == .none)
    withExtendedLifetime(folder) {}
  }

  @Test func prostateIsPlannedAt384AndSurvivesResampling() throws {
    let (folder, data) = try excerpt("prostate")
    let check = DataCheck.run(on: data, merge: [[1, 2]])
    #expect(check.findings.isEmpty)
    let scheme = try LabelScheme(values: Set(check.facts.flatMap(\.labels.keys)), merge: [[1, 2]])
    #expect(scheme.groups == [[1, 2]] && scheme.classCount == 2)
    let plan = try PreparationPlan.derived(from: check.facts)
    #expect(plan.networkSize == Extent(height: 384, width: 384) && plan.resampling == .none)

    let scan = try #require(data.cases.last)  // of Site-B, which is oblique
    let coarse = try PreparationPlan.derived(from: check.facts, resampling: .spacingMM(x: 0.7, y: 0.7))
    let prepared = try PreparedVolume(reading: scan, scheme: scheme, plan: coarse)
    let back = prepared.restored(labels: try #require(prepared.labels))
    let truth = try scheme.classes(of: LabelMap(contentsOf: #require(scan.mask)), file: "mask")
    let sizes = [back, truth].map { $0.voxels.count { $0 == 1 } }
    let overlap = zip(back.voxels, truth.voxels).count { $0 == 1 && $1 == 1 }
    #expect(2 * Double(overlap) / Double(sizes[0] + sizes[1]) > 0.98)
    #expect(back.geometry == truth.geometry)
    withExtendedLifetime(folder) {}
  }
}
