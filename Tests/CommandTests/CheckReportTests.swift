import Foundation
import Testing

@testable import Datasets

/// The page of `check --report`.
@Suite struct CheckReportTests {
  let folder: TemporaryFolder
  private let data: URL
  private var file: URL { folder.file("check.html") }

  init() throws {
    folder = try TemporaryFolder()
    data = try Tiny.copyOfData(to: folder.file("data"))
  }

  /// Makes the page of a check, and expects it to be well formed, self-contained and the same each time.
  ///
  /// Standard output must be the same as without the page.
  private func page(_ options: String..., status: Int32 = 0) throws -> ParsedPage {
    let plain = try dualnorm(["check", data.path] + options)
    let arguments = ["check", data.path, "--report", file.path] + options
    let result = try dualnorm(arguments)
    #expect(result.status == status && plain.status == status && result.output == plain.output)
    let bytes = try Data(contentsOf: file)
    let size = String(format: "%.1f", Double(bytes.count) / 1e6)
    #expect(result.errors == "Wrote \(file.path) (\(size) MB).\n" + plain.errors)
    let again = folder.file("again.htm")
    let quiet = try dualnorm(["check", data.path, "--report", again.path, "--quiet"] + options)
    #expect(quiet.status == status && quiet.errors == plain.errors)
    #expect(try Data(contentsOf: again) == bytes)
    return try ParsedPage(bytes)
  }

  @Test func soundData() throws {
    let page = try page()
    #expect(page.sections == ["verdict", "findings", "sites", "intensities", "volumes", "samples", "cases"])
    #expect(page.text.contains("6 cases of 2 sites. Sound: 0 errors, 0 warnings, 1 note."))
    #expect(page.text.contains("dualnorm check \(data.path) --report AGAIN.html"))
    #expect(page.text.contains("The sites store volumes in different orientations (LPS: Site-A; RPS: Site-B)"))
    // One histogram per site, and a box for each label. Each case is a dot in the boxes and below its site's histogram.
    #expect(page.count("g", class: "histogram c0") == 1 && page.count("g", class: "histogram c1") == 1)
    #expect(page.count("g", class: "box c0") == 2 && page.count("g", class: "box c1") == 2)
    #expect(page.count("circle", class: "dot") == 18)
    #expect(page.text.contains("Case02: 1st percentile "))
    let site = try #require(page.text.range(of: "Site-A3330"))  // cases, patients, masks and empty masks
    #expect(page.text[site.upperBound...].hasPrefix("32 × 32 × 45 × 5 × 16160 × 160 × 64LPS 3"))
    #expect(page.text.contains("Site-B/Case02Case0232 × 32 × 4"))
    #expect(page.count("details") == 1)
    // A typical case and the oddest case of each site, with both labels outlined.
    #expect(page.count("article", class: "sample") == 4 && page.pictures.count == 4)
    #expect(page.text.components(separatedBy: "Typical: Case0").count == 3 && page.text.contains("Oddest: Case0"))
    #expect(page.elements.count { $0.name == "path" && $0.attributes["class"] == "o" } == 8)
  }

  @Test func unsoundData() throws {
    try move(mask: data.appendingPathComponent("Site-B/Case02_segmentation.nii.gz"), byMM: [2, 0, 0])
    try Data("nonsense".utf8).write(to: data.appendingPathComponent("Site-A/Case01.nii.gz"))
    try change(mask: data.appendingPathComponent("Site-A/Case00_segmentation.nii.gz")) { $0 = $0.map { min($0, 1) } }
    let page = try page("--merge-labels", "1,2", status: 1)
    #expect(page.text.contains("6 cases of 2 sites. Not sound: 2 errors, 0 warnings, 1 note."))
    #expect(page.text.contains("1 case could not be read and is in the findings only."))
    #expect(page.count("li", class: "error") == 4)  // two tiles, two findings
    #expect(page.text.contains("grid · Site-B/Case02") && page.text.contains("file · Site-A/Case01"))
    #expect(page.text.contains("origin differs by 2 mm along x"))
    let errors = try #require(page.text.range(of: "2 Errors"))
    let notes = try #require(page.text.range(of: "1 Note"))
    #expect(errors.lowerBound < notes.lowerBound)
    #expect(page.text.contains("Site-B/Case02errorCase02"))  // in the table of cases
    #expect(page.text.contains("(−1)"))  // one of the two readable cases of Site-A lacks label 2
    #expect(page.text.contains("Oddest: Case02\nNamed by a finding (grid). "))
    #expect(page.text.contains("Its mask does not lie on the voxels of the image."))
    #expect(page.text.contains("--merge-labels 1,2 --report AGAIN.html"))
  }

