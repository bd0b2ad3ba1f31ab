import Basics
import Foundation
import MedicalImaging
import TestSupport
import Testing

@testable import Datasets
@testable import DualNorm

/// Data sets whose images are DICOM series, with masks as NIfTI or DICOM segmentations.
@Suite struct DICOMDatasetTests {
  let folder: TemporaryFolder
  private var data: URL { folder.file("data") }

  init() throws { folder = try TemporaryFolder() }

  private enum MaskKind: CaseIterable {
    /// Beside the series, its rows in the other order as dcm2niix has them.
    case nifti
    /// Beside the series.
    case segmentation
    /// In the folder of the series.
    case inside
  }

  /// Two sites of three series, 32 × 32 × 4 voxels, with a bright disc and a brighter square.
  private func make(_ kinds: [MaskKind] = MaskKind.allCases, names: [String] = ["disc", "square"]) throws {
    for site in ["A", "B"] {
      for index in 0..<3 {
        try make("\(site)/Case\(index)", seed: index + (site == "A" ? 1 : 11), kinds[index % kinds.count], names)
      }
    }
  }

  private func make(_ path: String, seed: Int, _ kind: MaskKind, _ names: [String]) throws {
    let place = data.appendingPathComponent(path)
    try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
    var mutator = Mutator(seed: UInt64(seed))
    let center = (x: 8 + mutator.next(below: 6), y: 9 + mutator.next(below: 6))
    func label(_ x: Int, _ y: Int) -> LabelValue {
      if (x - center.x) * (x - center.x) + (y - center.y) * (y - center.y) < 30 { return 1 }
      return (20..<27).contains(x) && (center.y + 6..<center.y + 13).contains(y) ? 2 : 0
    }
    var labels: [LabelValue] = []
    for z in 0..<4 {
      let plane = (0..<1024).map { label($0 % 32, $0 / 32) }
      labels += plane
      var slice = DICOMSliceFile(
        plane.map { Int16(100 + 300 * Int($0) + mutator.next(below: 40)) }, columns: 32, rows: 32,
        position: [0, 0, 3 * Double(z)], instance: 100 * seed + z)
      slice.texts[0x0020_000e] = ("UI", "1.2.3.\(seed)")
      slice.texts[0x0020_0052] = ("UI", "1.2.8.\(seed)")
      try slice.write(to: place.appendingPathComponent("\(9 - z)"))
    }
    let series = try DICOMSeries(contentsOf: place)
    let mask = LabelMap(voxels: labels, geometry: series.geometry)
    let beside = place.deletingLastPathComponent().appendingPathComponent(place.lastPathComponent + "_segmentation")
    switch kind {
    case .nifti:
      try mask.reoriented(to: #require(Orientation(code: "LAS"))).write(to: beside.appendingPathExtension("nii.gz"))
    case .segmentation: try write(mask, to: beside.appendingPathExtension("dcm"), series, names)
    case .inside: try write(mask, to: place.appendingPathComponent("seg"), series, names)
    }
  }

  private func write(_ mask: LabelMap, to url: URL, _ series: DICOMSeries, _ names: [String]) throws {
    let segments = names.enumerated().map { DICOMSegment(value: LabelValue($0 + 1), name: $1) }
    try mask.writeSegmentation(to: url, of: series, segments: segments, softwareVersion: "1")
  }

  /// A mask does not need the headers of a series again whose image was read.
  @Test func theGridOfAnImageThatWasReadServesItsMask() throws {
    try make([.nifti])
    let scan = try Dataset(contentsOf: data).cases[0]
    let expected = try #require(try scan.labels())
    let grid = try scan.channels().images[0].geometry
    try FileManager.default.removeItem(at: scan.reference)
    #expect(try scan.labels(on: grid) == expected)
    #expect(throws: Refusal.self) { try scan.labels() }
  }

  private func run(_ arguments: String...) throws -> (status: Int32, output: String, errors: String) {
    let result = try dualnorm(arguments)
    #expect(result.status == 0, "\(result.errors)")
    return result
  }

  /// Every verb that takes a data set, on masks of all kinds.
  @Test func theyAreCheckedLearntAndEvaluated() throws {
    try make()
    let (model, output, page) = (folder.file("run"), folder.file("out"), folder.file("check.html"))
    let check = try run("check", data.path, "--report", page.path)
    #expect(check.output.contains("6 cases of 2 sites") && check.output.contains("A: 3 cases of 3 patients"))
    let trained = try dualnorm(["train", "--data", data.path, "--output", model.path] + Tiny.learning)
    #expect(trained.status == 0, "\(trained.errors)")
    let description = try RunFolder(model).readDescription()
    #expect(description.labels.groups == [[1], [2]] && description.sites == ["A", "B"])
    _ = try run("evaluate", "--model", model.path, "--data", data.path, "--output", output.path, "--quiet")
    let scores = try String(contentsOf: output.appendingPathComponent("scores.csv"), encoding: .utf8).split(
      separator: "\n")
    let place = scores[0].split(separator: ",").firstIndex(of: "dice")!
    let dice = scores.dropFirst().compactMap {
      Double($0.split(separator: ",", omittingEmptySubsequences: false)[place])
    }
    #expect(dice.count == 6 * 2 * 2 && dice.allSatisfy { $0 > 0.7 }, "\(scores)")
    #expect(contents(of: output).contains("predictions/A/Case0.nii.gz"))
    let masks = folder.file("masks")
    _ = try run("predict", "--model", model.path, "--input", data.path, "--output", masks.path, "--quiet")
    #expect(contents(of: masks).filter { $0.hasSuffix(".nii.gz") }.count == 6)
    #expect(
      try LabelMap(contentsOf: masks.appendingPathComponent("B/Case2.nii.gz")).voxels
        == LabelMap(contentsOf: output.appendingPathComponent("predictions/B/Case2.nii.gz")).voxels)
    let site = ["--input", data.appendingPathComponent("A").path, "--output", folder.file("site").path, "--quiet"]
    let predicted = try dualnorm(["predict", "--model", model.path] + site)
    #expect(predicted.status == 0 && predicted.errors == "", "\(predicted.errors)")
    #expect(contents(of: folder.file("site")) == ["Case0.nii.gz", "Case1.nii.gz", "Case2.nii.gz"])
    _ = try run("report", output.path, "--data", data.path, "--output", folder.file("page.html").path)
  }

