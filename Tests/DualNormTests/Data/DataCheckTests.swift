import Foundation
import MedicalImaging
import Testing

@testable import Basics
@testable import Datasets

@Suite struct DataCheckTests {
  let folder: DataFolder

  init() throws { folder = try DataFolder() }

  /// Writes a pair of 16×16×2 voxels; the mask cycles through `values`.
  func write(
    _ name: String, seed: UInt64, values: [LabelValue] = [0, 1], geometry: Geometry = Geometry(size: [16, 16, 2])
  )
    throws
  {
    try noise(geometry, seed: seed).write(to: file("\(name).nii.gz"))
    try mask(values, geometry).write(to: file("\(name)_seg.nii.gz"))
  }

  func mask(_ values: [LabelValue], _ geometry: Geometry) -> LabelMap {
    volume(geometry) { x, y, _ in values[(16 * y + x) % values.count] }
  }

  func file(_ name: String) -> URL { folder.url.appendingPathComponent(name) }

  func check(merge: [[LabelValue]] = []) throws -> DataCheck {
    try DataCheck.run(on: Dataset(contentsOf: folder.url), merge: merge)
  }

  /// Severity and message of each finding, without its other fields.
  func said(_ check: DataCheck) -> [String] { check.findings.map { "\($0.severity.rawValue): \($0.message)" } }

  @Test func soundDataHaveNothingToReport() throws {
    try write("A/a", seed: 1)
    try write("A/b", seed: 2, geometry: Geometry(size: [20, 16, 5], spacingMM: [0.75, 0.75, 3]))
    try write("B/a", seed: 3)
    let check = try check()
    #expect(check.findings.isEmpty)
    try check.requireNoErrors()
    #expect(check.facts.map(\.scan.identifier) == ["A/a", "A/b", "B/a"])
    #expect(check.facts[0].labels == [0: 256, 1: 256])
    let site = check.sites[0]
    #expect(site.site == "A" && site.caseCount == 2 && site.heights == 16...16 && site.widths == 16...20)
    #expect(site.slices == 2...5 && site.spacingsMM == [0.75...1, 0.75...1, 1...3])
    #expect(site.labelShares[1] == 0.5 && site.maskCount == 2 && site.emptyMaskCount == 0)
    let lines = check.table.split(separator: "\n")
    #expect(lines.count == 3 && check.remarks == ["Nothing to report."])
    #expect(lines[1].hasPrefix("A     2      16×16–20   2–5     0.75–1, 0.75–1, 1–3"))
  }

  @Test func progressCountsUpToTheTotal() throws {
    for index in 0..<5 { try write("c\(index)", seed: UInt64(index)) }
    let seen = Progress()
    _ = try DataCheck.run(on: Dataset(contentsOf: folder.url), threads: 2) { done, total in seen.add(done, total) }
    #expect(seen.values == (1...5).map { [$0, 5] })
  }

  @Test func masksOffTheirImageAreErrorsAndRoundingIsNot() throws {
    let geometry = Geometry(size: [16, 16, 2], spacingMM: [0.5, 0.5, 3], originMM: [-100, 50, 20])
    var rounded = geometry
    rounded.originMM.x += 1e-6
    rounded.spacingMM.y += 1e-8
    try write("a", seed: 1, geometry: geometry)
    try mask([0, 1], rounded).write(to: file("a_seg.nii.gz"))
    #expect(try check().findings.isEmpty)

    var moved = geometry
    moved.originMM.x += 1
    try mask([0, 1], moved).write(to: file("a_seg.nii.gz"))
    let difference = try #require(moved.mismatch(with: geometry))
    let message =
      "\(folder.path)/a_seg.nii.gz: does not lie on the voxels of its image \(folder.path)/a.nii.gz: \(difference); resample "
      + "the mask onto the image or correct the wrong header."
    let check = try check()
    #expect(check.findings.map(\.message) == [message] && check.errors.count == 1)
    #expect(sentence { try check.requireNoErrors() } == message)
  }

