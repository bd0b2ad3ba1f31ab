import Foundation
import MedicalImaging
import TestSupport
import Testing

@testable import DualNorm

/// `export --format onnx`. `ExportedGraphTests` compare the graphs' numbers.
@Suite struct ExportONNXTests {
  let folder: TemporaryFolder
  private var file: URL { folder.file("model.onnx") }

  init() throws { folder = try TemporaryFolder() }

  private func export(_ run: URL, _ options: String...) throws -> (status: Int32, output: String, errors: String) {
    let result = try dualnorm(["export", "--model", run.path, "--output", file.path, "--format", "onnx"] + options)
    return (result.status, result.output, result.errors)
  }

  @Test func oneFileWithBothPasses() throws {
    let result = try export(try Tiny.run)
    #expect(result.status == 0 && result.output == "")
    #expect(result.errors == "Wrote \(file.path) (1.2 MB, 276 nodes of 12 operators, opset 17).\n")
    #expect(contents(of: folder.url) == ["model.onnx"])
    try expectRefusal(
      "\(file.path): is there already; give a new file for --output, or delete this one first.",
      of: ["export", "--model", Tiny.run.path, "--output", file.path, "--format", "onnx"])
  }

  @Test func whatDoesNotFitIsRefused() throws {
    let run = try Tiny.run.path
    for (option, value) in [("--output-kind", "mask"), ("--site", "Site-A")] {
      try expectRefusal(
        "\(option) is of a graph, which --format weights does not write.", status: 64,
        of: ["export", "--model", run, "--output", file.path, option, value])
    }
    try expectRefusal(
      "--site chooses a branch of domain-specific batch norm, and the model's norm is bn; leave --site out.",
      of: ["export", "--model", run, "--output", file.path, "--format", "onnx", "--site", "Site-A"])
    #expect(contents(of: folder.url) == [])
  }

  /// Options of trainings on `Tiny.data`; without any, `Tiny.run`.
  private static let trainings = [
    "", "--spacing 1.7,1.3 --whitening volume --norm dsbn --size 16,16",
    "--dimensions 3 --size 2,16,16 --norm in --width 8", "--recipe published --context 1 --dual-blocks none",
  ]

  /// The example in Python knows the exported file and the image alone.
  @Test(
    .enabled(if: TestEnvironment.isThere, "needs ONNX Runtime; make test-env gets it"), arguments: trainings)
  func theExampleSegmentsAsPredictDoes(options: String) throws {
    var run = try Tiny.run
    if !options.isEmpty {
      run = folder.file("run")
      let quick =
        "--iterations 60,20 --batch-size 4 --width 4 --learning-rate 0.02 --averaging 0.9 --validate-every 20 --threads 1 --quiet"
      let words = (quick + " " + options).split(separator: " ")
      let trained = try dualnorm(["train", "--data", Tiny.data.path, "--output", run.path] + words.map(String.init))
      #expect(trained.status == 0, "\(trained.errors)")
    }
    try expectSameMask(of: run)
  }

  /// The volume is turned to the orientation of the training, and the mask back.
  @Test(.enabled(if: TestEnvironment.isThere, "needs ONNX Runtime; make test-env gets it"))
  func theExampleTurnsVolumes() throws { try expectSameMask(of: Tiny.runOfOneSite) }

  private func expectSameMask(of run: URL, _ location: SourceLocation = #_sourceLocation) throws {
    let scan = try Tiny.data.appendingPathComponent("Site-B/Case01.nii.gz").path
    let (ours, theirs) = (folder.file("ours.nii.gz"), folder.file("theirs.nii.gz"))
    let predicted = try dualnorm(
      "predict", "--model", run.path, "--input", scan, "--output", ours.path, "--precision", "float32", "--quiet")
    #expect(predicted.status == 0, "\(predicted.errors)", sourceLocation: location)
    #expect(try export(run).status == 0, sourceLocation: location)
    let example = fixtures.appendingPathComponent("../../Examples/Python/predict_onnx.py").standardizedFileURL.path
    _ = try TestEnvironment.output(of: [example, file.path, scan, theirs.path])
    let (found, expected) = (try LabelMap(contentsOf: theirs), try LabelMap(contentsOf: ours))
    #expect(found.geometry.mismatch(with: expected.geometry) == nil, sourceLocation: location)
    #expect(Set(expected.voxels).count > 1, "the network finds something", sourceLocation: location)
    // Rounding may decide where two classes are equally probable.
    let others = zip(found.voxels, expected.voxels).count { $0 != $1 }
    #expect(others <= 2, sourceLocation: location)
  }
}
