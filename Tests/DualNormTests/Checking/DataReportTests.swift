import Foundation
import MedicalImaging
import Testing

@testable import Datasets

@Suite struct DataReportTests {
  let folder: DataFolder

  init() throws { folder = try DataFolder() }

  private func report() throws -> DataReport {
    let dataset = try Dataset(contentsOf: folder.url)
    return DataReport(DataCheck.run(on: dataset), of: dataset)
  }

  /// Writes two cases with intensities from 0 to 999, and masks of 100 and 300 voxels of 6 mm³.
  private func writeSite() throws {
    for (name, count) in [("a", 100), ("b", 300)] {
      let geometry = Geometry(size: [10, 10, 10], spacingMM: [2, 2.5, 1.2])
      let shift = name == "a" ? 0 : 1
      let voxels = (0..<1000).map { Float(($0 + shift) % 1000) }
      try Image(voxels: voxels, geometry: geometry).write(to: folder.url.appendingPathComponent("A/\(name).nii.gz"))
      try LabelMap(voxels: (0..<1000).map { $0 < count ? 1 : 0 }, geometry: geometry)
        .write(to: folder.url.appendingPathComponent("A/\(name)_seg.nii.gz"))
    }
    try folder.write("a.nii.gz,a_seg.nii.gz,P\nb.nii.gz,b_seg.nii.gz,P\n", to: "A/all_list.txt")
  }

  @Test func numbersOfASite() throws {
    try writeSite()
    let report = try report()
    let site = report.sites[0]
    #expect(site.cases == 2 && site.patients == 1 && site.masks == 2 && site.emptyMasks == 0)
    #expect(
      site.size.map(\.least) == [10, 10, 10]
        && site.extentMM.map { ($0.greatest * 1e4).rounded() / 1e4 } == [20, 25, 12])
    #expect(site.orientations == ["LPS": 2])
    #expect(site.channels.count == 1 && site.channels[0].name == "image")
    #expect(site.channels[0].range == .init([0, 999]))
    #expect(abs(try #require(site.channels[0].percentiles["50"]) - 499.5) <= 5)
    #expect(abs(site.channels[0].histogram.reduce(0, +) - 1) < 1e-9 && site.channels[0].histogram.count == 24)
    #expect(site.labels.map(\.value) == [1] && site.labels[0].cases == 2)
    #expect(abs(site.labels[0].medianVolume - 1.2) < 1e-6 && abs(site.labels[0].volume.greatest - 1.8) < 1e-6)
    #expect(report.isSound && report.cases.map(\.identifier) == ["A/a", "A/b"])
    #expect(abs(try #require(report.cases[0].volumes["1"]) - 0.6) < 1e-6)
  }

  @Test func jsonComesBack() throws {
    try writeSite()
    var report = try report()
    report.repair = .init(folder: "F", changes: [.init(identifier: "A/a", kind: .turned, message: "turned")])
    let back = try JSONDecoder().decode(DataReport.self, from: Data(report.json().utf8))
    #expect(back == report)
  }

  @Test func textOfASite() throws {
    try writeSite()
    let lines = try report().description.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    #expect(
      lines.prefix(8) == [
        "\(folder.path): 2 cases of 1 site", "", "A: 2 cases of 1 patient", "  size         10 × 10 × 10 voxels",
        "  spacing      2 × 2.5 × 1.2 mm", "  extent       20 × 25 × 12 mm", "  orientation  LPS 2",
        "  masks        2, 0 empty",
      ])
    #expect(lines[8].hasPrefix("  image: 0–999; at 1, 5, 25, 50, 75, 95, 99 %: "))
    #expect(lines[9].count { $0 == "█" || $0 == "▇" } >= 22)  // evenly spread
    #expect(lines[10...11] == ["  label  cases  median mL  range mL", "  1      2      1.2        0.6–1.8"])
    #expect(lines.last == "Sound: 0 errors, 1 warning, 0 notes.")
    #expect(lines.contains { $0.hasPrefix("warning: A/a and A/b have the same voxels in another order") })
  }

  @Test func unreadCasesAreCounted() throws {
    try writeSite()
    try folder.write("nonsense", to: "A/b.nii.gz")
    let report = try report()
    #expect(!report.isSound && report.unreadCases == 1 && report.sites[0].cases == 1)
    #expect(report.description.contains("\n1 case could not be read and is not in the numbers above.\n"))
    #expect(report.description.hasSuffix("\nNot sound: 1 error, 0 warnings, 0 notes."))
  }
}
