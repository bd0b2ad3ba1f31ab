import Foundation
import MedicalImaging
import Testing

@testable import Datasets
@testable import DualNorm
@testable import Scores

/// Data sets of several channels in one file, as two of Decathlon's are.
@Suite struct ChannelDatasetTests {
  let folder: DataFolder
  private static let grid = Geometry(size: [16, 12, 4], spacingMM: [1, 1.25, 3], originMM: [-10, 5, 7])

  init() throws { folder = try DataFolder() }

  private func file(_ name: String) -> URL { folder.url.appendingPathComponent(name) }

  private func channels(_ count: Int, seed: UInt64, _ grid: Geometry = grid) -> [Image] {
    (0..<count).map { channel in
      let values = noise(grid, seed: seed + UInt64(channel) * 100)
      return Image(voxels: values.voxels.map { $0.rounded() }, geometry: grid)
    }
  }

  private func write(_ channels: [Image], _ name: String) throws {
    try FileManager.default.createDirectory(
      at: file(name).deletingLastPathComponent(), withIntermediateDirectories: true)
    try writeChannelsCompactly(channels, to: file(name))
  }

  private func mask(_ name: String, _ grid: Geometry = grid) throws {
    try (volume(grid) { x, y, z in x < 5 && y > z ? 1 : 0 } as LabelMap).write(to: file(name))
  }

  /// Writes cases of as many channels each in Decathlon's layout.
  private func writeDecathlon(_ counts: [Int], modalities: [String] = ["T2", "ADC"]) throws {
    var entries: [String] = []
    for (number, count) in counts.enumerated() {
      let name = "c\(number).nii.gz"
      try write(channels(count, seed: UInt64(number)), "imagesTr/\(name)")
      try mask("labelsTr/\(name)")
      entries.append("{\"image\": \"./imagesTr/\(name)\", \"label\": \"./labelsTr/\(name)\"}")
    }
    let names = modalities.enumerated().map { "\"\($0)\": \"\($1)\"" }.joined(separator: ", ")
    try folder.write(
      "{\"name\": \"D\", \"modality\": {\(names)}, \"labels\": {\"0\": \"background\", \"1\": \"zone\"}, \"training\": "
        + "[\(entries.joined(separator: ", "))]}", to: "dataset.json")
  }

  private func messages(_ url: URL? = nil) throws -> [String] {
    DataCheck.run(on: try Dataset(contentsOf: url ?? folder.url)).findings.map(\.message)
  }

  @Test func aFileHoldsTheModalitiesInOrder() throws {
    try writeDecathlon([2, 2])
    let data = try Dataset(contentsOf: folder.url)
    #expect(data.modalities == ["T2", "ADC"])
    #expect(data.cases[0].sources == [.components(data.cases[0].reference, count: 2)])
    #expect(data.cases[0].channelCount == 2 && data.cases[0].images.count == 1 && data.cases[0].hasOrientation)
    let check = DataCheck.run(on: data)
    #expect(check.findings.isEmpty && check.facts.count == 2)
    let stored = channels(2, seed: 1)
    #expect(check.facts[1].intensities == stored.map { $0.voxels.min()!...$0.voxels.max()! })
    #expect(DataReport(check, of: data).sites[0].channels.map(\.name) == ["T2", "ADC"])
    let prepared = try PreparedVolume(
      reading: data.cases[1], scheme: LabelScheme(groups: [[1]]), plan: PreparationPlan(contextSlices: 1))
    #expect(prepared.modalityCount == 2 && prepared.labels?.contains(1) == true)
    // One file a modality is the same case.
    for (index, channel) in stored.enumerated() { try write([channel], "apart/c_000\(index).nii.gz") }
    try mask("apart/c_seg.nii.gz")
    let apart = try Dataset(contentsOf: file("apart"))
    let same = try PreparedVolume(
      reading: apart.cases[0], scheme: LabelScheme(groups: [[1]]), plan: PreparationPlan(contextSlices: 1))
    #expect(same.digest(paddedTo: same.size) == prepared.digest(paddedTo: same.size))
    #expect(DataCheck.run(on: apart).facts[0].imageHash == check.facts[1].imageHash)
    let reference = data.cases[0].reference.path
    #expect(data.cases[0].channelNames == ["\(reference) (channel 0)", "\(reference) (channel 1)"])
  }

