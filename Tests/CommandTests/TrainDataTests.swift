import Foundation
import MedicalImaging
import Testing

/// Data that training refuses, or that cause a warning.
@Suite struct TrainDataTests {
  let folder: TemporaryFolder
  private let data: URL
  private let image: URL
  private let mask: URL

  init() throws {
    folder = try TemporaryFolder()
    data = try Tiny.copyOfData(to: folder.file("data"))
    image = data.appendingPathComponent("Site-B/Case02.nii.gz")
    mask = data.appendingPathComponent("Site-B/Case02_segmentation.nii.gz")
  }

  private func arguments(_ options: [String] = []) -> [String] {
    ["train", "--data", data.path, "--output", folder.file("run").path] + Tiny.quick + options
  }

  private func expectRefusal(
    _ sentence: String, options: [String] = [], _ location: SourceLocation = #_sourceLocation
  ) throws {
    try CommandTests.expectRefusal(sentence, of: arguments(options), location)
    #expect(!FileManager.default.fileExists(atPath: folder.file("run").path), sourceLocation: location)
  }

  @Test func maskMovedAgainstItsImage() throws {
    try move(mask: mask, byMM: [2, 0, 0])
    try expectRefusal(
      "\(mask.path): does not lie on the voxels of its image \(image.path): origin differs by 2 mm along x; resample the "
        + "mask onto the image or correct the wrong header.")
  }

  @Test func rounding() throws {
    try move(mask: mask, byMM: [1e-6, 0, 0])
    let result = try dualnorm(arguments())
    #expect(result.status == 0 && messagesBesideWarnings(result.errors) == "")
  }

