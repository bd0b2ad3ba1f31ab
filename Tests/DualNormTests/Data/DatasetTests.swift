import Basics
import Foundation
import Testing

@testable import Datasets

@Suite struct DatasetTests {
  let folder: DataFolder

  init() throws { folder = try DataFolder() }

  func message(_ requireMasks: Bool = true) -> String {
    sentence { try Dataset(contentsOf: folder.url, requireMasks: requireMasks) }
  }

  @Test func sitesArePairsByFolderInStableOrder() throws {
    try folder.touch(
      "Site-B/Case02.mha", "Site-B/Case02_seg.nrrd", "Site-B/Case01.nii", "Site-B/Case01_mask.nii.gz",
      "Site-A/Case01.nii.gz", "Site-A/Case01_segmentation.nii.gz", "Site-A/.hidden.nii.gz", "Site-A/notes.txt",
      "Site-A/Case10.mhd", "Site-A/Case10_label.nhdr", "logs/today.txt", "README.md")
    let data = try Dataset(contentsOf: folder.url)
    #expect(data.layout == .sites)
    #expect(data.sites == ["Site-A", "Site-B"])
    #expect(data.cases.map(\.identifier) == ["Site-A/Case01", "Site-A/Case10", "Site-B/Case01", "Site-B/Case02"])
    #expect(data.cases[3].images.map(\.lastPathComponent) == ["Case02.mha"])
    #expect(data.cases[3].mask?.lastPathComponent == "Case02_seg.nrrd")
    #expect(data.modalities == ["image"])
    #expect(data.labelNames.isEmpty)
  }

  @Test func aListWinsOverTheFolder() throws {
    let elsewhere = try DataFolder()
    try elsewhere.touch("scan.nii.gz", "truth.nii.gz")
    try folder.touch(
      "A/Case00.nii.gz", "A/Case00_segmentation.nii.gz", "A/lonely.nii.gz", "B/x.nii.gz", "B/x_seg.nii.gz")
    try folder.write(
      "\u{FEFF}# image,mask,patient\r\n\r\n Case00.nii.gz , Case00_segmentation.nii.gz , P7\r\n"
        + "\(elsewhere.path)/scan.nii.gz,\(elsewhere.path)/truth.nii.gz\r\n", to: "A/all_list.txt")
    let data = try Dataset(contentsOf: folder.url)
    #expect(data.cases.map(\.identifier) == ["A/Case00", "A/scan", "B/x"])
    #expect(data.cases.map(\.patient) == ["P7", "scan", "x"])
    #expect(data.cases[1].mask?.path == elsewhere.url.appendingPathComponent("truth.nii.gz").path)
  }

