import Foundation
import MedicalImaging
import Scores
import Testing

@testable import Basics
@testable import Datasets

/// Labels that come back to a folder of sites.
@Suite struct ServeLabelTests {
  let folder: TemporaryFolder
  private let data: URL
  private let server: RunningServer
  /// The mask of Site-B/Case01, whose image has none in the folder.
  private let mask: LabelMap

  init() throws {
    folder = try TemporaryFolder()
    data = try Tiny.copyOfData(to: folder.file("data"))
    mask = try LabelMap(contentsOf: data.appendingPathComponent("Site-B/Case01_segmentation.nii.gz"))
    for name in ["Site-A/all_list.txt", "Site-B/all_list.txt", "Site-B/Case01_segmentation.nii.gz"] {
      try? FileManager.default.removeItem(at: data.appendingPathComponent(name))
    }
    server = try RunningServer([Tiny.run.path, "--data", data.path, "--verbose"])
  }

  private var saved: URL { data.appendingPathComponent("Site-B/Case01_segmentation.nii.gz") }

  /// The bytes of a mask in a file of some format.
  private func file(_ mask: LabelMap, _ name: String) throws -> Data {
    let url = folder.file(name)
    if name.hasSuffix(".nrrd") { try mask.writeNRRD(to: url) } else { try mask.write(to: url) }
    return try Data(contentsOf: url)
  }

  private func save(
    _ data: Data, _ name: String, _ parameters: String = "{}", image: String = "Site-B/Case01"
  ) throws -> HTTPConnection.Answer {
    try server.answer(
      "PUT", "/datastore/label?image=\(image)&tag=final",
      RequestForm(["params": parameters]).with("label", named: name, data))
  }

  private func expectSaved(_ location: SourceLocation = #_sourceLocation) throws {
    let found = try LabelMap(contentsOf: saved)
    #expect(found.voxels == mask.voxels, sourceLocation: location)
    let image = try Image(contentsOf: data.appendingPathComponent("Site-B/Case01.nii.gz"))
    #expect(found.geometry == image.geometry, sourceLocation: location)
  }