  @Test func maskOfAnotherSize() throws {
    let labels = try LabelMap(contentsOf: mask)
    let smaller = Geometry(size: [32, 32, 3], spacingMM: labels.geometry.spacingMM)
    try LabelMap(voxels: Array(labels.voxels.dropLast(32 * 32)), geometry: smaller).write(to: mask)
    let result = try dualnorm(arguments())
    #expect(result.status == 1)
    #expect(
      result.errors.hasPrefix(
        "Error: \(mask.path): does not lie on the voxels of its image \(image.path): size 32×32×3 against 32×32×4"))
  }

  @Test func maskWithoutImageAndImageWithoutMask() throws {
    let list = data.appendingPathComponent("Site-B/all_list.txt")
    try FileManager.default.removeItem(at: mask)
    try expectRefusal(
      "\(list.path), line 3: \(mask.path) does not exist; correct the entry or restore the file.")
    try FileManager.default.removeItem(at: list)
    try expectRefusal(
      "\(image.path): an image without its mask; add the mask, named like the image with _segmentation (or in "
        + "labelsTr), move the image away, or leave such images out (--skip-unpaired).")
    try FileManager.default.moveItem(at: image, to: mask)
    try expectRefusal(
      "\(mask.path): a mask without its image; add the image under the mask's name or move the mask away.")
  }

  /// As in a data set that is being labelled. Without the option the same command refuses, as above.
  @Test func imagesWithoutMasksCanBeLeftOut() throws {
    try FileManager.default.removeItem(at: data.appendingPathComponent("Site-B/all_list.txt"))
    try FileManager.default.removeItem(at: mask)
    let run = folder.file("left-out")
    let trained = try dualnorm(
      ["train", "--data", data.path, "--output", run.path, "--skip-unpaired"] + Tiny.quick.filter { $0 != "--quiet" })
    #expect(trained.status == 0 && trained.errors.contains("1 image without a mask is left out."), "\(trained.errors)")
    #expect(
      try String(contentsOf: run.appendingPathComponent("config.yaml"), encoding: .utf8).contains("skip-unpaired: true")
    )
    let splits = try String(contentsOf: run.appendingPathComponent("splits.json"), encoding: .utf8)
    let name = "Site-B/" + image.lastPathComponent.replacingOccurrences(of: ".nii.gz", with: "")
    #expect(!splits.contains(name.replacingOccurrences(of: "/", with: "\\/")) && !splits.contains(name))
    let checked = try dualnorm("check", data.path, "--skip-unpaired")
    #expect(checked.status == 0 && checked.errors.contains("1 image without a mask is left out."), "\(checked.errors)")
    let evaluated = try dualnorm(
      "evaluate", "--model", run.path, "--data", data.path, "--output", folder.file("scores").path, "--split", "all",
      "--skip-unpaired")
    #expect(evaluated.status == 0, "\(evaluated.errors)")
    for mask in try FileManager.default.subpathsOfDirectory(atPath: data.path) where mask.contains("_segmentation") {
      try FileManager.default.removeItem(at: data.appendingPathComponent(mask))
    }
    try FileManager.default.removeItem(at: data.appendingPathComponent("Site-A/all_list.txt"))
    try expectRefusal(
      "\(data.path): none of its 6 images has a mask; label some of them first.", options: ["--skip-unpaired"])
  }

  @Test func notANumber() throws {
    try change(image: image) { $0[100] = .nan }
    try expectRefusal(
      "\(image.path): 1 voxel NaN or infinite, expected numbers only; repair the image, for example by setting them to "
        + "the background's intensity.")
  }

  @Test func constantImages() throws {
    for url in [image, data.appendingPathComponent("Site-A/Case01.nii.gz")] {
      try change(image: url) { $0 = $0.map { _ in 7 } }
    }
    try expectRefusal(
      "\(data.path)/Site-A/Case01.nii.gz: every voxel is 7, expected an image with contrast; leave this case out or "
        + "restore the file. (The check found 1 more error.)")
  }

  @Test func imageOutsideTheWindow() throws {
    try CommandTests.expectRefusal(
      "\(data.path)/Site-A/Case00.nii.gz: every voxel is the same after clipping to 50000…60000; give a --window that "
        + "holds the image's intensities.", of: arguments(["--window", "50000,60000"]))
    #expect(contents(of: folder.url).first == "data" && !contents(of: folder.url).contains("run"))
  }

  @Test func imageTooSmallForTheNetwork() throws {
    let result = try dualnorm(arguments(["--spacing", "100,100"]))
    #expect(
      result.errors
        == "Error: \(data.path)/Site-A/Case00.nii.gz: slices of 2×2 pixels (H×W) after resampling, expected at least 8 a "
        + "side because the network halves them 4 times; leave this volume out or give a finer --spacing.\n")
    #expect(result.status == 1)
  }

  @Test func emptyMasks() throws {
    for name in contents(of: data) where name.hasSuffix("_segmentation.nii.gz") {
      try change(mask: data.appendingPathComponent(name)) { $0 = $0.map { _ in 0 } }
    }
    try expectRefusal("All masks are empty, so there is nothing to learn; check the masks.")
  }

  @Test func labelsThatDifferBetweenSitesAreNamed() throws {
    for index in 0..<3 {
      try change(mask: data.appendingPathComponent("Site-B/Case0\(index)_segmentation.nii.gz")) {
        $0 = $0.map { min($0, 1) }
      }
    }
    let result = try dualnorm(arguments().filter { $0 != "--quiet" })
    #expect(result.status == 0)
    #expect(
      result.errors.contains(
        "\nwarning: The sites' labels differ (Site-A: 1 and 2; Site-B: 1); merge what means the same with "
          + "--merge-labels, or the missing classes cannot be learnt there.\n"))
  }

  @Test func noCasesAndNoFolder() throws {
    let empty = folder.file("empty")
    try FileManager.default.createDirectory(at: empty, withIntermediateDirectories: true)
    try CommandTests.expectRefusal(
      "\(empty.path): no cases were found; expected folders of sites with Case.nii.gz + Case_segmentation.nii.gz pairs (or "
        + "an all_list.txt), a dataset.json with imagesTr and labelsTr, or one folder of such pairs.",
      of: ["train", "--data", empty.path, "--output", folder.file("run").path])
    try CommandTests.expectRefusal(
      "\(folder.path)/nowhere: there is no such folder; check the path of the data set.",
      of: ["train", "--data", folder.file("nowhere").path, "--output", folder.file("run").path])
  }
}