  /// A mask's voxels are the same whatever its kind.
  @Test func allKindsOfMasksAreTheSame() throws {
    for (index, kind) in MaskKind.allCases.enumerated() { try make("\(kind)/Case", seed: 5, kind, ["a", "b\(index)"]) }
    try FileManager.default.removeItem(at: data.appendingPathComponent("segmentation/Case_segmentation.dcm"))
    try make("segmentation/Case", seed: 5, .segmentation, ["a", "b2"])
    let cases = try Dataset(contentsOf: data).cases
    let masks = try cases.map { try #require(try $0.labels()) }
    #expect(cases.count == 3 && masks.allSatisfy { $0 == masks[0] } && Set(masks[0].voxels) == [0, 1, 2])
    #expect(try cases.allSatisfy { try $0.channels().images[0].geometry == masks[0].geometry })
  }

  @Test func segmentsNameTheLabels() throws {
    try make([.segmentation, .inside])
    #expect(try Dataset(contentsOf: data).labelNames == [0: "background", 1: "disc", 2: "square"])
    let mask = data.appendingPathComponent("B/Case2_segmentation.dcm")
    let series = try DICOMSeries(contentsOf: data.appendingPathComponent("B/Case2"))
    try write(LabelMap(repeating: 1, geometry: series.geometry), to: mask, series, ["square"])
    let other = data.appendingPathComponent("B/Case1/seg").path
    let sentence =
      "\(data.path): segment 1 is \"square\" in \(mask.path) and \"disc\" in \(other), and a number is one class; if these are "
      + "different structures, give each its own number."
    #expect(try dualnorm("check", data.path).output.contains(sentence))
    let train = try dualnorm(["train", "--data", data.path, "--output", folder.file("run").path] + Tiny.quick)
    #expect(
      train.status == 0 && train.errors.components(separatedBy: "Warning: \(sentence)").count == 2, "\(train.errors)")
    #expect(try Dataset(contentsOf: data).labelNames == [:])
  }

  /// One site as one folder, and a list that names folders.
  @Test func flatFoldersAndLists() throws {
    try make([.segmentation])
    let flat = try Dataset(contentsOf: data.appendingPathComponent("A"))
    #expect(flat.layout == .flat && flat.cases.map(\.identifier) == ["A/Case0", "A/Case1", "A/Case2"])
    try Data("Case1,Case1_segmentation.dcm,P7\n".utf8).write(to: data.appendingPathComponent("B/all_list.txt"))
    let listed = try Dataset(contentsOf: data).cases.filter { $0.site == "B" }
    #expect(listed.map(\.patient) == ["P7"] && listed[0].sources[0].isSeries && listed[0].name == "Case1")
  }

  @Test func aRepairedCopyIsNIfTI() throws {
    try make()
    let copy = folder.file("copy")
    _ = try run("check", data.path, "--fix", copy.path)
    let (old, new) = (try Dataset(contentsOf: data).cases, try Dataset(contentsOf: copy).cases)
    #expect(new.map(\.identifier) == old.map(\.identifier) && new.allSatisfy { !$0.sources[0].isSeries })
    for (old, new) in zip(old, new) {
      #expect(try old.channels().images[0].voxels == new.channels().images[0].voxels)
      #expect(try old.labels()?.voxels == new.labels()?.voxels)
    }
  }

