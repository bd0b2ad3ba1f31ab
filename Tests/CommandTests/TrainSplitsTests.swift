import Foundation
import MedicalImaging
import Testing

@testable import Datasets
@testable import DualNorm

/// The command `train --splits FILE --fold N`.
@Suite struct TrainSplitsTests {
  let folder: TemporaryFolder
  private let data: URL
  private var splits: URL { folder.file("splits_final.json") }
  private let tested = ["Site-A/Case01", "Site-B/Case02"]

  init() throws {
    folder = try TemporaryFolder()
    data = try Tiny.copyOfData(to: folder.file("data"))
    let others = ["Site-A/Case00", "Site-A/Case02", "Site-B/Case00", "Site-B/Case01"]
    let folds = [["train": tested, "val": others], ["train": others, "val": tested]]
    try JSONEncoder().encode(folds).write(to: splits)
  }

  private func train(_ name: String, _ options: [String]) throws -> RunFolder {
    let run = RunFolder(folder.file(name))
    let learning = [
      "--width", "2", "--iterations", "6,6", "--batch-size", "4", "--validate-every", "1", "--threads", "1",
    ]
    let result = try dualnorm(["train", "--data", data.path, "--output", run.url.path, "--quiet"] + learning + options)
    #expect(result.status == 0 && messagesBesideWarnings(result.errors) == "")
    return run
  }

  private var fold: [String] { ["--splits", splits.path, "--fold", "1"] }

  /// Gives cases different images and masks of another size.
  private func replace(_ cases: [String]) throws {
    for name in cases {
      let mask = data.appendingPathComponent("\(name)_segmentation.nii.gz")
      let size = SIMD3(48, 48, 3)
      let geometry = Geometry(size: size, spacingMM: [3, 3, 9])
      let ramp = (0..<geometry.voxelCount).map { Float($0 % 251) }
      try Image(voxels: ramp, geometry: geometry).write(to: data.appendingPathComponent("\(name).nii.gz"))
      try LabelMap(voxels: ramp.map { $0 > 200 ? 1 : 0 }, geometry: geometry).write(to: mask)
    }
  }

  /// The test fold changes neither the plan, the chosen checkpoint nor a byte of the weights.
  @Test(.endsSomeTime) func modelSelectionNeverSeesTheTestFold() throws {
    let before = try train("before", fold)
    let split = try JSONDecoder().decode(Split.self, from: Data(contentsOf: before.splits))
    #expect(split.test == tested && split.training.count == 2 && split.validation.count == 2)
    try replace(tested)
    let after = try train("after", fold)
    for file in [\RunFolder.model, \.description, \.log, \.splits] {
      #expect(try Data(contentsOf: before[keyPath: file]) == Data(contentsOf: after[keyPath: file]))
    }
    // Validation cases do change the run.
    try replace(Array(split.validation))
    let other = try train("other", fold)
    #expect(try Data(contentsOf: before.log) != Data(contentsOf: other.log))
    #expect(try Data(contentsOf: before.description) != Data(contentsOf: other.description))
  }

  @Test func aRunsOwnSplitCanBeUsedAgain() throws {
    let first = try train("first", fold)
    let second = try train("second", ["--splits", first.splits.path, "--seed", "9"])
    #expect(try Data(contentsOf: second.splits) == Data(contentsOf: first.splits))
    let third = try train("third", ["--config", first.configuration.path])
    #expect(try Data(contentsOf: third.model) == Data(contentsOf: first.model))
  }

  @Test func refusesWhatNamesNoFold() throws {
    let start = ["train", "--data", data.path, "--output", folder.file("run").path] + Tiny.quick
    func refuse(_ sentence: String, _ options: String...) throws { try expectRefusal(sentence, of: start + options) }
    try refuse("\(splits.path): holds 2 folds; choose one with --fold, 0 to 1.", "--splits", splits.path)
    try refuse(
      "--fold is 2, and \(splits.path) holds 2 folds; give 0 to 1.", "--splits", splits.path, "--fold", "2")
    try refuse("--fold needs a file of folds; name it with --splits.", "--fold", "0")
    try refuse(
      "--splits says which cases are kept for the test; leave --hold-out out.", "--splits", splits.path, "--fold", "0",
      "--hold-out", "0.2")
    let whole = folder.file("splits.json")
    try Split(training: ["Site-A/Case00"], validation: [], test: []).write(to: whole)
    try refuse(
      "\(whole.path): is the split of one run and has no folds; leave --fold out.", "--splits", whole.path, "--fold",
      "0")
    try refuse(
      "\(folder.path)/none.json: cannot be read; check the path of the folds.", "--splits",
      folder.file("none.json").path,
      "--fold", "0")
  }

  @Test func heldOutCasesWithLabelsOfTheirOwnAreRefusedBeforeTraining() throws {
    try change(mask: data.appendingPathComponent("Site-A/Case01_segmentation.nii.gz")) {
      $0 = $0.map { $0 == 2 ? 5 : $0 }
    }
    try expectRefusal(
      "Site-A: its held-out masks hold label 5, which no mask to train on holds (those hold 1 and 2), so it could not be "
        + "learnt; merge labels with --merge-labels, correct the masks, or leave these cases out.",
      of: ["train", "--data", data.path, "--output", folder.file("run").path] + Tiny.quick + fold)
  }
}
