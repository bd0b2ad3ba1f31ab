import Foundation
import MedicalImaging
import Testing

@testable import Basics
@testable import Datasets
@testable import DualNorm
@testable import Experiments

/// Findings, messages and resumption at an experiment's start.
extension ExperimentTests {
  /// Label names alone give no voxels to learn from.
  @Test func aNamedLabelThatOnlyHeldOutCasesHaveIsFoundToo() throws {
    let named = folder.url.appendingPathComponent("named")
    for (place, kind) in [("imagesTr", ""), ("labelsTr", "_segmentation")] {
      try FileManager.default.createDirectory(
        at: named.appendingPathComponent(place), withIntermediateDirectories: true)
      for index in 0..<3 {
        try FileManager.default.copyItem(
          at: data.appendingPathComponent("Site-A/Case0\(index)\(kind).nii.gz"),
          to: named.appendingPathComponent("\(place)/Case0\(index).nii.gz"))
      }
    }
    try folder.write(
      #"{"labels": {"background": 0, "one": 1, "two": 2, "three": 3, "four": 4}, "file_ending": ".nii.gz"}"#,
      to: "named/dataset.json")
    func options(merge: [[LabelValue]] = []) throws -> ExperimentConfiguration {
      try self.options(.crossValidate) {
        ($0.folds, $0.training.data, $0.training.mergeLabels) = (3, named.path, merge)
      }
    }
    _ = try start(options())
    try FileManager.default.removeItem(at: output)
    let url = named.appendingPathComponent("labelsTr/Case01.nii.gz")
    var labels = try LabelMap(contentsOf: url)
    labels.voxels = labels.voxels.map { $0 == 2 ? 3 : $0 }
    try labels.write(to: url)
    let refusal = try refusal(options())
    #expect(refusal.hasPrefix("bn/fold-"))
    #expect(
      refusal.hasSuffix(
        ": named: its held-out masks hold label 3, which no mask to train on holds (those hold 1 and 2), so it could not be "
          + "learnt; merge labels with --merge-labels, correct the masks, or leave these cases out."))
    _ = try start(options(merge: [[2, 3]]))
  }

  @Test func aStartThatCannotBeIsFoundBeforeAnythingTrains() throws {
    let frozen = try refusal(options(.leaveOneSiteOut) { $0.training.freezeExcept = ["_aux"] })
    #expect(frozen.hasPrefix("bn/Site-A: --freeze-except \"_aux\": no parameter's name contains it; the nearest part "))
    let missing = folder.url.appendingPathComponent("none").path
    #expect(
      try refusal(options(.leaveOneSiteOut) { $0.training.initial = missing })
        == "bn/Site-A: \(missing): there is no such file or folder; give a run folder or a file of weights.")
    #expect(!FileManager.default.fileExists(atPath: output.path))
  }

  @Test func testsOnCroppedSitesAreWarnedOf() throws {
    let recipe = String(decoding: try JSONEncoder().encode(DataRecipe()), as: UTF8.self)
    try folder.write(
      """
      {"version": "", "site": "Site-B", "recipeName": "crop", "recipe": \(recipe), "isCroppedByLabels": true,
       "pairedByNumber": [], "unpaired": [], "cases": []}
      """, to: "data/Site-B/prepared.json")
    let warning =
      "cropped to their labelled slices by prepare --training, so the scores are better than on whole volumes: "
      + "Site-B."
    let (_, said) = try Warnings.collecting {
      try Experiment.begin(in: output, options(.leaveOneSiteOut), threads: 1, report: { _ in })
    }
    #expect(said.filter { $0 == warning }.count == 1)
    let run = RunFolder(folder.url.appendingPathComponent("run"))
    var training = try options(.leaveOneSiteOut).training
    for (holdOut, count) in [(0, 0), (0.34, 1)] {
      training.holdOut = holdOut
      let (_, said) = try Warnings.collecting {
        try TrainingSession.begin(run, configuration: training, report: { _ in })
      }
      #expect(said.filter { $0 == warning }.count == count)
      try FileManager.default.removeItem(at: run.url)
    }
  }

  @Test func aStartThatWasKilledBetweenItsFilesGoesOn() throws {
    let asked = try options(.leaveOneSiteOut, ["bn"])
    _ = try start(asked)
    let whole = try Data(contentsOf: output.appendingPathComponent("experiment.yaml"))
    for name in ["experiment.yaml", "facts.json", "splits_final.json"] {
      try FileManager.default.removeItem(at: output.appendingPathComponent(name))
    }
    #expect(
      try refusal(options(.leaveOneSiteOut, ["bn"]) { $0.training.width = 4 })
        == "\(output.path): is not empty; give a new folder for --output, or delete this one first.")
    _ = try start(asked)
    #expect(try Data(contentsOf: output.appendingPathComponent("experiment.yaml")) == whole)
  }

  @Test func moreThreadsThanCoresAreNamedAsWhatTheyAre() throws {
    let asked = try options(.leaveOneSiteOut, ["bn"])
    _ = try start(asked)
    let file = output.appendingPathComponent("training.yaml")
    let text = try String(contentsOf: file, encoding: .utf8)
    try folder.write(text.replacingOccurrences(of: "threads: 1\n", with: "threads: 4096\n"), to: "output/training.yaml")
    #expect(
      refusal(asked)
        == "\(output.path): its experiment began with 4096 threads, which its bits depend on, and this machine has "
        + "\(counted(ProcessInfo.processInfo.activeProcessorCount, "core")); go on on a machine with as many cores, or begin "
        + "in another --output.")
  }

  @Test func refusesFactsThatAreMissingOrDamaged() throws {
    let asked = try options(.leaveOneSiteOut, ["bn"])
    _ = try start(asked)
    let file = output.appendingPathComponent("facts.json")
    var facts = try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any])
    var cases = try #require(facts["cases"] as? [[String: Any]])
    cases[0]["direction"] = [1, 0, 0]
    facts["cases"] = cases
    try JSONSerialization.data(withJSONObject: facts).write(to: file)
    #expect(
      sentence { try Experiment(contentsOf: output) }
        == "\(file.path): is not what the data check wrote; delete the file to have the data checked again.")
    try FileManager.default.removeItem(at: file)
    #expect(
      sentence { try Experiment(contentsOf: output) }
        == "\(file.path): is missing, because the experiment was stopped before it was written or the file was deleted; go "
        + "on with the experiment's command first.")
    _ = try start(asked)
    #expect(FileManager.default.fileExists(atPath: file.path))
  }
}