  /// DICOM originals beside images in files, in every place where they lie, change nothing.
  @Test func originalsBesideFilesAreLeftOut() throws {
    try make([.segmentation])
    let files = folder.file("files")
    try FileManager.default.createDirectory(at: files, withIntermediateDirectories: true)
    let sites = ["Site-A", "Site-B"]
    for site in sites {
      try FileManager.default.copyItem(
        at: Tiny.data.appendingPathComponent(site), to: files.appendingPathComponent(site))
    }
    let expected = try Dataset(contentsOf: files).cases
    let series = data.appendingPathComponent("A/Case1")
    func put(_ source: URL, _ name: String) throws {
      try FileManager.default.copyItem(at: source, to: files.appendingPathComponent(name))
    }
    try put(series.appendingPathComponent("9"), "Site-A/Case00.dcm")
    try put(series, "Site-A/Case01")
    try put(series, "Site-A/dicom")
    try put(data.appendingPathComponent("A/Case1_segmentation.dcm"), "Site-A/Case01_seg.dcm")
    try put(series, "raw")
    #expect(try Dataset(contentsOf: files).cases == expected)
  }

  /// A series of several channels has one mask, and a folder named like a mask holds it.
  @Test func channelsAndFoldersOfMasks() throws {
    try make([.inside])
    for site in ["A", "B"] {
      for index in 0..<3 {
        let place = data.appendingPathComponent("\(site)/Case\(index)")
        let masks = data.appendingPathComponent("\(site)/Case\(index)_segmentation")
        try FileManager.default.copyItem(at: place, to: data.appendingPathComponent("\(site)/Case\(index)_0001"))
        try FileManager.default.removeItem(at: data.appendingPathComponent("\(site)/Case\(index)_0001/seg"))
        if site == "B" {
          try FileManager.default.createDirectory(at: masks, withIntermediateDirectories: true)
          try FileManager.default.moveItem(
            at: place.appendingPathComponent("seg"), to: masks.appendingPathComponent("1-1.dcm"))
        }
        try FileManager.default.moveItem(at: place, to: data.appendingPathComponent("\(site)/Case\(index)_0000"))
      }
    }
    let set = try Dataset(contentsOf: data)
    #expect(set.cases.map(\.identifier) == ["A/Case0", "A/Case1", "A/Case2", "B/Case0", "B/Case1", "B/Case2"])
    #expect(set.modalities.count == 2 && set.cases.allSatisfy { $0.sources.count == 2 })
    #expect(try set.cases.allSatisfy { Set(try $0.labels()?.voxels ?? []) == [0, 1, 2] })
  }

  /// A damaged series and a damaged segmentation are copied as they are.
  @Test func aRepairKeepsWhatCannotBeRead() throws {
    try make([.segmentation])
    for name in ["A/Case1/9", "B/Case1_segmentation.dcm"] {
      let file = data.appendingPathComponent(name)
      try Data(contentsOf: file).prefix(600).write(to: file)
    }
    let copy = folder.file("copy")
    let result = try dualnorm("check", data.path, "--fix", copy.path)
    #expect(result.status == 1 && result.output.contains("A/Case1"), "\(result.errors)")
    #expect(contents(of: copy).contains("A/Case1/9") && contents(of: copy).contains("B/Case1_segmentation.dcm"))
  }

  @Test func faultsAreRefused() throws {
    try make([.inside])
    let place = data.appendingPathComponent("A/Case1")
    let train = ["train", "--data", data.path, "--output", folder.file("run").path]
    try FileManager.default.copyItem(
      at: place.appendingPathComponent("seg"), to: place.appendingPathComponent("seg2"))
    try expectRefusal(
      "\(place.path): holds 2 segmentations (seg and seg2); keep one, or name one Case1_segmentation.dcm and put it beside "
        + "the folder.", of: train)
    for name in ["seg", "seg2"] { try FileManager.default.removeItem(at: place.appendingPathComponent(name)) }
    try expectRefusal(
      "\(place.path): an image without its mask; add the mask, named like the image with _segmentation (or in "
        + "labelsTr), move the image away, or leave such images out (--skip-unpaired).", of: train)
    let other = data.appendingPathComponent("A/Case2")
    try FileManager.default.moveItem(
      at: other.appendingPathComponent("seg"), to: data.appendingPathComponent("A/Case1_segmentation.dcm"))
    try FileManager.default.removeItem(at: other)
    let result = try dualnorm(train + Tiny.quick)
    #expect(result.status == 1 && result.errors.contains("give the series that it was made from"), "\(result.errors)")
  }
}