  @Test func nothingThatCanBeRead() throws {
    for site in ["Site-A", "Site-B"] {
      for index in 0..<3 {
        try Data("nonsense".utf8).write(to: data.appendingPathComponent("\(site)/Case0\(index).nii.gz"))
      }
    }
    let page = try page(status: 1)
    #expect(page.sections == ["verdict", "findings"])
    #expect(page.text.contains("6 cases could not be read and are in the findings only."))
  }

  @Test func aRepairedCopy() throws {
    let fixed = folder.file("fixed")
    let result = try dualnorm("check", data.path, "--fix", fixed.path, "--report", file.path, "--format", "json")
    #expect(result.status == 0)
    #expect(try JSONDecoder().decode(DataReport.self, from: Data(result.output.utf8)).repair?.changes.count == 3)
    let page = try ParsedPage(Data(contentsOf: file))
    #expect(page.sections == ["verdict", "findings", "repair", "sites", "intensities", "volumes", "samples", "cases"])
    #expect(page.text.contains("\(fixed.path): a repaired copy. The findings above are of the data set as it was."))
    #expect(page.text.contains("Site-B/Case00turned from RPS to LPS"))
    #expect(page.text.contains("dualnorm check \(data.path) --fix AGAIN --report AGAIN.html"))
  }

  /// Names must be escaped; a browser would run the first of them as a script.
  @Test func namesAreEscaped() throws {
    let site = "<script>alert(1)<&>\"'"
    let name = "c'\" onload=\"x"
    let manager = FileManager.default
    try manager.removeItem(at: data.appendingPathComponent("Site-A/all_list.txt"))
    try manager.moveItem(at: data.appendingPathComponent("Site-A"), to: data.appendingPathComponent(site))
    for ending in [".nii.gz", "_segmentation.nii.gz"] {
      try manager.moveItem(
        at: data.appendingPathComponent("\(site)/Case00\(ending)"),
        to: data.appendingPathComponent("\(site)/\(name)\(ending)"))
    }
    try move(mask: data.appendingPathComponent("\(site)/\(name)_segmentation.nii.gz"), byMM: [2, 0, 0])
    let page = try page(status: 1)
    #expect(page.count("script") == 1 && page.count("style") == 1)
    #expect(page.elements.allSatisfy { element in !element.attributes.keys.contains { $0.hasPrefix("on") } })
    #expect(page.text.contains("grid · \(site)/\(name)") && page.text.contains("\(name): 1st percentile "))
  }

  @Test func refusals() throws {
    func refuse(_ sentence: String, status: Int32 = 1, _ path: String) throws {
      // An empty data set is refused too, but only once it is read.
      let empty = folder.file("empty")
      try FileManager.default.createDirectory(at: empty, withIntermediateDirectories: true)
      try expectRefusal(sentence, status: status, of: ["check", empty.path, "--report", path])
    }
    try refuse("--report page.pdf: a report is an HTML page; give it the ending .html.", status: 64, "page.pdf")
    try refuse("--report page: a report is an HTML page; give it the ending .html.", status: 64, "page")
    let gone = folder.file("no/page.html").path
    try refuse("--report \(gone): there is no folder \(folder.path)/no; make it first, or check the path.", gone)
    try Data().write(to: folder.file("file"))
    let inFile = folder.file("file/page.html").path
    try refuse("--report \(inFile): \(folder.path)/file is a file; give a place in a folder.", inFile)
    let page = folder.file("page.html")
    try FileManager.default.createDirectory(at: page, withIntermediateDirectories: true)
    try refuse("--report \(page.path): is a folder; give a file in it.", page.path)
    #expect(try FileManager.default.contentsOfDirectory(atPath: page.path).isEmpty)
  }

  @Test func aFolderThatMayNotBeWrittenTo() throws {
    let disk = try SmallDisk()
    guard try disk.lock() else { return print("root who may not mount may write anywhere: nothing to refuse") }
    let path = disk.file("page.html").path
    try expectRefusal(
      "--report \(path): \(disk.folder.path) cannot be written to\(disk.reasonOfLock); give a folder that you may write "
        + "to.",
      of: ["check", data.path, "--report", path])
  }

  @Test func aFullDiskLeavesNoPage() throws {
    let result = try dualnorm(["check", data.path, "--report", file.path, "--quiet"], limits: "ulimit -f 4")
    #expect(result.status == 1 && result.output.hasSuffix("\nSound: 0 errors, 0 warnings, 1 note.\n"))
    #expect(
      result.errors == "Error: \(file.path): cannot be written (File too large); make room for it on its disk.\n")
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["data"])
  }
}
