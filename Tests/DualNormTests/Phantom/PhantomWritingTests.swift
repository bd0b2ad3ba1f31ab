import Foundation
import MedicalImaging
import Testing

@testable import Basics
@testable import Datasets

@Suite struct PhantomWritingTests {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("phantom-\(UUID().uuidString)")
  let configuration = PhantomConfiguration(
    sites: PhantomSite.training(count: 2, seed: 5), cases: 3..<5, size: [32, 32, 4], seed: 5)

  @Test func writesTheSiteLayout() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let phantom = try Phantom(configuration)
    var seen: [String] = []
    try phantom.write(to: folder) { identifier, ordinal, count in seen.append("\(identifier) \(ordinal)/\(count)") }
    #expect(seen == ["Site-A/Case03 1/4", "Site-A/Case04 2/4", "Site-B/Case03 3/4", "Site-B/Case04 4/4"])
    let files = try FileManager.default.subpathsOfDirectory(atPath: folder.path).sorted()
    let site = ["Case03.nii.gz", "Case03_segmentation.nii.gz", "Case04.nii.gz", "Case04_segmentation.nii.gz"]
    #expect(
      files
        == ["A", "B"].flatMap { letter in
          ["Site-\(letter)"] + (site + ["all_list.txt"]).map { "Site-\(letter)/\($0)" }
        })
    let list = try String(contentsOf: folder.appendingPathComponent("Site-A/all_list.txt"), encoding: .utf8)
    #expect(list == "Case03.nii.gz,Case03_segmentation.nii.gz\nCase04.nii.gz,Case04_segmentation.nii.gz\n")

    let (image, labels) = phantom.makeCase(4, of: configuration.sites[1])
    let readImage = try Image(contentsOf: folder.appendingPathComponent("Site-B/Case04.nii.gz"))
    let readLabels = try LabelMap(contentsOf: folder.appendingPathComponent("Site-B/Case04_segmentation.nii.gz"))
    #expect(readImage.voxels == image.voxels && readLabels.voxels == labels.voxels)
    #expect(readImage.geometry.direction == [-1, 0, 0, 0, 1, 0, 0, 0, 1])
    #expect(abs(readImage.geometry.originMM.x - image.geometry.originMM.x) < 1e-4)
  }

  @Test func sameSeedSameBytes() throws {
    let other = folder.appendingPathExtension("again")
    defer { for url in [folder, other] { try? FileManager.default.removeItem(at: url) } }
    try Phantom(configuration).write(to: folder)
    try Phantom(configuration).write(to: other)
    for file in try FileManager.default.subpathsOfDirectory(atPath: folder.path) where file.contains(".") {
      let (one, two) = (folder.appendingPathComponent(file), other.appendingPathComponent(file))
      #expect(try Data(contentsOf: one) == Data(contentsOf: two), "\(file)")
    }
  }

  @Test func refusesAFolderWithContents() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    try writeAtomically(Data("mine".utf8), to: folder.appendingPathComponent("notes.txt"))
    let phantom = try Phantom(configuration)
    #expect(
      throws: Refusal(
        .input,
        sentence:
          "\(folder.path): this folder is not empty, and a phantom is not mixed with other files; choose another output."
      )
    ) { try phantom.write(to: folder) }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["notes.txt"])

    let file = folder.appendingPathComponent("notes.txt")
    #expect(
      throws: Refusal(
        .input, sentence: "\(file.path): this is a file, and a phantom needs a folder; choose another output.")
    ) { try phantom.write(to: file) }
    let error = #expect(throws: Refusal.self) { try phantom.write(to: file.appendingPathComponent("deep")) }
    #expect(error?.description.hasPrefix("\(file.path)/deep/Site-A: this folder cannot be made (") == true)
  }

  @Test func refusesWhatMakesNoPhantom() throws {
    func expect(_ sentence: String, _ change: (inout PhantomConfiguration) -> Void) {
      var configuration = configuration
      change(&configuration)
      #expect(throws: Refusal(.input, sentence: sentence)) { try Phantom(configuration) }
    }
    expect("A phantom has 1 to 26 sites, not 0.") { $0.sites = [] }
    expect("Two sites of the phantom have the same name; give each its own index.") {
      $0.sites = [PhantomSite(index: 2), PhantomSite.unseen(index: 2)]
    }
    expect("A phantom's cases are numbered within 0 to 999, not 4..<4.") { $0.cases = 4..<4 }
    expect("A phantom's cases are numbered within 0 to 999, not 0..<1001.") { $0.cases = 0..<1001 }
    expect("A phantom of 16x64x8 voxels cannot be made; choose a size from 32x32x4 to 512x512x512.") {
      $0.size = [16, 64, 8]
    }
    expect("A phantom's spacing is above 0 mm, not 1.0, 0.0, 1.0.") { $0.spacingMM = [1, 0, 1] }
    expect("A phantom has 1 to 3 foreground classes, not 4.") { $0.foregroundClasses = 4 }
  }
}
