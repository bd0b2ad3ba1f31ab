import Foundation
import Testing

@testable import Datasets

@Suite struct DatasetDescriptionTests {
  let folder: DataFolder

  init() throws { folder = try DataFolder() }

  func message(_ json: String) throws -> String {
    try folder.write(json, to: "dataset.json")
    return sentence { try Dataset(contentsOf: folder.url) }
  }

  @Test func aDecathlonFolderIsReadByItsList() throws {
    try folder.touch(
      "imagesTr/b.nii.gz", "labelsTr/b.nii.gz", "imagesTr/a.nii.gz", "labelsTr/a.nii.gz", "imagesTr/c.nii.gz")
    try folder.write(
      """
      {"name": "Organ", "modality": {"0": "MRI"}, "labels": {"0": "background", "1": "Anterior", "2": "Posterior"},
       "training": [{"image": "./imagesTr/b.nii.gz", "label": "./labelsTr/b.nii.gz"},
                    {"image": "./imagesTr/a.nii.gz", "label": "./labelsTr/a.nii.gz"}], "test": ["./imagesTs/z.nii.gz"]}
      """, to: "dataset.json")
    let data = try Dataset(contentsOf: folder.url)
    #expect(data.layout == .description)
    #expect(data.cases.map(\.identifier) == ["Organ/a", "Organ/b"])
    #expect(data.cases[0].images == [folder.url.appendingPathComponent("imagesTr/a.nii.gz").standardizedFileURL])
    #expect(data.labelNames == [0: "background", 1: "Anterior", 2: "Posterior"])
    #expect(data.modalities == ["MRI"])
  }