  /// One file a case, by its number nnU-Net's way, is a file of all channels too; without names the first case tells.
  @Test func otherLayoutsHoldSuchFilesToo() throws {
    try writeDecathlon([2])
    try FileManager.default.moveItem(at: file("imagesTr/c0.nii.gz"), to: file("imagesTr/c0_0000.nii.gz"))
    try folder.write(
      #"{"name": "D", "channel_names": {"0": "T2", "1": "ADC"}, "labels": {"background": 0, "zone": 1}}"#,
      to: "dataset.json")
    #expect(try messages().isEmpty)
    for name in ["a", "b"] {
      try write(channels(3, seed: 5), "sites/A/\(name).nii.gz")
      try mask("sites/A/\(name)_seg.nii.gz")
    }
    let sites = try Dataset(contentsOf: file("sites"))
    #expect(sites.modalities == ["modality 0", "modality 1", "modality 2"])
    try write(channels(2, seed: 6), "sites/A/b.nii.gz")
    #expect(
      try messages(file("sites")) == [
        "\(folder.path)/sites/A/b.nii.gz: holds 2 channels, and the data set has 3 modalities (modality 0, modality 1 and "
          + "modality 2); give every case the same channels."
      ])
  }

  @Test func aFileOfOneComponentIsAVolume() throws {
    try writeDecathlon([1], modalities: ["MRI"])
    let url = file("imagesTr/c0.nii.gz")
    try writeChannels([Image(contentsOf: url)], to: url)
    #expect(try messages().isEmpty)
    #expect(try Dataset(contentsOf: folder.url).cases[0].sources == [.file(url)])
  }

  @Test func timePointsAreNoModalities() throws {
    try writeDecathlon([1, 10, 1], modalities: ["MRI"])
    #expect(
      try messages() == [
        "\(folder.path)/imagesTr/c1.nii.gz: holds 10 channels, and the data set has 1 modality (MRI); name all of them in "
          + "dataset.json if they are modalities, or save one time point as a 3-D file."
      ])
  }

  @Test func otherNumbersOfChannelsAreErrorsOfTheirCases() throws {
    try writeDecathlon([2, 3, 2])
    let message =
      "\(folder.path)/imagesTr/c1.nii.gz: holds 3 channels, and the data set has 2 modalities (T2 and ADC); save these in "
      + "this order, or name all of them in dataset.json."
    #expect(try messages() == [message])
    let check = DataCheck.run(on: try Dataset(contentsOf: folder.url))
    #expect(check.facts.map(\.scan.name) == ["c0", "c2"])
    #expect(sentence { try check.requireNoErrors() } == message)
    // A 3-D file is no file of two modalities, whatever the others are.
    try write(channels(1, seed: 4), "imagesTr/c1.nii.gz")
    #expect(
      sentence { try Dataset(contentsOf: folder.url) }
        == "\(folder.path): case D/c1 has 1 image file, expected 2 (T2 and ADC); give every modality its own file, "
        + "c1_0000.nii.gz, c1_0001.nii.gz and so on.")
    try Data("nonsense".utf8).write(to: file("imagesTr/c1.nii.gz"))
    #expect(
      try messages() == [
        "\(folder.path)/imagesTr/c1.nii.gz: its name ends in .gz but it is not gzip data; rename it to .nii or compress it."
      ])
  }

  @Test func modalitiesOfOtherSizesAndFilesOfSeveralAmongOthers() throws {
    try write(channels(1, seed: 1), "s/A/a_0000.nii.gz")
    let other = Geometry(size: [16, 12, 5], spacingMM: [1, 1.25, 3], originMM: [-10, 5, 7])
    try write(channels(1, seed: 2, other), "s/A/a_0001.nii.gz")
    try mask("s/A/a_seg.nii.gz")
    let difference = try #require(other.mismatch(with: Self.grid))
    #expect(
      try messages(file("s")) == [
        "\(folder.path)/s/A/a_0001.nii.gz: does not lie on the voxels of \(folder.path)/s/A/a_0000.nii.gz, another modality "
          + "of the case: \(difference); resample them onto one grid."
      ])
    try write(channels(2, seed: 2), "s/A/a_0001.nii.gz")
    #expect(
      try messages(file("s")) == [
        "\(folder.path)/s/A/a_0001.nii.gz: a 4-D file (16×12×4×2); expected a 3-D volume: split it into one file a channel."
      ])
  }

  @Test func aBlankModalityIsAFault() throws {
    try writeDecathlon([2])
    var images = channels(2, seed: 0)
    images[1].voxels = images[1].voxels.map { _ in 3 }
    try write(images, "imagesTr/c0.nii.gz")
    let message =
      "\(folder.path)/imagesTr/c0.nii.gz (channel 1): every voxel is 3, expected an image with contrast; leave this case "
      + "out or restore the file."
    #expect(try messages() == [message])
    let scan = try Dataset(contentsOf: folder.url).cases[0]
    #expect(sentence { try PreparedVolume(reading: scan, scheme: nil, plan: PreparationPlan()) } == message)
  }

  @Test func masksStayThreeDimensional() throws {
    try writeDecathlon([2])
    try write(channels(2, seed: 0), "labelsTr/c0.nii.gz")
    #expect(
      try messages() == [
        "\(folder.path)/labelsTr/c0.nii.gz: a 4-D file (16×12×4×2); expected a 3-D volume: split it into one file a channel."
      ])
  }

  @Test func aRepairedCopyKeepsOneFile() throws {
    try writeDecathlon([2, 2, 2, 2])
    var turned = Self.grid
    turned.direction = [-1, 0, 0, 0, 1, 0, 0, 0, 1]
    let odd = channels(2, seed: 9, turned)
    try write(odd, "imagesTr/c3.nii.gz")
    try mask("labelsTr/c3.nii.gz", turned)
    let data = try Dataset(contentsOf: folder.url)
    let output = try DataFolder()
    let copy = output.url.appendingPathComponent("copy")
    let repair = DataRepair(of: data, facts: DataCheck.run(on: data).facts)
    try repair.write(to: copy)
    #expect(repair.changes.map(\.message) == ["turned from RPS to LPS"])
    let fixed = try Dataset(contentsOf: copy)
    #expect(fixed.modalities == ["T2", "ADC"] && fixed.cases.map(\.channelCount) == [2, 2, 2, 2])
    #expect(fixed.cases.map { $0.reference.lastPathComponent } == (0..<4).map { "c\($0).nii.gz" })
    #expect(try messages(copy).isEmpty)
    let lps = try #require(Orientation(code: "LPS"))
    let written = try fixed.cases[3].sources[0].channels()
    #expect(written.map(\.voxels) == odd.map { $0.reoriented(to: lps).voxels })
    #expect(
      try Data(contentsOf: fixed.cases[0].reference) == Data(contentsOf: data.cases[0].reference))
  }

  /// The first channel stands for the case in pictures, also where there are three.
  @Test func picturesShowTheFirstModality() throws {
    try writeDecathlon([3], modalities: ["T1", "T2", "ADC"])
    let scan = try Dataset(contentsOf: folder.url).cases[0]
    #expect(try scan.sources[0].shownChannels() == [channels(3, seed: 0)[0]])
    let plan = try PreparationPlan(contextSlices: 1)
    let prepared = try PreparedVolume(reading: scan, scheme: nil, plan: plan)
    let window = SliceSampling(plan).central(slice: 0, of: prepared)
    #expect(try PreparedCase(source: scan, volume: prepared).shownChannels(slice: 0, in: window).count == 1)
  }
}
