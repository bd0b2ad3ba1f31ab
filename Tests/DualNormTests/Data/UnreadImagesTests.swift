import Foundation
import MedicalImaging
import Testing

@testable import Basics
@testable import Datasets
@testable import Scores

/// Every reader of a folder names unread files that look like images.
@Suite struct UnreadImagesTests {
  let folder: DataFolder

  init() throws { folder = try DataFolder() }

  private var pair: [String] { ["a.nii.gz", "a_seg.nii.gz"] }

  private func warnings(_ body: () throws -> some Any) throws -> [String] {
    try Warnings.collecting(body).warnings
  }

  private func sentence(_ names: String, of count: Int) -> String {
    let what = count == 1 ? "1 file looks like an image and is" : "\(count) files look like images and are"
    let them = count == 1 ? "it" : "them"
    return "\(folder.path): \(what) not read (\(names)); convert \(them) to NIfTI (.nii.gz), or move \(them) away."
  }

  @Test func ofSites() throws {
    for name in pair { try folder.touch("A/\(name)", "B/\(name)") }
    try folder.touch("A/b.nii.bz2", "A/b_seg.nii.bz2", "B/c.mgz", "d.dcm", "A/notes.txt", "A/.hidden.mgz", "C/e.mgh")
    let dataset = try Warnings.collecting { try Dataset(contentsOf: folder.url) }
    #expect(dataset.warnings == [sentence("A/b.nii.bz2, A/b_seg.nii.bz2, B/c.mgz and 2 more", of: 5)])
    #expect(dataset.value.unreadImages.files.count == 5)
    #expect(try dataset.value.restricted(to: ["B"], option: .sites).unreadImages == dataset.value.unreadImages)
  }

  @Test func ofOneFolder() throws {
    for name in pair { try folder.touch(name) }
    #expect(try warnings { try Dataset(contentsOf: folder.url) } == [])
    try folder.touch("b.img.gz")
    #expect(try warnings { try Dataset(contentsOf: folder.url) } == [sentence("b.img.gz", of: 1)])
    try folder.write("a.nii.gz,a_seg.nii.gz", to: "all_list.txt")
    #expect(try warnings { try Dataset(contentsOf: folder.url) } == [sentence("b.img.gz", of: 1)])
  }

  /// `file_ending` selects the files; the others are named, too.
  @Test func ofADescription() throws {
    try folder.touch(
      "imagesTr/a_0000.nii.gz", "labelsTr/a.nii.gz", "imagesTr/b_0000.mgz", "labelsTr/c.nrrd", "imagesTr/view.png")
    try folder.write(#"{"labels": {"background": 0, "x": 1}, "file_ending": ".nii.gz"}"#, to: "dataset.json")
    #expect(
      try warnings { try Dataset(contentsOf: folder.url) } == [
        sentence("imagesTr/b_0000.mgz and labelsTr/c.nrrd", of: 2)
      ])
  }

  @Test func ofAFolderWithNothingElse() throws {
    try folder.touch("a.mgz", "a_seg.mgz")
    let error = #expect(throws: Refusal.self) { try Dataset(contentsOf: folder.url) }
    #expect(error?.description.hasSuffix(" " + sentence("a.mgz and a_seg.mgz", of: 2)) == true)
  }

  @Test func ofMasksToScore() throws {
    try folder.touch("p/S/a.nii.gz", "p/S/b.mgz", "r/S/a_seg.nii.gz")
    let found = try warnings {
      try ScorePairs(
        prediction: folder.url.appendingPathComponent("p"), reference: folder.url.appendingPathComponent("r"))
    }
    #expect(
      found == [
        "\(folder.path)/p: 1 file looks like an image and is not read (S/b.mgz); convert it to NIfTI (.nii.gz), or move it away."
      ])
  }

  @Test func ofSourcesToPrepare() throws {
    try folder.touch("i/img1.nii.gz", "i/img2.nii.bz2", "l/label1.nii.gz")
    let found = try warnings {
      try SourcePairs(
        images: folder.url.appendingPathComponent("i"), labels: folder.url.appendingPathComponent("l"), site: "A")
    }
    #expect(
      found.count == 1
        && found[0].hasPrefix("\(folder.path)/i: 1 file looks like an image and is not read (img2.nii.bz2);"))
  }

  /// `check` and `train` on one half of a data set.
  @Test func halfOfADataSetNamesTheFolderAbove() throws {
    try folder.touch("imagesTr/a_0000.nii.gz", "labelsTr/a.nii.gz")
    for (half, other) in [("imagesTr", "labelsTr"), ("labelsTr", "imagesTr")] {
      let error = #expect(throws: Refusal.self) {
        try Dataset(contentsOf: folder.url.appendingPathComponent(half))
      }
      #expect(
        error?.description
          == "\(folder.path)/\(half): is one half of a data set, and \(other) beside it the other; give the folder above, \(folder.path)."
      )
    }
    let images = try Dataset(contentsOf: folder.url.appendingPathComponent("imagesTr"), requireMasks: false)
    #expect(images.cases.count == 1)
  }
}
