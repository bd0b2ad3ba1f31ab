import Foundation
import Testing

@testable import Datasets

@Suite struct SourcePairsTests {
  let folder: DataFolder
  private var images: URL { folder.url.appendingPathComponent("images") }
  private var labels: URL { folder.url.appendingPathComponent("labels") }

  init() throws { folder = try DataFolder() }

  private func touch(images: [String], labels: [String]) throws {
    for name in images { try folder.touch("images/\(name)") }
    for name in labels { try folder.touch("labels/\(name)") }
  }

  private func pairs(skipUnpaired: Bool = false) throws -> SourcePairs {
    try SourcePairs(images: images, labels: labels, site: "X", skipUnpaired: skipUnpaired)
  }

  private func names(_ pairs: SourcePairs) -> [String] {
    pairs.cases.map { scan in
      "\(scan.name): \(scan.images.map(\.lastPathComponent).joined(separator: " ")) \(scan.mask!.lastPathComponent)"
    }
  }

  @Test func equalNamesWhateverTheEnding() throws {
    try touch(
      images: ["a.nii", "a.png", "b.mha", "c_0000.nii.gz", "c_0001.nii.gz"], labels: ["a.nii.gz", "b.nrrd", "c.nii.gz"])
    let found = try pairs()
    #expect(names(found) == ["a: a.nii a.nii.gz", "b: b.mha b.nrrd", "c: c_0000.nii.gz c_0001.nii.gz c.nii.gz"])
    #expect(found.pairedByNumber.isEmpty && found.unpaired.isEmpty)
    #expect(found.cases.allSatisfy { $0.site == "X" })
  }

  @Test func oneFolderWithMasksByTheirEnding() throws {
    try folder.touch("both/Case1.nii.gz", "both/Case1_segmentation.nii.gz")
    let both = folder.url.appendingPathComponent("both")
    #expect(
      names(try SourcePairs(images: both, labels: both, site: "X")) == ["Case1: Case1.nii.gz Case1_segmentation.nii.gz"]
    )
  }

  @Test func btcvAndTCIAByNumber() throws {
    try touch(
      images: ["img0001.nii.gz", "img0010.nii.gz", "PANCREAS_0020.nii", "scan7_0000.nii.gz", "scan7_0001.nii.gz"],
      labels: ["label0001.nii.gz", "label0010.nii.gz", "label020.nii.gz", "seg07.nii.gz"])
    let found = try pairs()
    #expect(
      names(found) == [
        "PANCREAS_0020: PANCREAS_0020.nii label020.nii.gz", "img0001: img0001.nii.gz label0001.nii.gz",
        "img0010: img0010.nii.gz label0010.nii.gz", "scan7: scan7_0000.nii.gz scan7_0001.nii.gz seg07.nii.gz",
      ])
    #expect(found.pairedByNumber.count == 4)
  }

  @Test func aNumberThatSeveralShareTellsNothing() throws {
    try touch(images: ["img0001.nii.gz", "old1.nii.gz"], labels: ["label0001.nii.gz"])
    #expect(
      sentence { try pairs() }
        == "\(images.path)/img0001.nii.gz and \(images.path)/old1.nii.gz: both names end in the number 1, so it does not "
        + "tell which image and mask belong together; give each pair one name.")
  }

  @Test func filesWithoutAPartner() throws {
    try touch(images: ["a.nii.gz", "img2.nii.gz"], labels: ["a.nii.gz"])
    #expect(
      sentence { try pairs() }
        == "\(images.path)/img2.nii.gz: an image without its mask in \(labels.path); name the mask alike (up to the ending, "
        + "or in the last number), or give --skip-unpaired to leave such files out.")
    #expect(try pairs(skipUnpaired: true).unpaired.map(\.lastPathComponent) == ["img2.nii.gz"])
    try FileManager.default.removeItem(at: images.appendingPathComponent("img2.nii.gz"))
    try folder.touch("labels/label3.nii.gz")
    #expect(
      sentence { try pairs() }
        == "\(labels.path)/label3.nii.gz: a mask without its image in \(images.path); name the image alike (up to the "
        + "ending, or in the last number), or give --skip-unpaired to leave such files out.")
    #expect(names(try pairs(skipUnpaired: true)) == ["a: a.nii.gz a.nii.gz"])
  }

  @Test func nothingToPair() throws {
    try touch(images: ["a.nii.gz"], labels: ["b.nii.gz"])
    #expect(
      sentence { try pairs(skipUnpaired: true) }
        == "\(images.path) and \(labels.path): no image has a mask; expected NIfTI, NRRD or MetaImage volumes whose "
        + "names are equal or end in one number, such as img0001.nii.gz and label0001.nii.gz.")
    #expect(
      sentence { try SourcePairs(images: images, labels: images, site: "X") }
        == "\(images.path)/a.nii.gz: is both image and mask; give --labels the folder of the masks, or end their names in "
        + "_segmentation.")
    #expect(
      sentence { try SourcePairs(images: images, labels: folder.url, site: "X") }
        == "\(folder.path): holds no volumes; expected NIfTI, NRRD or MetaImage files for --labels.")
    let nowhere = folder.url.appendingPathComponent("nowhere")
    #expect(
      sentence { try SourcePairs(images: nowhere, labels: labels, site: "X") }
        == "\(nowhere.path): there is no such folder; check --images.")
  }
}
