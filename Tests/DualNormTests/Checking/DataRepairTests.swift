import Foundation
import MedicalImaging
import Testing

@testable import Datasets

@Suite struct DataRepairTests {
  let folder: DataFolder
  private var data: URL { folder.url.appendingPathComponent("data") }
  private var fixed: URL { folder.url.appendingPathComponent("fixed") }

  init() throws { folder = try DataFolder() }

  private func file(_ name: String) -> URL { data.appendingPathComponent(name) }

  /// Writes a pair with the mask on the image's grid or on another one.
  private func write(
    _ name: String, seed: UInt64, geometry: Geometry = Geometry(size: [16, 12, 4], spacingMM: [1, 1.25, 3]),
    maskGeometry: Geometry? = nil
  ) throws {
    let values = noise(geometry, seed: seed)
    try Image(voxels: values.voxels.map { $0.rounded() }, geometry: geometry).write(to: file("\(name).nii.gz"))
    let mask = volume(maskGeometry ?? geometry) { x, y, z in x < 5 && y > z ? 1 : 0 } as LabelMap
    try mask.write(to: file("\(name)_seg.nii.gz"))
  }

  private var mirrored: Geometry {
    Geometry(
      size: [16, 12, 4], spacingMM: [1, 1.25, 3], originMM: [5, 6, 7], direction: [-1, 0, 0, 0, 1, 0, 0, 0, 1])
  }

  private func check(_ url: URL) throws -> DataCheck { try DataCheck.run(on: Dataset(contentsOf: url)) }

  private func repair(dropDuplicates: Bool = false) throws -> DataRepair {
    let repair = DataRepair(
      of: try Dataset(contentsOf: data), facts: try check(data).facts, dropDuplicates: dropDuplicates)
    try repair.write(to: fixed)
    return repair
  }

  private func bytes(_ folder: URL) throws -> [String: Data] {
    let names = (FileManager.default.enumerator(atPath: folder.path)?.allObjects as? [String] ?? [])
    let files = names.filter { $0.contains(".nii") || $0.hasSuffix("txt") || $0.hasSuffix("json") }
    return Dictionary(
      uniqueKeysWithValues: try files.map { ($0, try Data(contentsOf: folder.appendingPathComponent($0))) })
  }