  @Test func aFlatFolderIsOneSiteNamedAfterIt() throws {
    try folder.touch("a.nii.gz", "a_seg.nii.gz", "b_0000.nii.gz", "b_0001.nii.gz", "b_seg.nii.gz", "out/a.nii.gz")
    #expect(
      message()
        == "\(folder.path): case \(folder.url.lastPathComponent)/b has 2 image files, expected 1 (image); give every "
        + "modality its own file, b_0000.nii.gz, b_0001.nii.gz and so on.")
    try FileManager.default.removeItem(at: folder.url.appendingPathComponent("a.nii.gz"))
    try folder.touch("a_0000.nii.gz", "a_0001.nii.gz")
    let data = try Dataset(contentsOf: folder.url)
    #expect(data.layout == .flat)
    #expect(data.sites == [folder.url.lastPathComponent])
    #expect(data.cases[1].images.map(\.lastPathComponent) == ["b_0000.nii.gz", "b_0001.nii.gz"])
    #expect(data.modalities == ["modality 0", "modality 1"])
  }

  @Test func imagesWithoutMasksAreCasesForPrediction() throws {
    try folder.touch("a_0000.nii.gz", "a_0001.nii.gz", "b_0000.nii.gz", "b_0001.nii.gz")
    #expect(
      message()
        == "\(folder.path)/a_0000.nii.gz, \(folder.path)/a_0001.nii.gz, \(folder.path)/b_0000.nii.gz and 1 more: "
        + "an image without its mask; add the mask, named like the image with _segmentation (or in "
        + "labelsTr), move the image away, or leave such images out (\(Setting.skipUnpaired)).")
    let single = try Dataset(contentsOf: folder.url, requireMasks: false)
    #expect(single.cases.map(\.name) == ["a_0000", "a_0001", "b_0000", "b_0001"])
    #expect(single.cases.allSatisfy { $0.mask == nil })
    let double = try Dataset(contentsOf: folder.url, requireMasks: false, modalityCount: 2)
    #expect(double.cases.map(\.name) == ["a", "b"])
    #expect(double.cases[1].images.map(\.lastPathComponent) == ["b_0000.nii.gz", "b_0001.nii.gz"])
  }

  @Test func missingFoldersAndCasesAreNamed() throws {
    let missing = folder.url.appendingPathComponent("nowhere")
    #expect(
      sentence { try Dataset(contentsOf: missing) }
        == "\(missing.path): there is no such folder; check the path of the data set.")
    try folder.touch("Case01.txt")
    let file = folder.url.appendingPathComponent("Case01.txt")
    #expect(
      sentence { try Dataset(contentsOf: file) } == "\(file.path): this is a file; give the folder of the data set.")
    #expect(
      message() == "\(folder.path): no cases were found; expected folders of sites with Case.nii.gz + "
        + "Case_segmentation.nii.gz pairs (or an all_list.txt), a dataset.json with imagesTr and labelsTr, or one folder "
        + "of such pairs.")
    try folder.touch("imagesTr/a_0000.nii.gz", "labelsTr/a.nii.gz")
    #expect(
      message() == "\(folder.path): holds imagesTr but no dataset.json; add one with at least "
        + "{\"labels\": {\"background\": 0, …}}.")
  }

  @Test func unpairedAndAmbiguousFilesAreNamed() throws {
    try folder.touch("A/x_seg.nii.gz")
    #expect(
      message()
        == "\(folder.path)/A/x_seg.nii.gz: a mask without its image; add the image under the mask's name or move "
        + "the mask away.")
    #expect(message(false) == message())
    try folder.touch("A/x.nii.gz", "A/x.mha")
    #expect(message() == "\(folder.path)/A/x.nii.gz: x.mha is the same case; keep one of the two.")
    try FileManager.default.removeItem(at: folder.url.appendingPathComponent("A/x.mha"))
    try folder.touch("A/x_mask.nii.gz")
    #expect(message() == "\(folder.path)/A/x_seg.nii.gz: x_mask.nii.gz is the same case; keep one of the two.")
    try FileManager.default.removeItem(at: folder.url.appendingPathComponent("A/x_mask.nii.gz"))
    try folder.touch("y.nii.gz", "y_seg.nii.gz")
    #expect(
      message() == "\(folder.path): holds cases itself and in A; keep either folders of sites or one folder of pairs.")
  }

  @Test func aMissingModalityIsNamed() throws {
    try folder.touch("a_0000.nii.gz", "a_0002.nii.gz", "a_seg.nii.gz")
    #expect(
      message() == "\(folder.path)/a_0002.nii.gz: a_0001 is missing; the modalities of a case are numbered from 0000 "
        + "without gaps.")
  }

  @Test func badListsNameFileAndLine() throws {
    let list = "\(folder.path)/A/all_list.txt"
    try folder.touch("A/a.nii.gz", "A/a_seg.nii.gz", "A/a.txt")
    let expected = "expected image,mask or image,mask,patient but found"
    for (text, message) in [
      ("# nothing\n", "\(list): lists no cases; write a line image,mask a case, or delete the file."),
      ("\na.nii.gz\n", "\(list), line 2: \(expected) \"a.nii.gz\"; correct the line."),
      ("a.nii.gz,a_seg.nii.gz,p,q", "\(list), line 1: \(expected) \"a.nii.gz,a_seg.nii.gz,p,q\"; correct the line."),
      (",a_seg.nii.gz", "\(list), line 1: \(expected) \",a_seg.nii.gz\"; correct the line."),
      (
        "a.nii.gz,b.nii.gz",
        "\(list), line 1: \(folder.path)/A/b.nii.gz does not exist; correct the entry or restore the file."
      ),
      (
        "a.nii.gz,a.txt",
        "\(list), line 1: \(folder.path)/A/a.txt is not an image file; expected one of .nii.gz, .nii, .hdr.gz, .hdr, .nrrd, .nhdr, .mha, "
          + ".mhd, .png, .jpg, .jpeg, .tif and .tiff."
      ),
      (
        "a.nii.gz,a.nii.gz",
        "\(list), line 1: image and mask are the same file; name the mask after the comma."
      ),
      (
        "a.nii.gz,a_seg.nii.gz\na.nii.gz,a_seg.nii.gz",
        "\(list), line 2: case a is already in line 1; delete one of the lines or rename the file."
      ),
    ] {
      try folder.write(text, to: "A/all_list.txt")
      #expect(self.message() == message)
    }
    try Data([0xFF, 0xFE, 0x00, 0xD8]).write(to: URL(fileURLWithPath: list))
    #expect(
      message() == "\(list): cannot be read as UTF-8 text; save it as plain text with a line image,mask a case.")
  }

  @Test func aListOfImagesAloneServesPrediction() throws {
    try folder.touch("A/a.nii.gz", "A/b.nii.gz")
    try folder.write("a.nii.gz\nb.nii.gz,\n", to: "A/all_list.txt")
    let data = try Dataset(contentsOf: folder.url, requireMasks: false)
    #expect(data.cases.map(\.name) == ["a", "b"] && data.cases.allSatisfy { $0.mask == nil })
  }

  @Test func namesThatCannotNameOutputsAreRefused() throws {
    let long = String(repeating: "x", count: 201)
    try folder.touch("\(long).nii.gz", "\(long)_seg.nii.gz")
    #expect(
      message() == "\(folder.path): \"\(long.prefix(77))...\" cannot name output files; use a name of up to 200 bytes "
        + "without slashes, control characters and leading dots.")
  }
}
