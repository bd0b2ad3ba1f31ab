import Foundation
import MedicalImaging
import Testing

@testable import DualNorm

/// Prediction from folders of DICOM files to masks, on the series of Tools/fixtures_dicom.py.
@Suite struct PredictDICOMTests {
  let folder: TemporaryFolder
  private let oblique = fixtures.appendingPathComponent("dicom/oblique")
  private let two = fixtures.appendingPathComponent("dicom/two")

  init() throws { folder = try TemporaryFolder() }

  private func arguments(_ input: URL, _ output: String, _ options: String...) throws -> [String] {
    try arguments(of: Tiny.run, input, output, options)
  }

  private func arguments(of model: URL, _ input: URL, _ output: String, _ options: [String] = []) -> [String] {
    [
      "predict", "--model", model.path, "--input", input.path, "--output", folder.file(output).path, "--threads",
      "1",
    ] + options
  }

  private func predict(_ arguments: [String]) throws {
    let result = try dualnorm(arguments + ["--quiet"])
    #expect(result.status == 0 && result.output == "" && messagesBesideWarnings(result.errors) == "")
  }

  @Test func theMaskIsTheOneOfTheNIfTI() throws {
    try predict(arguments(oblique, "series.nii.gz", "--probabilities", "--first-pass"))
    try predict(arguments(fixtures.appendingPathComponent("dicom/oblique.nii.gz"), "nifti.nii.gz", "--first-pass"))
    #expect(
      contents(of: folder.url) == [
        "nifti.nii.gz", "nifti_first.nii.gz", "series.nii.gz", "series_first.nii.gz",
        "series_first_probabilities.nii.gz",
        "series_probabilities.nii.gz",
      ])
    for name in ["", "_first"] {
      let series = try LabelMap(contentsOf: folder.file("series\(name).nii.gz"))
      let nifti = try LabelMap(contentsOf: folder.file("nifti\(name).nii.gz"))
      #expect(series.voxels == nifti.voxels && series.geometry.mismatch(with: nifti.geometry) == nil)
      #expect(Set(series.voxels).count > 1)
    }
  }

  @Test func aSegmentationOfOneOfTwoSeries() throws {
    try predict(arguments(two, "out/mask.dcm", "--series", "5", "--first-pass", "--probabilities"))
    #expect(
      contents(of: folder.file("out")) == [
        "mask.dcm", "mask_first.dcm", "mask_first_probabilities.nii.gz", "mask_probabilities.nii.gz",
      ])
    let text = String(decoding: try Data(contentsOf: folder.file("out/mask.dcm")), as: UTF8.self)
    for part in ["label 1", "label 2", "1.2.826.0.1.3680043.10.1234.5", "P1"] { #expect(text.contains(part)) }
    // A mask beside its own images is no second choice of input.
    let both = folder.file("both")
    try FileManager.default.copyItem(at: oblique, to: both)
    try FileManager.default.copyItem(at: folder.file("out/mask.dcm"), to: both.appendingPathComponent("mask.dcm"))
    try predict(arguments(both, "again.nii"))
    #expect(contents(of: folder.url).contains("again.nii"))
  }

  /// The model was trained on volumes from dcm2niix, which reverses rows.
  @Test func rowsInTheOtherOrder() throws {
    let nifti = try Image(contentsOf: fixtures.appendingPathComponent("dicom/oblique.nii.gz"))
    let reversed = nifti.withRowsReversed()
    try reversed.write(to: folder.file("reversed.nii.gz"))
    let model = RunFolder(folder.file("model"))
    try FileManager.default.copyItem(at: Tiny.run, to: model.url)
    var description = try model.readDescription()
    description.preparation = try PreparationPlan(
      networkSize: description.preparation.networkSize, contextSlices: description.preparation.contextSlices,
      whitening: description.preparation.whitening, orientation: reversed.geometry.orientation)
    try model.write(description)
    try predict(arguments(folder.file("reversed.nii.gz"), "expected.nii.gz"))
    try predict(arguments(of: model.url, oblique, "found.nii.gz"))
    let expected = try LabelMap(contentsOf: folder.file("expected.nii.gz")).withRowsReversed()
    let found = try LabelMap(contentsOf: folder.file("found.nii.gz"))
    #expect(found.voxels == expected.voxels && found.geometry.mismatch(with: nifti.geometry) == nil)
    try predict(arguments(oblique, "plain.nii.gz"))
    #expect(try LabelMap(contentsOf: folder.file("plain.nii.gz")).voxels != found.voxels)
    try predict(arguments(of: model.url, oblique, "found.dcm"))
    #expect(contents(of: folder.url).contains("found.dcm"))
  }

  @Test func folderOfSeriesFolders() throws {
    let study = folder.file("study")
    for name in ["T1", "T2"] {
      try FileManager.default.createDirectory(at: study, withIntermediateDirectories: true)
      try FileManager.default.copyItem(at: oblique, to: study.appendingPathComponent(name))
    }
    try predict(arguments(study, "masks"))
    #expect(contents(of: folder.file("masks")) == ["T1.nii.gz", "T2.nii.gz"])
    try predict(arguments(oblique, "single"))
    #expect(
      try Data(contentsOf: folder.file("single/oblique.nii.gz")) == Data(contentsOf: folder.file("masks/T2.nii.gz")))
    let volume = study.appendingPathComponent("a.nii.gz")
    try FileManager.default.copyItem(at: fixtures.appendingPathComponent("dicom/oblique.nii.gz"), to: volume)
    try expectRefusal(
      "\(study.path): holds a.nii.gz and the DICOM folder T1; keep either files or folders of DICOM series.",
      of: arguments(study, "mixed"))
  }

  @Test func foldersOfSeriesAsSegmentations() throws {
    let study = folder.file("study")
    try FileManager.default.createDirectory(at: study, withIntermediateDirectories: true)
    for name in ["T1", "T2"] {
      try FileManager.default.copyItem(at: oblique, to: study.appendingPathComponent(name))
    }
    try predict(arguments(study, "masks", "--format", "dicom"))
    #expect(contents(of: folder.file("masks")) == ["T1.dcm", "T2.dcm"])
    let text = String(decoding: try Data(contentsOf: folder.file("masks/T2.dcm")), as: UTF8.self)
    #expect(text.contains("SEGMENTATION") && text.contains("label 1"))
    try predict(arguments(oblique, "single", "--format", "dicom"))
    #expect(contents(of: folder.file("single")) == ["oblique.dcm"])
    try predict(arguments(study, "volumes", "--format", "nifti"))
    #expect(contents(of: folder.file("volumes")) == ["T1.nii.gz", "T2.nii.gz"])
    try expectRefusal(
      "\(study.path)/T1/b.dcm: is an input that --output would overwrite; give another --output.",
      of: arguments(study.appendingPathComponent("T1"), "study/T1/b.dcm"))
  }

  /// A series whose header allows no segmentation fails alone, before the network runs.
  @Test func headersAreJudgedBeforeTheNetworkRuns() throws {
    let study = folder.file("study")
    for name in ["age", "frame"] {
      let series = study.appendingPathComponent(name)
      try FileManager.default.createDirectory(at: series, withIntermediateDirectories: true)
      for file in contents(of: oblique) {
        var bytes = try Data(contentsOf: oblique.appendingPathComponent(file))
        let valid = Data("1.2.826.0.1.3680043.10.1234.8".utf8)
        let wrong = Data("1.2.826.0.1.3680043.10.1234.x".utf8)
        if name == "frame", let place = bytes.range(of: valid) { bytes.replaceSubrange(place, with: wrong) }
        if name == "age", let place = bytes.range(of: Data("20200102".utf8)) {
          bytes.replaceSubrange(place, with: Data("2020-1-2".utf8))
        }
        try bytes.write(to: series.appendingPathComponent(file))
      }
    }
    let result = try dualnorm(arguments(study, "masks", "--format", "dicom", "--quiet"))
    #expect(result.status == 1 && contents(of: folder.file("masks")) == ["age.dcm"])
    #expect(result.errors.contains("Warning: \(study.path)/age/"))
    #expect(
      result.errors.contains(
        "its Study Date (0008,0020) \"2020-1-2\" is not valid, so the segmentation leaves it out; correct the header to keep "
          + "it."))
    #expect(
      result.errors.contains("its Frame of Reference UID (0020,0052) \"1.2.826.0.1.3680043.10.1234.x\" is not valid"))
  }

  @Test func refusals() throws {
    let root = "1.2.826.0.1.3680043.10.1234"
    let list = "number 5 \"T1 über 5\" (MR, 5 slices, UID \(root).5), number 6 (MR, 3 slices, UID \(root).6)"
    try expectRefusal(
      "\(two.path): holds 2 series: \(list); choose one by its number or UID (--series of predict), or keep one a folder.",
      of: arguments(two, "mask.nii.gz"))
    try expectRefusal(
      "--series 9: there is no such series in \(two.path), which holds \(list); give a number, or a UID up to where it differs.",
      of: arguments(two, "mask.dcm", "--series", "9"))
    let nifti = fixtures.appendingPathComponent("dicom/oblique.nii.gz")
    try expectRefusal(
      "\(folder.path)/mask.dcm: a DICOM segmentation refers to the DICOM images it was made from, and \(nifti.path) is not of "
        + "DICOM; name the output .nii.gz or .nii.",
      of: arguments(nifti, "mask.dcm"))
    try expectRefusal(
      "--series 5: \(nifti.path) is no folder of DICOM files; leave --series out.",
      of: arguments(nifti, "mask.nii.gz", "--series", "5"))
    try expectRefusal(
      "--series names 2 series, and --input 1 of their folders; give one for each, in order.",
      of: arguments(two, "mask.nii.gz", "--series", "5", "--series", "6"))
    try expectRefusal(
      "\(folder.path)/mask.mha: masks are written as NIfTI or DICOM; name the output .dcm, .nii.gz or .nii, or give a folder.",
      of: arguments(oblique, "mask.mha"))
    try expectRefusal(
      "\(oblique.path)/b.dcm: is one file of a DICOM series; give its folder, \(oblique.path).",
      of: arguments(oblique.appendingPathComponent("b.dcm"), "mask.dcm"))
    for output in ["mask.nii.gz", "mask.png"] {
      try expectRefusal(
        "--format dicom: \(folder.path)/\(output) is named \(output.dropFirst(4)); leave --format out.",
        of: arguments(oblique, output, "--format", "dicom"))
    }
    try expectRefusal(
      "--format nifti: \(folder.path)/mask.dcm is named .dcm; leave --format out.",
      of: arguments(oblique, "mask.dcm", "--format", "nifti"))
    try expectRefusal(
      "--format dicom: a segmentation refers to the DICOM images it was made from, and \(nifti.path) is not of DICOM; leave "
        + "--format out.", of: arguments(nifti, "masks", "--format", "dicom"))
    #expect(contents(of: folder.url) == [])
  }

  @Test func theImagesAreNeverOverwritten() throws {
    let copy = folder.file("copy")
    try FileManager.default.copyItem(at: oblique, to: copy)
    try expectRefusal(
      "\(copy.path)/b.dcm: is an input that --output would overwrite; give another --output.",
      of: arguments(copy, "copy/b.dcm"))
    #expect(
      try Data(contentsOf: copy.appendingPathComponent("b.dcm"))
        == Data(contentsOf: oblique.appendingPathComponent("b.dcm")))
  }
}