  @Test func oddOrientationsAreTurned() throws {
    for index in 0..<4 { try write("A/c\(index)", seed: UInt64(index)) }
    try write("B/odd", seed: 9, geometry: mirrored)
    let before = try bytes(data)
    #expect(try check(data).findings.map(\.rule) == [.orientation])
    let repair = try repair()
    #expect(
      repair.changes == [.init(identifier: "B/odd", kind: .turned, message: "turned from RPS to LPS")])
    #expect(try check(fixed).findings.isEmpty)
    #expect(try bytes(data) == before)
    // Cases that need no repair keep their files.
    #expect(try bytes(fixed)["A/c0.nii.gz"] == before["A/c0.nii.gz"])
    let image = try Image(contentsOf: fixed.appendingPathComponent("B/odd.nii.gz"))
    let mask = try LabelMap(contentsOf: fixed.appendingPathComponent("B/odd_segmentation.nii.gz"))
    let old = try Image(contentsOf: file("B/odd.nii.gz"))
    #expect(image.geometry.orientation.code == "LPS" && image.geometry.mismatch(with: mask.geometry) == nil)
    #expect(image[2, 3, 1] == old[13, 3, 1] && image.geometry.originMM == [-10, 6, 7])
    #expect(mask[15, 5, 1] == 1 && mask[0, 5, 1] == 0)
  }

  @Test func roundingIsWrittenAway() throws {
    try write("A/c0", seed: 1)
    var moved = Geometry(size: [16, 12, 4], spacingMM: [1, 1.25, 3])
    moved.originMM.x = 0.02
    try write("A/c1", seed: 2, maskGeometry: moved)
    #expect(try check(data).findings.map(\.rule) == [.rounding])
    let repair = try repair()
    #expect(
      repair.changes.map(\.message) == ["grids that differed by 0.02 of a voxel made that of the image"])
    #expect(try check(fixed).findings.isEmpty)
    let (old, new) = (
      try LabelMap(contentsOf: file("A/c1_seg.nii.gz")),
      try LabelMap(contentsOf: fixed.appendingPathComponent("A/c1_segmentation.nii.gz"))
    )
    #expect(old.voxels == new.voxels && new.geometry.originMM == .zero)
  }

  /// No program can tell whether the image's header or the mask's is wrong.
  @Test func whatDoesNotFitIsLeft() throws {
    for index in 0..<4 { try write("A/c\(index)", seed: UInt64(index)) }
    try write(
      "A/odd", seed: 9, geometry: mirrored, maskGeometry: Geometry(size: [16, 12, 4], spacingMM: [1, 1.25, 3]))
    try Data("nonsense".utf8).write(to: file("A/c3.nii.gz"))
    let repair = try repair()
    #expect(
      repair.changes == [
        .init(identifier: "A/odd", kind: .left, message: "left as RPS, since its files do not lie on one grid")
      ])
    #expect(try bytes(fixed)["A/odd.nii.gz"] == bytes(data)["A/odd.nii.gz"])
    #expect(try bytes(fixed)["A/c3.nii.gz"] == Data("nonsense".utf8))
  }

  @Test func copiesAreDroppedWhereAsked() throws {
    try write("A/a", seed: 1)
    try write("B/b", seed: 1)
    try write("B/c", seed: 1)
    // The same image with another mask; nobody knows the right one.
    try (volume(Geometry(size: [16, 12, 4], spacingMM: [1, 1.25, 3])) { x, _, _ in x < 3 ? 1 : 0 } as LabelMap)
      .write(to: file("B/c_seg.nii.gz"))
    try write("B/d", seed: 2)
    #expect(try repair().changes.isEmpty)
    try FileManager.default.removeItem(at: fixed)
    #expect(
      try repair(dropDuplicates: true).changes == [
        .init(identifier: "B/b", kind: .dropped, message: "left out, a copy of A/a")
      ])
    #expect(try Dataset(contentsOf: fixed).cases.map(\.identifier) == ["A/a", "B/c", "B/d"])
  }

  @Test func patientsAndOtherFormatsAreKept() throws {
    try write("A/a", seed: 1)
    try write("A/b", seed: 2)
    let image = noise(Geometry(size: [16, 12, 4]), seed: 3)
    try writeMetaImage(image, to: file("A/c.mha"))
    try LabelMap(voxels: image.voxels.map { $0 > 100 ? 1 : 0 }, geometry: image.geometry).write(to: file("A/c_seg.nii"))
    try folder.write("a.nii.gz,a_seg.nii.gz,P1\nb.nii.gz,b_seg.nii.gz,P1\nc.mha,c_seg.nii\n", to: "data/A/all_list.txt")
    #expect(try repair().changes.map(\.message) == ["c.mha written as NIfTI"])
    let copy = try Dataset(contentsOf: fixed)
    #expect(copy.cases.map(\.patient) == ["P1", "P1", "c"])
    #expect(copy.cases[2].images[0].lastPathComponent == "c.nii.gz")
    #expect(copy.cases[2].mask?.lastPathComponent == "c_segmentation.nii")
    #expect(try Image(contentsOf: copy.cases[2].images[0]).voxels == image.voxels)
  }

  /// The list makes `a_seg` an image, though its name is a mask's.
  @Test func imagesThatAreCalledLikeMasks() throws {
    try write("A/a", seed: 1)
    try write("A/b", seed: 2)
    try folder.write("a.nii.gz,a_seg.nii.gz\nb_seg.nii.gz,a_seg.nii.gz\n", to: "data/A/all_list.txt")
    #expect(try repair().changes.isEmpty)
    #expect(try Dataset(contentsOf: fixed).cases.map(\.identifier) == ["A/a", "A/b_seg"])
  }

  @Test func descriptionsKeepTheirNames() throws {
    try write("imagesTr/a_0000", seed: 1)
    try write("imagesTr/a_0001", seed: 2)
    for name in ["a_0000_seg", "a_0001_seg"] {
      try FileManager.default.createDirectory(at: file("labelsTr"), withIntermediateDirectories: true)
      try FileManager.default.moveItem(at: file("imagesTr/\(name).nii.gz"), to: file("labelsTr/\(name).nii.gz"))
    }
    try FileManager.default.moveItem(at: file("labelsTr/a_0000_seg.nii.gz"), to: file("labelsTr/a.nii.gz"))
    try FileManager.default.removeItem(at: file("labelsTr/a_0001_seg.nii.gz"))
    try folder.write(
      #"{"name": "D", "labels": {"background": 0, "zone": 1}, "channel_names": {"0": "T2", "1": "ADC"}}"#,
      to: "data/dataset.json")
    #expect(try repair().changes.isEmpty)
    let copy = try Dataset(contentsOf: fixed)
    #expect(copy.labelNames == [0: "background", 1: "zone"] && copy.modalities == ["T2", "ADC"])
    #expect(copy.cases.map(\.identifier) == ["D/a"] && copy.cases[0].images.count == 2)
    #expect(try check(fixed).findings.isEmpty)
  }

  @Test func outputsThatWouldDoHarm() throws {
    try write("A/a", seed: 1)
    func refusal(_ url: URL) -> String { sentence { try DataRepair.requireRoom(in: url, beside: data) } }
    #expect(
      refusal(file("B"))
        == "--fix \(data.path)/B: lies in the data set \(data.path), which is never changed; give a folder outside of it."
    )
    #expect(refusal(data).hasPrefix("--fix \(data.path): lies in the data set"))
    #expect(refusal(fixed) == "")
    try FileManager.default.createDirectory(at: fixed, withIntermediateDirectories: true)
    #expect(refusal(fixed) == "")
    try folder.write("", to: "fixed/.hidden")
    #expect(refusal(fixed) == "\(fixed.path): is not empty; give a new folder for --fix, or delete this one first.")
    #expect(
      refusal(fixed.appendingPathComponent(".hidden")) == "\(fixed.path)/.hidden: is a file; give a folder for --fix.")
  }

  private struct Stop: Error {}

  @Test func aStopLeavesNothing() throws {
    try write("A/a", seed: 1)
    try write("A/b", seed: 2)
    let repair = DataRepair(of: try Dataset(contentsOf: data), facts: try check(data).facts)
    #expect(throws: Stop.self) { try repair.write(to: fixed) { if $0.name == "b" { throw Stop() } } }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["data"])
  }
}