  @Test func anNNUNetFolderIsReadByItsNames() throws {
    try folder.touch(
      "imagesTr/p_0001.nrrd", "imagesTr/p_0000.nrrd", "labelsTr/p.nrrd", "imagesTr/p_0000.json", "imagesTr/q_0000.nrrd",
      "imagesTr/q_0001.nrrd", "labelsTr/q.nrrd")
    let json = """
      {"channel_names": {"0": "T2", "1": "ADC"}, "labels": {"background": 0, "tumour": 3}, "numTraining": 2,
       "file_ending": ".nrrd", "name": "../up"}
      """
    try folder.write(json, to: "dataset.json")
    let data = try Dataset(contentsOf: folder.url)
    #expect(data.sites == [folder.url.lastPathComponent])
    #expect(data.cases.map(\.name) == ["p", "q"])
    #expect(data.cases[0].images.map(\.lastPathComponent) == ["p_0000.nrrd", "p_0001.nrrd"])
    #expect(data.cases[0].mask?.lastPathComponent == "p.nrrd")
    #expect(data.labelNames == [0: "background", 3: "tumour"])
    #expect(data.modalities == ["T2", "ADC"])

    try FileManager.default.removeItem(at: folder.url.appendingPathComponent("labelsTr"))
    #expect(
      try message(json)
        == "\(folder.path)/labelsTr: this folder cannot be read; check that it exists and its permissions.")
    let unlabelled = try Dataset(contentsOf: folder.url, requireMasks: false)
    #expect(unlabelled.cases.map(\.name) == ["p", "q"])
    #expect(unlabelled.cases[1].images.count == 2 && unlabelled.cases[1].mask == nil)
  }

  @Test func aListMayNameChannelsByTheirCase() throws {
    try folder.touch("imagesTr/a_0000.nii.gz", "imagesTr/a_0001.nii.gz", "labelsTr/a.nii.gz")
    try folder.write(
      """
      {"modality": {"0": "T1", "1": "T2"}, "labels": {"0": "background", "1": "x"},
       "training": [{"image": "imagesTr/a.nii.gz", "label": "labelsTr/a.nii.gz"}]}
      """, to: "dataset.json")
    let images = try Dataset(contentsOf: folder.url).cases[0].images
    #expect(images.map(\.lastPathComponent) == ["a_0000.nii.gz", "a_0001.nii.gz"])
  }

  @Test func brokenDescriptionsAreRefused() throws {
    try folder.touch("imagesTr/a.nii.gz", "labelsTr/a.nii.gz")
    let file = "\(folder.path)/dataset.json"
    let pair = "\"training\": [{\"image\": \"imagesTr/a.nii.gz\", \"label\": \"labelsTr/a.nii.gz\"}]"
    for (json, message) in [
      ("{", "\(file): is not a JSON object; expected name, labels, modality or channel_names, and training."),
      ("[1]", "\(file): is not a JSON object; expected name, labels, modality or channel_names, and training."),
      (
        "{\"labels\": {\"whole\": [1, 2]}, \(pair)}",
        "\(file): label \"whole\" is a region (a list of values); regions are not supported, so give each value its own "
          + "name and merge them with --merge-labels."
      ),
      (
        "{\"labels\": {\"1\": \"ignore\"}, \(pair)}",
        "\(file): label 1 is named \"ignore\", which nnU-Net leaves out of the loss; that is not supported, so give these "
          + "voxels a class and rename the label."
      ),
      ("{\"labels\": {\"a\": 70000}, \(pair)}", "\(file): label \"a\" has no value from 0 to 65535; correct labels."),
      ("{\"labels\": {\"a\": 1, \"b\": 1}, \(pair)}", "\(file): label 1 is both \"a\" and \"b\"; keep one."),
      (
        "{\"labels\": [\"a\"], \(pair)}",
        "\(file): labels must be an object such as {\"0\": \"background\", \"1\": \"liver\"}."
      ),
      (
        "{\"modality\": {\"1\": \"MRI\"}, \(pair)}",
        "\(file): the modalities (modality or channel_names) must be named by the numbers 0, 1, …, for example "
          + "{\"0\": \"MRI\"}."
      ),
      (
        "{\"file_ending\": \".bmp\"}",
        "\(file): file_ending is \".bmp\", expected one of .nii.gz, .nii, .hdr.gz, .hdr, .nrrd, .nhdr, .mha, .mhd, .png, .jpg, .jpeg, .tif "
          + "and .tiff; convert the volumes."
      ),
      ("{\"training\": [7]}", "\(file): entry 1 of training names no image file; expected \"image\" and \"label\"."),
      (
        "{\"training\": [{\"image\": \"imagesTr/a.nii.gz\"}]}",
        "\(file): entry 1 of training (a) has no \"label\"; add its mask."
      ),
      (
        "{\"training\": [{\"image\": \"imagesTr/b.nii.gz\", \"label\": \"labelsTr/a.nii.gz\"}]}",
        "\(file): entry 1 of training names \(folder.path)/imagesTr/b.nii.gz, which does not exist; correct the entry or "
          + "restore the file."
      ),
      (
        "{\"modality\": {\"0\": \"A\", \"1\": \"B\"}, \"name\": \"D\", \(pair)}",
        "\(folder.path): case D/a has 1 image file, expected 2 (A and B); give every modality its own file, "
          + "a_0000.nii.gz, a_0001.nii.gz and so on."
      ),
      (
        "{\"name\": \"D\", \(pair.dropLast()), \(pair.dropFirst(13))}",
        "\(folder.path): \(folder.path)/imagesTr/a.nii.gz and \(folder.path)/imagesTr/a.nii.gz are both case D/a; rename "
          + "one of them."
      ),
    ] {
      #expect(try self.message(json) == message)
    }
  }

  @Test(.enabled(if: hasSharedData, "needs ../shared/data"))
  func theRealFoldersAreUnderstood() throws {
    let hippocampus = try Dataset(contentsOf: sharedData.appendingPathComponent("hippocampus"))
    #expect(hippocampus.cases.count == 200 && hippocampus.sites == ["Hippocampus"])
    #expect(hippocampus.labelNames == [0: "background", 1: "Anterior", 2: "Posterior"])
    let lgg = try Dataset(contentsOf: sharedData.appendingPathComponent("lgg"))
    #expect(lgg.sites == ["Site-A", "Site-B", "Site-C"])
    #expect(
      Dictionary(grouping: lgg.cases, by: \.site).mapValues(\.count) == ["Site-A": 31, "Site-B": 24, "Site-C": 11])
    let prostate = try Dataset(contentsOf: sharedData.appendingPathComponent("prostate"))
    #expect(prostate.cases.count == 10 && prostate.layout == .sites)
    let site = try Dataset(contentsOf: sharedData.appendingPathComponent("prostate/Site-B"))
    #expect(site.cases.count == 3 && site.layout == .flat && site.sites == ["Site-B"])
  }

  @Test func scoresFindTheNamesBesideTheReferences() throws {
    try folder.write("{\"labels\": {\"background\": 0, \"liver\": 1}}", to: "dataset.json")
    try folder.touch("labelsTr/a.nii.gz")
    #expect(LabelNames.found(beside: folder.url.appendingPathComponent("labelsTr")) == [0: "background", 1: "liver"])
    #expect(LabelNames.found(beside: folder.url) == [0: "background", 1: "liver"])
    #expect(LabelNames.found(beside: folder.url.appendingPathComponent("labelsTr/a.nii.gz")).isEmpty)
    // Training cannot use regions; scores of single labels work without the names.
    try folder.write("{\"labels\": {\"background\": 0, \"whole\": [1, 2]}}", to: "dataset.json")
    #expect(LabelNames.found(beside: folder.url).isEmpty)
    #expect(LabelNames.found(beside: folder.url.appendingPathComponent("nowhere/x")).isEmpty)
  }
}