  @Test func modalitiesMustShareAGrid() throws {
    try write("a", seed: 1)
    try FileManager.default.moveItem(at: file("a.nii.gz"), to: file("a_0000.nii.gz"))
    let other = Geometry(size: [16, 16, 3])
    try noise(other, seed: 2).write(to: file("a_0001.nii.gz"))
    let difference = try #require(other.mismatch(with: Geometry(size: [16, 16, 2])))
    #expect(
      try check().errors.map(\.message) == [
        "\(folder.path)/a_0001.nii.gz: does not lie on the voxels of \(folder.path)/a_0000.nii.gz, another modality of the "
          + "case: \(difference); resample them onto one grid."
      ])
  }

  @Test func unusableImagesAreErrors() throws {
    for name in ["flat", "nan", "broken"] { try write(name, seed: 1) }
    let geometry = Geometry(size: [16, 16, 2])
    try Image(repeating: 7, geometry: geometry).write(to: file("flat.nii.gz"))
    try FileManager.default.removeItem(at: file("nan.nii.gz"))
    var holed = noise(geometry, seed: 2)
    holed.voxels[9] = .nan
    try writeMetaImage(holed, to: file("nan.mha"))
    try Data("nonsense".utf8).write(to: file("broken.nii.gz"))
    let check = try check()
    let messages = check.errors.map(\.message)
    try #require(messages.count == 3, "\(messages)")
    #expect(check.facts.map(\.scan.name) == ["flat", "nan"])
    #expect(messages[0].hasPrefix("\(folder.path)/broken.nii.gz: "))
    #expect(
      messages[1]
        == "\(folder.path)/flat.nii.gz: every voxel is 7, expected an image with contrast; leave this case out or "
        + "restore the file.")
    #expect(
      messages[2] == "\(folder.path)/nan.mha: 1 voxel NaN or infinite, expected numbers only; repair the image, for "
        + "example by setting them to the background's intensity.")
    #expect(sentence { try check.requireNoErrors() } == messages[0] + " (The check found 2 more errors.)")
  }

  @Test func sitesWithOtherLabelsAreNamedUntilTheyAreMerged() throws {
    try write("A/a", seed: 1, values: [0, 1])
    try write("B/a", seed: 2, values: [0, 1, 2])
    try write("C/a", seed: 3, values: [0, 1])
    #expect(
      said(try check()) == [
        "warning: The sites' labels differ (A and C: 1; B: 1 and 2); merge what means the same with --merge-labels, or "
          + "the missing classes cannot be learnt there."
      ])
    #expect(try check(merge: [[1, 2]]).findings.isEmpty)
    #expect(try DataCheck.run(on: Dataset(contentsOf: folder.url), exclude: [2]).findings.isEmpty)
    #expect(
      try DataCheck.run(on: Dataset(contentsOf: folder.url), exclude: [1, 2]).errors.map(\.message)
        == ["All masks are empty, so there is nothing to learn; check the masks."])
  }

  @Test func aLabelOfOneMaskOnlyIsNamed() throws {
    for index in 0..<6 { try write("c\(index)", seed: UInt64(index), values: index == 2 ? [0, 1, 7] : [0, 1]) }
    let message =
      "\(folder.path)/c2_seg.nii.gz: holds 7, which none of the other 5 masks holds; correct the mask, or leave the label "
      + "out with --exclude-labels."
    let site = folder.url.lastPathComponent
    let check = try check()
    #expect(
      check.findings == [
        .init(.warning, .labels, message, cases: ["\(site)/c2"], files: [file("c2_seg.nii.gz")])
      ])
    #expect(try DataCheck.run(on: Dataset(contentsOf: folder.url), exclude: [7]).findings.isEmpty)
    // Among five cases, or if two hold it, it may be a rare class.
    try write("c3", seed: 3, values: [0, 1, 7])
    #expect(try self.check().findings.isEmpty)
  }

  @Test func stoppingReadsNoMore() throws {
    for index in 0..<4 { try write("c\(index)", seed: UInt64(index)) }
    let dataset = try Dataset(contentsOf: folder.url)
    #expect(throws: StopRequested.self) { try DataCheck.run(on: dataset, shouldStop: { true }) }
  }

  @Test func masksOfManyValuesLookLikeIntensities() throws {
    try write("a", seed: 1, values: Array(0...20))
    #expect(
      try check().errors.map(\.message) == [
        "\(folder.path)/a_seg.nii.gz: holds 21 different values, which look like intensities, expected at most 20 labels; "
          + "check that it is a mask, or name its labels in a dataset.json."
      ])
  }

  /// Labels that training merges are one, so a mask may hold more than a network has classes.
  @Test func manyLabelsAreCountedAfterMerging() throws {
    let geometry = Geometry(size: [16, 16, 4])
    let labels: LabelMap = volume(geometry) { x, y, z in LabelValue((256 * z + 16 * y + x) / 3 % 301) }
    try noise(geometry, seed: 1).write(to: file("a.nii.gz"))
    try labels.write(to: file("a_seg.nii.gz"))
    let halves = [Array(LabelValue(1)...150), Array(LabelValue(151)...300)]
    #expect(try check(merge: halves).findings.isEmpty)
    let some = try check(merge: [Array(1...250)]).errors.map(\.message)
    #expect(some.count == 1 && some[0].contains(": holds 301 different values, 52 after merging, "), "\(some)")
    let others = DataCheck.run(on: try Dataset(contentsOf: folder.url), exclude: Array(1...250)).errors.map(\.message)
    #expect(others.count == 1 && others[0].contains("values, 51 after excluding, "), "\(others)")

    try FileManager.default.createDirectory(at: file("D/imagesTr"), withIntermediateDirectories: true)
    try FileManager.default.createDirectory(at: file("D/labelsTr"), withIntermediateDirectories: true)
    try FileManager.default.moveItem(at: file("a.nii.gz"), to: file("D/imagesTr/a.nii.gz"))
    try FileManager.default.moveItem(at: file("a_seg.nii.gz"), to: file("D/labelsTr/a.nii.gz"))
    let names = (1...300).map { ", \"part \($0)\": \($0)" }.joined()
    try folder.write(#"{"labels": {"background": 0"# + names + "}}", to: "D/dataset.json")
    let dataset = try Dataset(contentsOf: file("D"))
    #expect(DataCheck.run(on: dataset, merge: halves).findings.isEmpty)
    #expect(
      DataCheck.run(on: dataset, exclude: [300]).errors.map(\.message) == [
        "The masks hold 300 labels above 0, of which 299 classes are left, expected at most 255 classes; merge labels into "
          + "classes (--merge-labels) or leave some out (--exclude-labels)."
      ])
  }

  @Test func labelsAreComparedWithTheDescription() throws {
    try write("imagesTr/a", seed: 1, values: [0, 1, 5])
    try FileManager.default.createDirectory(at: file("labelsTr"), withIntermediateDirectories: true)
    try FileManager.default.moveItem(at: file("imagesTr/a_seg.nii.gz"), to: file("labelsTr/a.nii.gz"))
    try folder.write(
      #"{"name": "D", "labels": {"background": 0, "zone": 1, "gland": 2}, "channel_names": {"0": "T2"}}"#,
      to: "dataset.json")
    #expect(
      said(try check()) == [
        "error: \(folder.path)/labelsTr/a.nii.gz: holds 5, expected the labels of dataset.json, 0, 1 and 2; correct the mask "
          + "or name the label there.",
        "warning: D: no mask holds 2 (gland), which dataset.json names; the class cannot be learnt from it.",
      ])
  }

  @Test func emptyMasksAndDuplicatesAreWarnings() throws {
    try write("A/a", seed: 1)
    try write("A/b", seed: 2, values: [0])
    try write("B/c", seed: 1)
    #expect(
      said(try check()) == [
        "warning: A: 1 empty mask of 2 (b); leave them out if the structure was not annotated, keep them if it is not "
          + "there.",
        "warning: A/a and B/c have the same image; keep one, or training and test may share a patient.",
      ])
    try write("A/a", seed: 1, values: [0])
    try write("B/c", seed: 3, values: [0])
    #expect(
      try check().errors.map(\.message) == ["All masks are empty, so there is nothing to learn; check the masks."])
  }

  @Test func pixelsOfVeryDifferentSizesAreNoted() throws {
    try write("A/a", seed: 1)
    try write("B/b", seed: 2, geometry: Geometry(size: [16, 16, 2], spacingMM: [0.5, 0.625, 3]))
    #expect(
      said(try check()) == [
        "note: Pixels measure from 0.5 to 1 mm, so the network sees one structure in very different sizes; --spacing "
          + "resamples all slices alike."
      ])
  }

  @Test func casesWithoutMasksAreChecked() throws {
    try noise(Geometry(size: [16, 16, 2]), seed: 1).write(to: file("a.nii.gz"))
    let check = try DataCheck.run(on: Dataset(contentsOf: folder.url, requireMasks: false))
    #expect(check.findings.isEmpty && check.sites[0].maskCount == 0 && check.table.contains("no masks"))
  }
}

/// The calls of a progress closure.
private final class Progress: @unchecked Sendable {
  private let lock = NSLock()
  private var calls: [[Int]] = []

  func add(_ done: Int, _ total: Int) { lock.withLock { calls.append([done, total]) } }

  var values: [[Int]] { lock.withLock { calls } }
}
