import Foundation
import MedicalImaging
import TestSupport
import Testing
import Torch

@testable import DualNorm

/// `import` of a folder that nnU-Net's training wrote. `NNUNetTests` compares networks, preparations and masks.
@Suite struct ImportNNUNetTests {
  let folder: TemporaryFolder
  let models = fixtures.appendingPathComponent("nnunet")

  init() throws { folder = try TemporaryFolder() }

  @Test func foldsBecomeAnEnsembleThatPredictsAsNNUNetDoes() throws {
    let (source, run) = (models.appendingPathComponent("plain-3d-ct"), folder.file("run"))
    let result = try dualnorm("import", source.path, "--output", run.path)
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.output.contains("CT clipped to") && result.output.contains("nnunet, width 4"))
    #expect(
      result.errors.contains("Imported 2 folds of nnU-Net to \(run.path). nnU-Net's own prediction also mirrors;"))
    #expect(contents(of: run).filter { $0.hasSuffix("model.json") } == ["fold_0/model.json", "fold_1/model.json"])
    let masks = folder.file("masks")
    let predicted = try dualnorm(
      "predict", "--model", run.path, "--mirror", "--input", source.appendingPathComponent("input").path, "--output",
      masks.path, "--quiet")
    #expect(predicted.status == 0, "\(predicted.errors)")
    for name in ["first", "second", "third"] {
      let found = try LabelMap(contentsOf: masks.appendingPathComponent("\(name).nii.gz"))
      let expected = try LabelMap(contentsOf: source.appendingPathComponent("\(name)/mask.nii.gz"))
      #expect(zip(found.voxels, expected.voxels).count { $0 != $1 } <= expected.voxels.count / 1000, "\(name)")
      #expect(found.geometry.mismatch(with: expected.geometry) == nil)
    }
  }

  @Test func aSingleFoldIsTheRunFolder() throws {
    let run = RunFolder(folder.file("run"))
    let result = try dualnorm(
      "import", models.appendingPathComponent("residual-3d").path, "--output", run.url.path, "--quiet")
    #expect(result.status == 0 && result.errors.isEmpty, "\(result.errors)")
    let description = try run.readDescription()
    #expect(description.network.architecture == .nnunetResidual && description.labels.names == ["large", "small"])
    #expect(description.mirrorAxes == [.z, .y, .x])
    #expect(try dualnorm("info", run.url.path).output.contains("network:      nnunet-residual, width 4"))
  }

  @Test(arguments: [
    (
      "trainer", "fold_0/checkpoint_final.pth",
      "was trained by nnUNetTrainerCustom, whose network may differ from the plans'; give a model of nnUNetTrainer, or of a "
        + "variant of nnU-Net's own that keeps the network."
    ),
    (
      "command", "fold_0/checkpoint_final.pth",
      "refers to posix.system, which a checkpoint of weights has no need of; nothing of it was executed, save the weights "
        + "alone: torch.save(model.state_dict(), 'weights.pth')."
    ),
    (
      "regions", "dataset.json", "has labels as regions, which overlap; train nnU-Net with one label a class."
    ),
    (
      "ignore", "dataset.json",
      "has an ignore label, which this program does not know; train nnU-Net without it."
    ),
    (
      "network", "plans.json",
      "the configuration 2d has the network some.package.OtherNet; give one of PlainConvUNet or ResidualEncoderUNet."
    ),
    (
      "first-version", "plans.json",
      "has no configurations, as the plans of nnU-Net's first version; give a model that nnU-Net 2 trained."
    ),
    (
      "cascade", "plans.json",
      "the configuration 3d_cascade_fullres is the second stage of a cascade after 3d_lowres; give a model of 2d, "
        + "3d_fullres or 3d_lowres."
    ),
  ]) func whatIsNotSupportedIsRefused(name: String, file: String, sentence: String) throws {
    let source = models.appendingPathComponent("refused/\(name)")
    let output = folder.file("run")
    try expectRefusal(
      "\(source.appendingPathComponent(file).path): \(sentence)", of: ["import", source.path, "--output", output.path])
    #expect(!FileManager.default.fileExists(atPath: output.path))
  }

  /// Copies the tiny model of slices and changes a file of it.
  func changed(_ file: String, _ change: (String) -> String) throws -> URL {
    let copy = folder.file("model")
    try FileManager.default.copyItem(at: models.appendingPathComponent("plain-2d"), to: copy)
    let url = copy.appendingPathComponent(file)
    try Data(change(try String(contentsOf: url, encoding: .utf8)).utf8).write(to: url)
    return copy
  }

  /// Changes the configuration 2d of the plans.
  private func changedConfiguration(_ change: (inout [String: Any]) throws -> Void) throws -> URL {
    try changed("plans.json") { text in
      var plans = try! JSONSerialization.jsonObject(with: Data(text.utf8)) as! [String: Any]
      var configurations = plans["configurations"] as! [String: Any]
      var own = configurations["2d"] as! [String: Any]
      try! change(&own)
      configurations["2d"] = own
      plans["configurations"] = configurations
      return String(decoding: try! JSONSerialization.data(withJSONObject: plans), as: UTF8.self)
    }
  }

  /// Plans before nnU-Net 2.4 describe the network in other words.
  @Test func earlierPlansAreRead() throws {
    let source = try changedConfiguration { plan in
      let network = (plan.removeValue(forKey: "architecture") as! [String: Any])["arch_kwargs"] as! [String: Any]
      plan["UNet_class_name"] = "PlainConvUNet"
      (plan["UNet_base_num_features"], plan["unet_max_num_features"]) = (4, 8)
      (plan["conv_kernel_sizes"], plan["pool_op_kernel_sizes"]) = (network["kernel_sizes"], network["strides"])
      plan["n_conv_per_stage_encoder"] = network["n_conv_per_stage"]
      plan["n_conv_per_stage_decoder"] = network["n_conv_per_stage_decoder"]
    }
    let (earlier, later) = (RunFolder(folder.file("earlier")), RunFolder(folder.file("later")))
    #expect(try dualnorm("import", source.path, "--output", earlier.url.path, "--quiet").status == 0)
    let plain = models.appendingPathComponent("plain-2d").path
    #expect(try dualnorm("import", plain, "--output", later.url.path, "--quiet").status == 0)
    #expect(try earlier.readDescription() == later.readDescription())
    #expect(try Data(contentsOf: earlier.model) == Data(contentsOf: later.model))
  }

  /// The plans claim a network that would take all memory.
  @Test func aPlanFarLargerThanItsWeightsIsRefused() throws {
    let source = try changedConfiguration { plan in
      var network = plan["architecture"] as! [String: Any]
      var arguments = network["arch_kwargs"] as! [String: Any]
      arguments["features_per_stage"] = [1024, 4096, 4096]
      network["arch_kwargs"] = arguments
      plan["architecture"] = network
    }
    let errors = try dualnorm("import", source.path, "--output", folder.file("run").path).errors
    #expect(errors.contains("far fewer than the network of plans.json has; restore both files from the same run."))
  }

  /// A killed import or a lost file leaves folds that are no whole ensemble.
  @Test func aFoldWithoutItsDescriptionIsRefused() throws {
    let run = folder.file("run")
    let source = models.appendingPathComponent("plain-3d-ct").path
    #expect(try dualnorm("import", source, "--output", run.path, "--quiet").status == 0)
    try FileManager.default.removeItem(at: run.appendingPathComponent("fold_1/model.json"))
    try expectRefusal(
      "\(run.path)/fold_1: has no model.json, so it is not a run folder; give the folder that train or import wrote.",
      of: [
        "predict", "--model", run.path, "--input", "\(source)/input/first_0000.nii.gz", "--output",
        folder.file("m.nii.gz").path,
      ])
    try FileManager.default.removeItem(at: run.appendingPathComponent("fold_1"))
    let described = try dualnorm("info", run.path)
    #expect(described.output.contains("made by:      nnU-Net, Dataset"), "\(described.output)")
    #expect(described.output.contains("3d_fullres, fold_0, nnUNetTrainer\n"))
    try expectRefusal(
      "\(run.path): has no model.json, so it is not a run folder; name one of its folds, such as \(run.path)/fold_0.",
      of: ["export", "--model", run.path, "--output", folder.file("exported").path])
    try expectRefusal(
      "\(source): has no model.json, so it is not a run folder; make one of it with import, since it is a model of nnU-Net.",
      of: ["info", source])
  }

  /// This reader of nnU-Net turns volumes to RAS, so the orientation of the file makes no difference.
  @Test func aReaderThatTurnsVolumesIsFollowed() throws {
    let source = try changed("plans.json") { $0.replacing("SimpleITKIO", with: "NibabelIOWithReorient") }
    let run = RunFolder(folder.file("run"))
    #expect(try dualnorm("import", source.path, "--output", run.url.path, "--quiet").status == 0)
    #expect(try run.readDescription().preparation.orientation?.code == "RAS")
    let image = try Image(contentsOf: source.appendingPathComponent("input/first_0000.nii.gz"))
    var masks: [LabelMap] = []
    for code in ["RAS", "LPS", "SAL"] {
      let (scan, mask) = (folder.file("\(code).nii.gz"), folder.file("\(code)-mask.nii.gz"))
      try image.reoriented(to: Orientation(code: code)!).write(to: scan)
      let result = try dualnorm(
        "predict", "--model", run.url.path, "--input", scan.path, "--output", mask.path, "--threads", "1", "--quiet")
      #expect(result.status == 0, "\(result.errors)")
      masks.append(try LabelMap(contentsOf: mask).reoriented(to: Orientation(code: "RAS")!))
    }
    #expect(masks[0].voxels == masks[1].voxels && masks[0].voxels == masks[2].voxels)
    #expect(Set(masks[0].voxels).count > 1)
  }

  /// A DICOM series may have its rows in another order than the files of nnU-Net's training.
  @Test func aSeriesIsWarnedOfUnlessAnOrientationIsNamed() throws {
    let source = models.appendingPathComponent("plain-2d").path
    let series = folder.file("series")
    try FileManager.default.createDirectory(at: series, withIntermediateDirectories: true)
    for place in 1...6 {
      let pixels = (0..<24 * 24).map { Int16($0 * place % 97 + 1) }
      try DICOMSliceFile(pixels, columns: 24, rows: 24, position: [0, 0, Double(place) * 4], instance: place)
        .write(to: series.appendingPathComponent("\(place).dcm"))
    }
    for (name, options) in [("stored", []), ("named", ["--orientation", "LPS"])] {
      let run = folder.file(name)
      #expect(try dualnorm(["import", source, "--output", run.path, "--quiet"] + options).status == 0)
      let result = try dualnorm(
        "predict", "--model", run.path, "--input", series.path, "--output", folder.file("\(name).nii.gz").path,
        "--quiet")
      #expect(result.status == 0, "\(result.errors)")
      #expect(result.errors.contains("The model takes volumes as they are stored") == options.isEmpty)
    }
  }

  @Test func copiesOfFoldsAreNoMembers() throws {
    let source = try changed("dataset.json") { $0 }
    for name in ["fold_0_old", "fold_all"] {
      try FileManager.default.copyItem(
        at: source.appendingPathComponent("fold_0"), to: source.appendingPathComponent(name))
    }
    let run = RunFolder(folder.file("run"))
    let result = try dualnorm("import", source.path, "--output", run.url.path)
    #expect(result.errors.contains("Imported 1 fold of nnU-Net") && result.status == 0)
    #expect(result.errors.contains("/fold_all is of all cases, beside folds, so it is left out."))
    #expect(!result.errors.contains("fold_0_old"))
    #expect(FileManager.default.fileExists(atPath: run.description.path))
  }

  @Test func postprocessingThatIsNotReadIsNamed() throws {
    let source = try changed("dataset.json") { $0 }
    let results = source.appendingPathComponent("crossval_results_folds_0_1")
    try FileManager.default.createDirectory(at: results, withIntermediateDirectories: true)
    try Data("x".utf8).write(to: results.appendingPathComponent("postprocessing.pkl"))
    let result = try dualnorm("import", source.path, "--output", folder.file("run").path, "--quiet")
    #expect(result.errors.contains("postprocessing.pkl is not read; where it keeps the largest component of a class,"))
  }

  @Test func aSingleCheckpointNamesItsFolder() throws {
    let model = models.appendingPathComponent("plain-2d").path
    for part in ["fold_0/checkpoint_final.pth", "fold_0", "plans.json"] {
      try expectRefusal(
        "\(model)/\(part): is a part of a model of nnU-Net; give the model's folder, \(model).",
        of: ["import", "\(model)/\(part)", "--output", folder.file("run").path])
    }
    let above = models.appendingPathComponent("refused").path
    let errors = try dualnorm("import", above, "--output", folder.file("run").path).errors
    #expect(errors.contains("give one of cascade, command, first-version, ignore, network, regions and trainer in it."))
  }

  @Test(arguments: [
    ("\"conv_bias\"", "\"nonlin_first\": true, \"conv_bias\"", "the network has nonlin_first"),
    ("\"order_z\"", "\"separate_z_anisotropy_threshold\": 5, \"order_z\"", "has separate_z_anisotropy_threshold"),
    ("\"LabelManager\"", "\"OwnManager\"", "has a label manager of its own"),
  ]) func keysThatChangeAPredictionAreRefused(old: String, new: String, sentence: String) throws {
    let source = try changed("plans.json") { $0.replacing(old, with: new) }
    let result = try dualnorm("import", source.path, "--output", folder.file("run").path)
    #expect(result.status == 1 && result.errors.contains(sentence), "\(result.errors)")
  }

  @Test func anEmptyFolderIsTaken() throws {
    let run = folder.file("run")
    try FileManager.default.createDirectory(at: run, withIntermediateDirectories: true)
    let source = models.appendingPathComponent("plain-2d").path
    #expect(try dualnorm("import", source, "--output", run.path, "--quiet").status == 0)
    #expect(contents(of: run).contains("model.json"))
    #expect(contents(of: folder.file("")).allSatisfy { !$0.hasPrefix(".") })
    let again = try dualnorm("import", source, "--output", run.path)
    #expect(again.status == 1 && again.errors.contains("is not empty"), "\(again.errors)")
  }

  /// A data set has a dataset.json too.
  @Test func weightsInADataSetAreNoPartOfAModel() throws {
    let data = folder.file("data")
    try FileManager.default.createDirectory(at: data, withIntermediateDirectories: true)
    try Data("{}".utf8).write(to: data.appendingPathComponent("dataset.json"))
    let weights = data.appendingPathComponent("model.safetensors")
    try FileManager.default.copyItem(at: RunFolder(try Tiny.run).model, to: weights)
    let result = try dualnorm("import", weights.path, "--output", folder.file("run").path, "--quiet")
    #expect(result.status == 0, "\(result.errors)")
  }

  /// The exported model lacks the outputs that only training uses, and predicts the same.
  @Test func isExported() throws {
    let source = models.appendingPathComponent("residual-3d")
    let (run, exported) = (folder.file("run"), folder.file("exported"))
    #expect(try dualnorm("import", source.path, "--output", run.path, "--quiet").status == 0)
    #expect(try dualnorm("export", "--model", run.path, "--output", exported.path, "--quiet").status == 0)
    let masks = try [run, exported].map { model in
      let mask = folder.file("\(model.lastPathComponent).nii.gz")
      let result = try dualnorm(
        "predict", "--model", model.path, "--input", source.appendingPathComponent("input/first_0000.nii.gz").path,
        "--output", mask.path, "--threads", "1", "--quiet")
      #expect(result.status == 0, "\(result.errors)")
      return try LabelMap(contentsOf: mask).voxels
    }
    #expect(masks[0] == masks[1])
    #expect(
      try Safetensors.read(RunFolder(exported).model).tensors.count
        < Safetensors.read(RunFolder(run).model).tensors.count)
  }

  /// Nobody knows which cases trained it.
  @Test func evaluationsWarnOfTrainingCases() throws {
    let source = models.appendingPathComponent("residual-3d")
    let (run, data) = (folder.file("run"), folder.file("data"))
    #expect(try dualnorm("import", source.path, "--output", run.path, "--quiet").status == 0)
    let site = data.appendingPathComponent("Site-A")
    try FileManager.default.createDirectory(at: site, withIntermediateDirectories: true)
    for (from, to) in [("input/first_0000.nii.gz", "Case1.nii.gz"), ("first/mask.nii.gz", "Case1_segmentation.nii.gz")]
    {
      try FileManager.default.copyItem(
        at: source.appendingPathComponent(from), to: site.appendingPathComponent(to))
    }
    let result = try dualnorm(
      "evaluate", "--model", run.path, "--mirror", "--data", data.path, "--output", folder.file("scores").path,
      "--threads",
      "1")
    #expect(
      result.errors.contains("does not say which cases trained it; if it learnt from these cases, the scores are"))
    #expect(result.output.contains("mean"), "\(result.output)")
  }
}
