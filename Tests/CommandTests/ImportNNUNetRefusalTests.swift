import Foundation
import MedicalImaging
import TestSupport
import Testing
import Torch

@testable import DualNorm

/// Folders, options and inputs that do not fit a model of nnU-Net.
extension ImportNNUNetTests {
  @Test func picturesAreRefused() throws {
    let run = folder.file("run")
    let source = models.appendingPathComponent("plain-2d").path
    #expect(try dualnorm("import", source, "--output", run.path, "--quiet").status == 0)
    let picture = fixtures.appendingPathComponent("images/mask255.png")
    let result = try dualnorm(
      "predict", "--model", run.path, "--input", picture.path, "--output", folder.file("m.png").path)
    #expect(
      result.errors.contains("is a picture, and the model was trained by nnU-Net on volumes;"), "\(result.errors)")
  }

  @Test func aFolderWithoutPlansIsRefused() throws {
    let source = try changed("dataset.json") { $0 }
    try FileManager.default.removeItem(at: source.appendingPathComponent("plans.json"))
    try expectRefusal(
      "\(source.path)/plans.json: there is no such file; give the folder that nnU-Net's training wrote, with plans.json, "
        + "dataset.json and fold_0.", of: ["import", source.path, "--output", folder.file("run").path])
  }

  @Test func aFolderWithoutAFinishedFoldIsRefused() throws {
    let source = try changed("dataset.json") { $0 }
    try FileManager.default.removeItem(at: source.appendingPathComponent("fold_0"))
    try expectRefusal(
      "\(source.path): has no fold with a checkpoint_final.pth; finish nnU-Net's training, or give the folder that holds "
        + "fold_0.", of: ["import", source.path, "--output", folder.file("run").path])
  }

  @Test(arguments: [
    (
      "\"ZScoreNormalization\"", "\"OwnNormalization\"",
      "the configuration 2d normalizes by OwnNormalization; give a model of nnU-Net's own schemes, such as "
        + "ZScoreNormalization and CTNormalization."
    ),
    (
      "\"SimpleITKIO\"", "\"Tiff3DIO\"",
      "reads images by Tiff3DIO; give a model whose plans name SimpleITKIO, NibabelIO or NibabelIOWithReorient."
    ),
    (
      "\"torch.nn.LeakyReLU\"", "\"torch.nn.SiLU\"",
      "the configuration 2d has a network with torch.nn.modules.instancenorm.InstanceNorm2d and torch.nn.SiLU; give one with "
        + "nnU-Net's instance norms, LeakyReLU and biases."
    ),
    (
      "\"resample_data_or_seg_to_shape\"", "\"resample_torch_fornnunet\"",
      "the configuration 2d resamples by resample_torch_fornnunet of order 3; give a model with nnU-Net's default, "
        + "resample_data_or_seg_to_shape of order 3."
    ),
    (
      "\"preprocessor_name\"", "\"later_name\"",
      "is no plan of nnU-Net 2 that this program knows (preprocessorName is missing); give a model that nnU-Net 2.0 to 2.8 "
        + "trained."
    ),
  ]) func otherPlansAreRefused(old: String, new: String, sentence: String) throws {
    let source = try changed("plans.json") { $0.replacing(old, with: new) }
    try expectRefusal(
      "\(source.path)/plans.json: \(sentence)", of: ["import", source.path, "--output", folder.file("run").path])
  }

  @Test func optionsThatThePlansDecideAreRefused() throws {
    let source = models.appendingPathComponent("plain-2d").path
    try expectRefusal(
      "--size is in the plans of \(source), a model of nnU-Net; leave --size out.",
      of: ["import", source, "--output", folder.file("run").path, "--size", "32,32"])
  }

  /// Trainings without mirror images allow none in prediction, and some forbid left and right.
  @Test func mirrorsOnlyAsTheTrainingAllows() throws {
    let run = RunFolder(folder.file("run"))
    #expect(
      try dualnorm("import", models.appendingPathComponent("plain-2d").path, "--output", run.url.path, "--quiet").status
        == 0)
    var description = try run.readDescription()
    #expect(description.mirrorAxes == [.y, .x])
    description.mirrorAxes = []
    try run.write(description)
    try expectRefusal(
      "\(run.url.path): was trained without mirrored images, so they would be strange to it; train with --flip-axes x,y, or "
        + "leave --mirror out.",
      of: [
        "predict", "--model", run.url.path, "--mirror", "--input",
        models.appendingPathComponent("plain-2d/input/first_0000.nii.gz").path, "--output",
        folder.file("m.nii.gz").path,
      ])
  }
}
