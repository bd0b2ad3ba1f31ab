import Foundation
import MedicalImaging
import Testing

@testable import Datasets

/// Cases as DICOM series, beside NIfTI files.
@Suite struct PrepareDICOMTests {
  let folder: TemporaryFolder
  private let oblique = fixtures.appendingPathComponent("dicom/oblique")
  private let nifti = fixtures.appendingPathComponent("dicom/oblique.nii.gz")
  private var mask: LabelMap { get throws { labels(of: try Image(contentsOf: nifti)) } }

  init() throws {
    folder = try TemporaryFolder()
    for name in ["images", "labels"] {
      try FileManager.default.createDirectory(at: folder.file(name), withIntermediateDirectories: false)
    }
    try FileManager.default.copyItem(at: oblique, to: folder.file("images/Case01"))
    try Data("labels: [{name: disc, from: [1], to: 1}]\n".utf8).write(to: folder.file("recipe.yaml"))
  }

  private func labels(of image: Image) -> LabelMap {
    LabelMap(voxels: image.voxels.map { $0 > 200 ? 1 : 0 }, geometry: image.geometry)
  }

  private func arguments() -> [String] {
    [
      "prepare", "--recipe", folder.file("recipe.yaml").path, "--images", folder.file("images").path, "--labels",
      folder.file("labels").path, "--site", "A", "--output", folder.file("data").path, "--quiet",
    ]
  }

  @Test func seriesAndFilesMakeASite() throws {
    try FileManager.default.copyItem(at: nifti, to: folder.file("images/Case02.nii.gz"))
    for name in ["Case01", "Case02"] { try mask.write(to: folder.file("labels/\(name)_seg.nii.gz")) }
    let result = try dualnorm(arguments())
    #expect(result.status == 0 && result.errors == "")
    let images = try [1, 2].map { try Image(contentsOf: folder.file("data/A/Case0\($0).nii.gz")) }
    #expect(images[0].voxels == images[1].voxels && images[0].geometry.mismatch(with: images[1].geometry) == nil)
    #expect(
      try LabelMap(contentsOf: folder.file("data/A/Case01_segmentation.nii.gz")).voxels
        == LabelMap(contentsOf: folder.file("data/A/Case02_segmentation.nii.gz")).voxels)
    #expect(try PreparedSite(in: folder.file("data/A"))?.cases[0].images == [folder.file("images/Case01").path])
  }

  /// Masks drawn on dcm2niix's volumes of the series have their rows in the other order.
  @Test func masksInTheOtherOrderOfRowsAreBroughtBack() throws {
    try mask.withRowsReversed().write(to: folder.file("labels/Case01.nii.gz"))
    #expect(try dualnorm(arguments()).status == 0)
    let prepared = try LabelMap(contentsOf: folder.file("data/A/Case01_segmentation.nii.gz"))
    #expect(try prepared.voxels == mask.voxels)
  }

  @Test func aSeriesIsNoDataSet() throws {
    let run = folder.file("run").path
    try expectRefusal(
      "\(oblique.path): holds the DICOM files of one series, which are no data set; give the folder above, with a mask beside "
        + "each series such as Case03_segmentation.nii.gz beside Case03, or segment the series with dualnorm predict.",
      of: ["train", "--data", oblique.path, "--output", run])
    let study = folder.file("images").path
    try expectRefusal(
      "\(study)/Case01: an image without its mask; add the mask, named like the image with _segmentation (or in "
        + "labelsTr), move the image away, or leave such images out (--skip-unpaired).",
      of: ["train", "--data", study, "--output", run])
  }

  @Test func refusals() throws {
    try mask.write(to: folder.file("labels/Case01.nii.gz"))
    try move(mask: folder.file("labels/Case01.nii.gz"), byMM: [0, 3, 0])
    let shifted = try dualnorm(arguments())
    #expect(
      shifted.status == 1
        && shifted.errors.contains(
          "Case01.nii.gz: does not lie on the voxels of its image \(folder.path)/images/Case01: ")
    )
    try FileManager.default.removeItem(at: folder.file("images/Case01"))
    try FileManager.default.copyItem(
      at: fixtures.appendingPathComponent("dicom/two"), to: folder.file("images/Case01"))
    let several = try dualnorm(arguments())
    #expect(several.status == 1)
    #expect(several.errors.hasPrefix("Error: \(folder.path)/images/Case01: holds 2 series: number 5 "))
    try FileManager.default.removeItem(at: folder.file("images"))
    try FileManager.default.copyItem(at: oblique, to: folder.file("images"))
    try expectRefusal(
      "\(folder.path)/images: holds DICOM files itself; expected a folder for each series, named like its mask, for --images.",
      of: arguments())
    #expect(!FileManager.default.fileExists(atPath: folder.file("data").path))
  }
}
