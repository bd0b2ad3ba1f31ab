import Foundation
import MedicalImaging
import Testing

@testable import Basics
@testable import Datasets

/// Masks with misleading values, and masks in place of images.
@Suite struct LabelValueRuleTests {
  let folder: DataFolder

  init() throws { folder = try DataFolder() }

  private func file(_ name: String) -> URL { folder.url.appendingPathComponent(name) }

  /// A disc with values from 0 to `greatest` and an edge `blur` pixels wide.
  private func disc(_ greatest: Double, blur: Double) -> LabelMap {
    volume(Geometry(size: [32, 32, 1])) { x, y, _ in
      let distance = (Double((x - 15) * (x - 15) + (y - 15) * (y - 15))).squareRoot() - 9
      let share = blur == 0 ? (distance < 0 ? 1 : 0) : min(1, max(0, 0.5 - distance / blur))
      return LabelValue(greatest * (10 * share).rounded() / 10)
    }
  }

  private func write(_ name: String, _ mask: LabelMap, seed: UInt64) throws {
    try noise(mask.geometry, seed: seed).write(to: file("\(name).nii.gz"))
    try mask.write(to: file("\(name)_seg.nii.gz"))
  }

  private func check(merge: [[LabelValue]] = []) throws -> DataCheck {
    try DataCheck.run(on: Dataset(contentsOf: folder.url), merge: merge)
  }

  @Test func greyEdgesAreNamedWithTheThreshold() throws {
    try write("A/a", disc(255, blur: 2.5), seed: 1)
    try write("A/b", disc(255, blur: 2.5), seed: 2)
    let check = try check()
    let found = check.findings.filter { $0.rule == .greyEdges }
    let count = check.facts[0].labels.count - 2
    #expect(count >= 3)
    #expect(
      found.map(\.message) == [
        "2 masks (\(file("A/a_seg.nii.gz").path) and \(file("A/b_seg.nii.gz").path)): \(count) values between 0 and 255 lie along edges only, as in smoothed (antialiased) masks, and each would become a class; threshold the masks at 128."
      ])
    #expect(found[0].severity == .warning && found[0].cases == ["A/a", "A/b"])
    // Training reports them even with --quiet.
    #expect(try Warnings.collecting { try check.requireNoErrors() }.warnings == found.map(\.message))
  }

  /// Too many values for labels are still an error, which now names the reason.
  @Test func manyGreysAreAnErrorThatNamesTheThreshold() throws {
    let smooth: LabelMap = volume(Geometry(size: [32, 32, 1])) { x, y, _ in
      LabelValue(min(255, max(0, 8 * x + y / 16)))
    }
    try write("A/a", smooth, seed: 1)
    let found = try check().errors
    #expect(found.map(\.rule) == [.greyEdges] && found[0].message.hasSuffix("threshold it at 125."))
  }

  /// Structures with an interior are classes, whatever their values.
  @Test func structuresAreNotGreyEdges() throws {
    let labels: LabelMap = volume(Geometry(size: [32, 32, 1])) { x, y, _ in [0, 50, 100, 150, 200][min(4, x / 7)] }
    #expect(GreyEdges(labels) == nil && GreyEdges(disc(255, blur: 0)) == nil)
    // Small consecutive labels, such as layers one voxel thick, are not grey edges either.
    let layers: LabelMap = volume(Geometry(size: [16, 16, 1])) { x, _, _ in LabelValue(x) }
    #expect(GreyEdges(layers) == nil)
  }

  @Test func oneStructureWithTwoValuesIsNamed() throws {
    try write("A/a", disc(1, blur: 0), seed: 1)
    try write("A/b", disc(1, blur: 0), seed: 2)
    try write("B/a", disc(255, blur: 0), seed: 3)
    let found = try check().findings.filter { $0.severity != .note }
    #expect(
      found.map(\.message) == [
        "The masks hold one label each, 1 in 2 masks (A/a and A/b), 255 in 1 mask (B/a), likely one structure, since pictures often have 255 for 1; give --merge-labels 1,255, or two classes are learnt."
      ])
    #expect(try check(merge: [[1, 255]]).findings.filter { $0.rule == .labelValues || $0.rule == .labels }.isEmpty)
  }

  @Test(arguments: [false, true]) func exchangedImagesAndMasksAreOneError(isDescription: Bool) throws {
    let geometry = Geometry(size: [16, 16, 2])
    for index in 0..<6 {
      let (image, mask) = (noise(geometry, seed: UInt64(index)), disc(1, blur: 0))
      let names =
        isDescription
        ? ["labelsTr/c\(index).nii.gz", "imagesTr/c\(index).nii.gz"] : ["c\(index)_seg.nii.gz", "c\(index).nii.gz"]
      try image.write(to: file(names[0]))
      try mask.write(to: file(names[1]))
    }
    if isDescription { try folder.write(#"{"labels": {"background": 0, "x": 1}}"#, to: "dataset.json") }
    let check = try check()
    let name = isDescription ? "imagesTr and labelsTr" : "images and masks"
    let site = folder.url.lastPathComponent
    #expect(
      check.errors.map(\.message) == [
        "\(folder.path): are \(name) exchanged? In 6 of 6 cases (\(site)/c0, \(site)/c1, \(site)/c2 and 3 more) the image holds a few whole numbers, as a mask does, and the mask does not; exchange the two."
      ])
  }

  @Test func unreadFilesAreAFinding() throws {
    try write("A/a", disc(1, blur: 0), seed: 1)
    try folder.touch("A/b.mgz")
    let dataset = try Warnings.collecting { try Dataset(contentsOf: folder.url) }.value
    let check = DataCheck.run(on: dataset)
    #expect(check.findings.map(\.rule) == [.unread] && check.findings[0].message == dataset.unreadImages.sentence)
    let report = DataReport(check, of: dataset)
    #expect(!report.description.contains("Nothing is odd.") && report.description.contains("(A/b.mgz)"))
    #expect(try report.json().contains("A/b.mgz"))
  }
}
