import Foundation
import MedicalImaging
import Testing

@testable import Basics
@testable import Datasets
@testable import DualNorm
@testable import Scores
@testable import Torch

/// Ensembles and mirror images in predict and evaluate.
@Suite struct EnsembleCommandTests {
  let folder: TemporaryFolder
  private let scan: URL

  init() throws {
    folder = try TemporaryFolder()
    scan = try Tiny.data.appendingPathComponent("Site-A/Case01.nii.gz")
  }

  /// A copy of `Tiny.run` with other weights and a changed description.
  private func member(_ name: String, _ change: (inout ModelDescription) throws -> Void = { _ in }) throws -> RunFolder
  {
    let run = RunFolder(folder.file(name))
    try FileManager.default.createDirectory(
      at: run.url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try FileManager.default.copyItem(at: Tiny.run, to: run.url)
    var description = try run.readDescription()
    try change(&description)
    try run.write(description)
    let network = try DualNormNetwork(description.network, seed: 0)
    try network.parameters.load(try Safetensors.read(run.model).tensors, file: run.model.path)
    let bias = try #require(network.parameters["outc.conv.2.bias"])
    bias.assign(bias + Tensor([0.4, -0.3, 0.1] as [Float], shape: [3]))
    try Safetensors(tensors: network.parameters.stateDictionary).write(to: run.model)
    return run
  }

  private func predict(_ models: [URL], _ name: String, _ options: String...) throws {
    let result = try dualnorm(
      ["predict", "--model"] + models.map(\.path) + ["--input", scan.path, "--output", folder.file(name).path]
        + ["--threads", "1", "--quiet", "--probabilities", "--first-pass"] + options)
    #expect(result.status == 0 && messagesBesideWarnings(result.errors) == "", "\(result.errors)")
  }

  private func probabilities(_ name: String, _ file: String) throws -> [[Float]] {
    try Image.channels(contentsOf: folder.file("\(name)/\(file)")).map(\.voxels)
  }

  @Test func probabilitiesAreTheMean() throws {
    let models = [try Tiny.run, try member("other").url]
    for (index, model) in models.enumerated() { try predict([model], "\(index)") }
    try predict(models, "mean")
    for file in ["Case01_probabilities.nii.gz", "Case01_first_probabilities.nii.gz"] {
      let (a, b, mean) = (try probabilities("0", file), try probabilities("1", file), try probabilities("mean", file))
      #expect(mean.count == 3)
      for (index, values) in mean.enumerated() {
        #expect(zip(values, zip(a[index], b[index])).allSatisfy { abs($0 - ($1.0 + $1.1) / 2) < 1e-5 })
      }
      #expect(zip(a[0], b[0]).contains { abs($0 - $1) > 0.05 })
    }
  }

  /// Members that do not fit in memory are there one at a time.
  @Test func oneAtATimeGivesTheSameBits() throws {
    let runs = [RunFolder(try Tiny.run), try member("b"), try member("c")]
    let item = try runs[0].readDescription().prepared(
      Case(name: "scan", site: "", images: [scan], mask: nil))
    let results = try [Int.max, 0].map { limit in
      try SegmentationModel(contentsOf: runs, limit: limit)
        .segment(item, passes: [.first, .final], site: nil, keepsProbabilities: true)
    }
    for (a, b) in zip(results[0], results[1]) {
      #expect(a.labels == b.labels && a.probabilities.map(\.voxels) == b.probabilities.map(\.voxels))
    }
    let sources = try runs.map {
      NetworkMembers.Source(run: $0, weights: $0.model, description: try $0.readDescription())
    }
    for (limit, count) in [(Int.max, 3), (0, 1)] {
      let members = try NetworkMembers(sources, precision: nil, device: .cpu, limit: limit)
      for index in [0, 1, 2, 0] { _ = members.network(index) }
      #expect(members.loadedCount == count && members.failure == nil)
    }
  }

  /// Members with spacing, windows and orientations of their own are averaged on the file's grid.
  @Test func membersThatPrepareOtherwise() throws {
    let plan = try RunFolder(Tiny.run).readDescription().preparation
    let other = try member("other") {
      $0.preparation = try PreparationPlan(
        resampling: .spacingMM(x: 1.5, y: 1.25), networkSize: Extent(height: 48, width: 48),
        contextSlices: plan.contextSlices, whitening: plan.whitening,
        orientation: Orientation(code: "PLS"))
    }
    let models = [try Tiny.run, other.url]
    for (index, model) in models.enumerated() { try predict([model], "\(index)") }
    try predict(models, "mean")
    let file = "Case01_probabilities.nii.gz"
    let (a, b, mean) = (try probabilities("0", file), try probabilities("1", file), try probabilities("mean", file))
    for (index, values) in mean.enumerated() {
      #expect(zip(values, zip(a[index], b[index])).allSatisfy { abs($0 - ($1.0 + $1.1) / 2) < 1e-5 })
    }
    let mask = try LabelMap(contentsOf: folder.file("mean/Case01.nii.gz"))
    let expected = mean[0].indices.map { voxel in [0, 1, 2].max { mean[$0][voxel] < mean[$1][voxel] }! }
    #expect(zip(mask.voxels, expected).count { Int($0) != $1 } <= expected.count / 100)
    try expectRefusal(
      "The members of the ensemble prepare volumes in 2 ways, and --adapt needs one; leave --adapt out.",
      of: ["predict", "--model"] + models.map(\.path) + ["--input", scan.path, "--adapt", "case", "--threads", "1"]
        + ["--output", folder.file("m.nii.gz").path])
  }

  /// A network of volumes may stand beside one of slices.
  @Test func aVolumeNetworkBesideOneOfSlices() throws {
    let other = RunFolder(folder.file("volumes"))
    try FileManager.default.copyItem(at: Tiny.run, to: other.url)
    var description = try other.readDescription()
    let levels = Levels.volumes(poolings: 2)
    description.network = NetworkPlan(levels: levels, classes: 3, inputChannels: 1, width: 4, dual: [.inc])
    description.preparation = try PreparationPlan(
      networkSize: Extent(depth: 4, height: 16, width: 16), contextSlices: 1, whitening: .foreground,
      multiples: levels.multiples)
    description.largestComponents = .undecided(classes: 2)
    try other.write(description)
    let network = try DualNormNetwork(description.network, seed: 3)
    try Safetensors(tensors: network.parameters.stateDictionary).write(to: other.model)
    let models = [try Tiny.run, other.url]
    for (index, model) in models.enumerated() { try predict([model], "\(index)") }
    try predict(models, "mean")
    let file = "Case01_probabilities.nii.gz"
    let (a, b, mean) = (try probabilities("0", file), try probabilities("1", file), try probabilities("mean", file))
    for (index, values) in mean.enumerated() {
      #expect(zip(values, zip(a[index], b[index])).allSatisfy { abs($0 - ($1.0 + $1.1) / 2) < 1e-5 })
    }
    #expect(zip(a[0], b[0]).contains { abs($0 - $1) > 0.05 })
  }

  /// Equal members disagree nowhere, although windows and slices are interpolated.
  @Test func equalMembersAgree() throws {
    let plan = try RunFolder(Tiny.run).readDescription().preparation
    let resampled = try ["a", "b"].map {
      try member($0) {
        $0.preparation = try PreparationPlan(
          resampling: .spacingMM(x: 0.7, y: 0.7), networkSize: Extent(height: 32, width: 32),
          contextSlices: plan.contextSlices, whitening: plan.whitening, orientation: plan.orientation)
      }.url
    }
    try predict(resampled, "out", "--uncertainty")
    let entropy = try Image(contentsOf: folder.file("out/Case01_uncertainty.nii.gz")).voxels
    let disagreement = try Image(contentsOf: folder.file("out/Case01_disagreement.nii.gz")).voxels
    #expect(entropy.max()! > 0.1 && disagreement.max()! < 1e-5)
    let mixed = [try Tiny.run, resampled[0]]
    try predict(mixed, "mixed", "--uncertainty")
    let between = try Image(contentsOf: folder.file("mixed/Case01_disagreement.nii.gz")).voxels
    #expect(between.allSatisfy { $0 >= 0 } && between.max()! > 1e-3)
  }

  /// The final pass of any member may need the truth, which predict does not have.
  @Test func aMemberThatNeedsTheTruth() throws {
    let reference = try member("reference") { $0.network.dual?.maskSource = .reference }
    let models = [try Tiny.run.path, reference.url.path]
    try expectRefusal(
      "\(reference.url.path): its final pass sees the true mask (mask-source reference), which a volume to be segmented "
        + "does not have; use dualnorm evaluate, or a model trained with --mask-source prediction.",
      of: ["predict", "--model"] + models + ["--input", scan.path, "--output", folder.file("m.nii.gz").path])
    let result = try dualnorm(
      ["evaluate", "--model"] + models + [
        "--data", Tiny.data.path, "--output", folder.file("e").path, "--threads", "1",
      ])
    #expect(result.status == 0, "\(result.errors)")
  }

  /// A member that vanishes during the work fails the case instead of being left out.
  @Test func aMemberThatVanishes() throws {
    let runs = [RunFolder(try Tiny.run), try member("gone")]
    let model = try SegmentationModel(contentsOf: runs, limit: 0)
    let item = try runs[0].readDescription().prepared(Case(name: "scan", site: "", images: [scan], mask: nil))
    try FileManager.default.removeItem(at: runs[1].model)
    let error = #expect(throws: (any Error).self) { try model.segment(item, site: nil) }
    #expect("\(error!)".contains(runs[1].model.path))
  }

  @Test func mirrorImagesNeedATrainingThatHadThem() throws {
    try expectRefusal(
      "\(try Tiny.run.path): was trained without mirrored images, so they would be strange to it; train with --flip-axes "
        + "x,y, or leave --mirror out.",
      of: [
        "predict", "--model", Tiny.run.path, "--mirror", "--input", scan.path, "--output", folder.file("m.nii.gz").path,
      ])
    let mirrored = try member("mirrored") { $0.mirrorAxes = [.x, .y] }
    try predict([mirrored.url], "plain")
    try predict([mirrored.url], "both", "--mirror")
    let (plain, both) = (
      try probabilities("plain", "Case01_probabilities.nii.gz"),
      try probabilities("both", "Case01_probabilities.nii.gz")
    )
    #expect(zip(plain[0], both[0]).contains { abs($0 - $1) > 1e-3 })
    #expect(both[0].indices.allSatisfy { abs(both[0][$0] + both[1][$0] + both[2][$0] - 1) < 1e-5 })
  }

  @Test func membersThatDoNotFit() throws {
    let other = try member("other") { $0.labels = LabelScheme(groups: [[1], [5]]) }
    let arguments = ["--input", scan.path, "--output", folder.file("m.nii.gz").path]
    try expectRefusal(
      "\(other.url.path): has the classes 1 label 1, 5 label 5, and \(try Tiny.run.path) has 1 label 1, 2 label 2; give "
        + "models of one task, such as the folds of a cross-validation.",
      of: ["predict", "--model", Tiny.run.path, other.url.path] + arguments)
    try expectRefusal(
      "\(try Tiny.run.path): is named twice as a member of the ensemble; name every model once.",
      of: ["predict", "--model", Tiny.run.path, Tiny.run.path] + arguments)
    #expect(!FileManager.default.fileExists(atPath: folder.file("m.nii.gz").path))
  }

  /// A method of an experiment is an ensemble by its folder's name.
  @Test func theFolderOfAnExperiment() throws {
    let experiment = try TinyExperiment.finished
    let arguments = ["--input", scan.path, "--output", folder.file("m.nii.gz").path, "--threads", "1", "--quiet"]
    try expectRefusal(
      "\(experiment.path): is an experiment with 2 methods (bn and dual); name the folder of one, such as "
        + "\(experiment.path)/cells/bn.", of: ["predict", "--model", experiment.path] + arguments)
    let result = try dualnorm(["predict", "--model", experiment.path + "/cells/dual"] + arguments)
    #expect(result.status == 0, "\(result.errors)")
    let single = try dualnorm(
      ["predict", "--model"] + ["Site-A", "Site-B"].map { "\(experiment.path)/cells/dual/\($0)/seed-1" }
        + ["--input", scan.path, "--output", folder.file("s.nii.gz").path, "--threads", "1", "--quiet"])
    #expect(single.status == 0, "\(single.errors)")
    let masks = try ["m", "s"].map { try LabelMap(contentsOf: folder.file("\($0).nii.gz")) }
    #expect(masks[0] == masks[1])
    let copy = folder.file("cells/dual")
    try FileManager.default.createDirectory(at: folder.file("cells"), withIntermediateDirectories: true)
    try FileManager.default.copyItem(at: experiment.appendingPathComponent("cells/dual"), to: copy)
    // Cells that were not begun have no folder.
    for name in ["experiment.yaml", "training.yaml", "splits_final.json"] {
      try FileManager.default.copyItem(at: experiment.appendingPathComponent(name), to: folder.file(name))
    }
    let later = copy.appendingPathComponent("Site-B")
    let hidden = folder.file("Site-B")
    try FileManager.default.moveItem(at: later, to: hidden)
    try expectRefusal(
      "\(copy.path): has 1 of the 2 networks that the experiment plans; finish the experiment, or name the run folders of "
        + "the finished ones.", of: ["predict", "--model", copy.path] + arguments)
    try FileManager.default.moveItem(at: hidden, to: later)
    let open = copy.appendingPathComponent("Site-B/seed-1")
    try FileManager.default.removeItem(at: open.appendingPathComponent("model.safetensors"))
    try expectRefusal(
      "\(open.path): has no model.safetensors, so this member of the ensemble is not trained yet; finish the experiment, "
        + "or name the run folders of the finished ones.", of: ["predict", "--model", copy.path] + arguments)
  }

  /// Cases that any member trained on are training cases, and the page names all members.
  @Test func anEvaluation() throws {
    let other = try member("other")
    let output = folder.file("evaluation")
    let result = try dualnorm(
      ["evaluate", "--model", Tiny.run.path, other.url.path, "--data", Tiny.data.path, "--output", output.path]
        + ["--threads", "1"])
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.errors.contains("trained a model of the ensemble or chose its checkpoint"))
    let record = try #require(try EvaluationRecord(contentsOf: output))
    #expect(record.members == [try Tiny.run.path, other.url.path] && record.mirror == nil)
    #expect(
      record.command(output: "OUT").prefix(5) == ["dualnorm", "evaluate", "--model", try Tiny.run.path, other.url.path])
    let report = try dualnorm(["report", output.path, "--output", folder.file("page.html").path])
    #expect(report.status == 0, "\(report.errors)")
    let page = try String(contentsOf: folder.file("page.html"), encoding: .utf8)
    #expect(page.contains("members of the ensemble") && page.contains("first member"))
  }
}