  @Test func segmentsOfSlicerHaveNumbersByTheirOrder() throws {
    let swapped = LabelMap(voxels: mask.voxels.map { [0, 2, 1][Int($0)] }, geometry: mask.geometry)
    let answer = try save(
      file(swapped, "label.nrrd"), "/tmp/Slicer-x/tmp3.nrrd",
      #"{"label_info": [{"name": "label 2", "idx": 1}, {"name": "label 1", "idx": 2}], "model": "run", "client_id": "user-xyz"}"#
    )
    #expect(
      answer.status == 200 && answer.json as? [String: String] == ["image": "Site-B/Case01", "label": "Site-B/Case01"])
    try expectSaved()
    // A training takes the folder as it is, and the case counts as labelled.
    #expect(try Dataset(contentsOf: data).cases.count == 6)
    let stats = try server.answer("GET", "/datastore/?output=stats").json
    #expect(stats["completed"] as? Int == 6 && stats["total"] as? Int == 6)
    let download = try server.answer("GET", "/datastore/label?label=Site-B%2FCase01&tag=final")
    #expect(try download.body == Data(contentsOf: saved))
    #expect(download.headers["content-disposition"] == #"attachment; filename="label.nii.gz""#)
    #expect(try server.answer("HEAD", "/datastore/label?label=Site-B/Case01").status == 200)
  }

  @Test func aLabelThatIsThereIsKept() throws {
    #expect(try save(file(mask, "a.nii.gz"), "a.nii.gz").status == 200)
    let first = try Data(contentsOf: saved)
    let other = LabelMap(voxels: mask.voxels.map { $0 == 2 ? 0 : $0 }, geometry: mask.geometry)
    #expect(try save(file(other, "b.nii"), "b.nii").status == 200)
    #expect(try save(file(mask, "c.nii.gz"), "c.nii.gz").status == 200)
    try expectSaved()
    let replaced = data.appendingPathComponent("Site-B/.replaced")
    let copies = contents(of: replaced)
    #expect(copies.count == 2 && copies.allSatisfy { $0.hasSuffix("-Case01_segmentation.nii.gz") })
    #expect(try copies.contains { try Data(contentsOf: replaced.appendingPathComponent($0)) == first })
    #expect(contents(of: data).allSatisfy { !$0.contains("partial") })
    #expect(try Dataset(contentsOf: data).cases.count == 6, "the hidden folder is no case")
  }

  /// OHIF sends a byte for each voxel, in the image's order.
  @Test func bytesOfOHIF() throws {
    let bytes = Data(mask.voxels.map { UInt8($0) })
    #expect(try save(bytes, "label.bin", #"{"label_info": []}"#).status == 200)
    try expectSaved()
    let short = try save(bytes.dropLast(), "label.bin")
    #expect(
      short.status == 400
        && short.detail == "The label has 4095 bytes, and the image 4096 voxels; send a byte for each.")
    try expectSaved()
  }

  @Test func aLabelWithItsRowsReversedLiesOnTheImagesGrid() throws {
    #expect(try save(file(mask.withRowsReversed(), "a.nrrd"), "a.seg.nrrd").status == 200)
    try expectSaved()
  }

  @Test func labelsThatAreRefused() throws {
    let good = try file(mask, "good.nii.gz")
    var geometry = mask.geometry
    geometry.originMM += [1, 0, 0]
    let moved = try file(LabelMap(voxels: mask.voxels, geometry: geometry), "moved.nii.gz")
    let strange = try file(LabelMap(voxels: mask.voxels.map { $0 * 3 }, geometry: mask.geometry), "strange.nii.gz")
    let names = "and the classes are label 1 (1) and label 2 (2)"
    let cases: [(Data, String, String, String)] = [
      (
        good, "a.nii.gz", #"{"label_info": [{"name": "liver", "idx": 1}, {"name": "label 2", "idx": 2}]}"#,
        #"The label has a segment "liver", \#(names); name it like one."#
      ),
      (
        good, "a.nii.gz", #"{"label_info": [{"name": "label 1", "idx": 1}]}"#,
        "The label has the value 2, which label_info does not name; name every segment."
      ),
      (
        good, "a.nii.gz", #"{"label_info": [{"name": "label 1", "idx": 1}, {"name": "label 2", "idx": 1}]}"#,
        "Two entries of label_info have the idx 1; give each segment its own."
      ),
      (
        good, "a.nii.gz", #"{"label_info": [{"name": "label 1"}]}"#,
        "An entry of label_info lacks its name, or its idx above 0."
      ),
      (good, "a.nii.gz", "[]", "The field params is no JSON object; send {} for none."),
      (strange, "a.nii.gz", "{}", "The label has the value 3, \(names); name its segments like them."),
      (
        moved, "a.nii.gz", "{}",
        "The label does not lie on the image's grid (origin differs by 1 mm along x); save it on the image's."
      ),
      (good, "label", "{}", "The label is of an unknown format by its name; send .nii.gz, .nii or .nrrd."),
      (Data(good.prefix(200)), "../Doe Jane.nii.gz", "{}", "Doe Jane.nii.gz: "),
    ]
    for (data, name, parameters, sentence) in cases {
      let answer = try save(data, name, parameters)
      #expect(answer.status == 400 && answer.detail.hasPrefix(sentence), "\(answer.detail)")
    }
    for image in ["Site-B/Case09", "Case01", "../data/Site-B/Case01", "Site-B/Case01%00", "Site-B/../Site-B/Case01"] {
      #expect(try save(good, "a.nii.gz", image: image).status == 404, "\(image)")
    }
    let nothing = try server.answer("PUT", "/datastore/label?image=Site-B/Case01", RequestForm(["params": "{}"]))
    #expect(nothing.status == 400 && nothing.detail == "The form has no part named label, which holds the mask.")
    #expect(try server.answer("PUT", "/datastore/label", RequestForm()).status == 400)
    #expect(try server.answer("GET", "/datastore/label?label=Site-B/Case01").status == 404)
    #expect(!FileManager.default.fileExists(atPath: saved.path))
    try Data("Case01.nii.gz".utf8).write(to: data.appendingPathComponent("Site-B/all_list.txt"))
    #expect(try save(good, "a.nii.gz").detail.contains("all_list.txt"))
    try FileManager.default.removeItem(at: data.appendingPathComponent("Site-B/all_list.txt"))
    let end = try server.end()
    #expect(end.status == 0 && server.kept == [])
    // Names of patients may be in those of files, cases and folders.
    for name in ["Case01", "Doe", folder.path] {
      #expect(!end.errors.split(separator: "\n").dropFirst().joined().contains(name))
    }
  }

  /// A failure of the server's own files names none of them.
  @Test func aFolderThatCannotBeWritten() throws {
    #expect(try save(file(mask, "a.nii.gz"), "a.nii.gz").status == 200)
    let before = try Data(contentsOf: saved)
    try Data().write(to: data.appendingPathComponent("Site-B/.replaced"))
    let answer = try save(file(mask, "b.nii.gz"), "b.nii.gz")
    #expect(answer.status == 500 && answer.detail.hasPrefix("The server could not do this: this folder cannot be made"))
    #expect(try Data(contentsOf: saved) == before)
    let end = try server.end()
    #expect(end.errors.contains("A request failed: The server could not do this") && !end.errors.contains(".replaced"))
  }

  @Test func imagesThatAreAdded() throws {
    let image = try Data(contentsOf: Tiny.data.appendingPathComponent("Site-A/Case00.nii.gz"))
    func add(_ name: String, _ site: String, _ data: Data) throws -> HTTPConnection.Answer {
      try server.answer(
        "PUT", "/datastore/?image=\(name)",
        RequestForm(["params": #"{"site": "\#(site)"}"#]).with("file", named: "x.nii.gz", data))
    }
    #expect(try add("New", "Site-C", image).json["image"] as? String == "Site-C/New")
    #expect(try add("New", "Site-C", image).status == 200, "the same again")
    let other = try Data(contentsOf: Tiny.data.appendingPathComponent("Site-A/Case01.nii.gz"))
    #expect(try add("New", "Site-C", other).status == 409)
    #expect(try server.answer("GET", "/datastore/image?image=Site-C/New").body == image)
    #expect(try server.answer("HEAD", "/datastore/image?image=Site-C/New").status == 200)
    #expect(try server.answer("HEAD", "/datastore/image?image=Site-C/New&check_sum=SHA256:00").status == 404)
    let before = contents(of: folder.url)
    let names = ["../x", "..", ".x", "a/b", "a%00", "%C3%BC", "a%0Ab", String(repeating: "x", count: 101)]
    // 3D Slicer gives names with blanks and other signs, which become underscores.
    for name in names where name.hasPrefix(".") || name.count > 100 {
      #expect(try add(name, "Site-C", image).status == 400, "\(name)")
    }
    #expect(try add("X_segmentation", "Site-C", image).status == 400)
    for name in names {
      #expect(try add("y", name.removingPercentEncoding!, image).status == 400, "\(name)")
    }
    #expect(try add("Bad", "Site-C", image.prefix(500)).status == 400)
    #expect(contents(of: folder.url) == before && contents(of: data.appendingPathComponent("Site-C")) == ["New.nii.gz"])
    for name in ["a%2Fb", "a%00", "%C3%BC%20x"] { #expect(try add(name, "Site-D", image).status == 200, "\(name)") }
    #expect(contents(of: data.appendingPathComponent("Site-D")) == ["__x.nii.gz", "a_.nii.gz", "a_b.nii.gz"])
    #expect(contents(of: folder.url).filter { !$0.contains("Site-D") } == before)
  }

  /// The order of 3D Slicer's requests for a volume that its user loaded: it keeps to its own name throughout.
  @Test func aVolumeOfSlicersUser() throws {
    let image = try Data(contentsOf: Tiny.data.appendingPathComponent("Site-A/Case00.nii.gz"))
    let name = "2:%20AXIAL%20T1%20(1)"
    let form = RequestForm(["params": "{}"]).with("file", named: "volume.nii.gz", image)
    #expect(
      try server.answer("PUT", "/datastore/?image=\(name)", form).json["image"] as? String == "uploads/2__AXIAL_T1__1_")
    let label = try Data(contentsOf: Tiny.data.appendingPathComponent("Site-A/Case00_segmentation.nii.gz"))
    let saved = try server.answer(
      "PUT", "/datastore/label?image=\(name)", RequestForm(["params": "{}"]).with("label", named: "label.nii.gz", label)
    )
    #expect(saved.status == 200, "\(saved.detail)")
    #expect(contents(of: data.appendingPathComponent("uploads")).contains("2__AXIAL_T1__1__segmentation.nii.gz"))
    #expect(try server.answer("GET", "/datastore/label?label=\(name)&tag=final").status == 200)
  }

  /// A label that unpacks to far more voxels than the image has is refused before they are read.
  @Test func aLabelOfManyVoxels() throws {
    let large = LabelMap(repeating: 0, geometry: Geometry(size: SIMD3(512, 512, 64)))
    let file = folder.file("large.nii.gz")
    try large.write(to: file)
    let answer = try save(Data(contentsOf: file), "large.nii.gz")
    #expect(answer.status == 400 && answer.detail.contains("does not lie on the image's grid"))
  }
}
