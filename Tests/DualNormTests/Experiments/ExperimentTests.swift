import Foundation
import MedicalImaging
import Testing

@testable import Datasets
@testable import DualNorm
@testable import Experiments

/// The cells of experiments, and refusals before any cell trains.
@Suite struct ExperimentTests {
  let folder: DataFolder
  let data: URL
  var output: URL { folder.url.appendingPathComponent("output") }

  /// Three sites of three cases, 32 × 32 × 4 voxels, labels 1 and 2.
  private static let phantom = Result {
    let folder = try DataFolder()
    let sites = PhantomSite.training(count: 3, seed: 1)
    try Phantom(PhantomConfiguration(sites: sites, cases: 0..<3, size: [32, 32, 4], seed: 1))
      .write(to: folder.url.appendingPathComponent("data")) { _, _, _ in }
    return folder
  }

  init() throws {
    folder = try DataFolder()
    data = folder.url.appendingPathComponent("data")
    let made = try Self.phantom.get().url.appendingPathComponent("data")
    try FileManager.default.copyItem(at: made, to: data)
  }

  func options(
    _ kind: ExperimentConfiguration.Kind, _ methods: [String] = ["bn", "dual"],
    _ change: (inout ExperimentConfiguration) -> Void = { _ in }
  ) throws -> ExperimentConfiguration {
    var training = TrainingConfiguration()
    training.data = data.path
    training.width = 2
    var result = ExperimentConfiguration(kind, methods: try ExperimentMethod.list(methods), training: training)
    result.seeds = 2
    change(&result)
    return result
  }

  func start(
    _ options: ExperimentConfiguration, checking: (@Sendable (Int, Int) -> Void)? = nil
  ) throws -> Experiment {
    try Experiment.begin(in: output, options, threads: 1, report: { _ in }, checking: checking)
  }

  func refusal(_ options: ExperimentConfiguration) -> String { sentence { try start(options) } }

  private func mask(_ name: String) -> URL { data.appendingPathComponent("\(name)_segmentation.nii.gz") }

  private func relabel(_ site: String, _ change: (LabelValue) -> LabelValue) throws {
    for index in 0..<3 {
      let url = mask("\(site)/Case0\(index)")
      var labels = try LabelMap(contentsOf: url)
      labels.voxels = labels.voxels.map(change)
      try labels.write(to: url)
    }
  }

  @Test func seedsAreOutermost() throws {
    let experiment = try start(options(.crossValidate) { $0.folds = 3 })
    let firstSeed = (0..<3).flatMap { ["bn/fold-\($0)/seed-1", "dual/fold-\($0)/seed-1"] }
    #expect(experiment.cells.prefix(6).map(\.name) == firstSeed)
    #expect(experiment.cells.count == 12 && experiment.cells.suffix(6).allSatisfy { $0.seed == 2 })
    #expect(experiment.cells.map(\.steps) == Array(repeating: 6003, count: 12))
    let splits = try experiment.cells.map { try experiment.split(of: $0) }
    #expect(splits[0] == splits[1] && splits[0].test == splits[6].test && splits[0].validation.count == 3)
    #expect(Set(splits.flatMap(\.test)).count == 9)
  }

  @Test func aMatrixTestsTheSameCasesForEveryTrainingSet() throws {
    let held = try start(options(.matrix, ["bn"]) { ($0.seeds, $0.training.holdOut) = (1, 0.34) })
    #expect(held.cells.map(\.setting.name) == ["Site-A", "Site-B", "Site-C", "joint"])
    #expect(held.cells.map(\.setting.trainSites).last == ["Site-A", "Site-B", "Site-C"])
    let folds = held.cells.map(\.setting.cases)
    #expect(Set(folds.map(\.test)).count == 1 && folds[0].test.count == 3)
    #expect(folds[0].train.count == 2 && folds[0].train.allSatisfy { $0.hasPrefix("Site-A/") })
    #expect(folds[3].train.count == 6 && Set(folds[3].train).isDisjoint(with: folds[3].test))
    try FileManager.default.removeItem(at: output)
    let folded = try start(options(.matrix, ["bn"]) { ($0.seeds, $0.folds) = (1, 3) })
    #expect(folded.cells.count == 12 && folded.cells[3].setting.name == "joint-fold-0")
    #expect(folded.cells.map(\.setting.fold).prefix(5) == ["fold-0", "fold-0", "fold-0", "fold-0", "fold-1"])
  }

  /// Neither size nor labels of the held-out site's volumes matter.
  @Test func planningNeverLooksAtTheHeldOutSite() throws {
    let before = try start(options(.leaveOneSiteOut, ["bn"]))
    func plans(_ experiment: Experiment) throws -> [ModelDescription] {
      try experiment.cells.prefix(3).map {
        try $0.configuration.description(of: experiment.split(of: $0), data: experiment.data)
      }
    }
    let old = try plans(before)
    try FileManager.default.removeItem(at: output)
    for index in 0..<3 {
      let geometry = Geometry(size: [70, 70, 2])
      try noise(geometry, seed: 1).write(to: data.appendingPathComponent("Site-C/Case0\(index).nii.gz"))
      try volume(geometry) { x, _, _ in LabelValue(x < 9 ? 1 : 0) }.write(to: mask("Site-C/Case0\(index)"))
    }
    let new = try plans(start(options(.leaveOneSiteOut, ["bn"])))
    #expect(new[2] == old[2] && new[2].sites == ["Site-A", "Site-B"])
    #expect(new[0].preparation.networkSize == Extent(height: 80, width: 80))
    #expect(old[0].preparation.networkSize == Extent(height: 32, width: 32))
  }

  @Test func theSameCommandGoesOnAndMoreMethodsAndSeedsAreAdded() throws {
    let checks = Counter()
    // A live experiment would keep its folder locked, so it is not stored.
    let facts = try start(options(.leaveOneSiteOut, ["dual"])) { _, _ in checks.add() }.data.facts
    #expect(checks.count == 9)
    let again = try start(options(.leaveOneSiteOut, ["bn+dual", "in"]) { $0.seeds = 1 }) { _, _ in checks.add() }
    #expect(checks.count == 9 && again.data.facts == facts)
    #expect(again.configuration.methods.map(\.name) == ["dual", "in"] && again.configuration.seeds == 2)
    let opened = try Experiment(contentsOf: output)
    #expect(opened.configuration == again.configuration && opened.cells.map(\.name) == again.cells.map(\.name))
    #expect(opened.configuration.training.threads == 1)
  }

  /// The place of volumes changes no result.
  @Test func theMemoryMayChange() throws {
    _ = try start(options(.leaveOneSiteOut) { $0.training.memory = 2 })
    let again = try start(options(.leaveOneSiteOut) { $0.training.memory = 0.5 })
    #expect(again.configuration.training.memory == 0.5)
    #expect(try Experiment(contentsOf: output).configuration == again.configuration)
  }

  /// An earlier version kept the largest component of all classes by default; its experiments still do.
  @Test func anExperimentOfAnEarlierVersionKeepsItsRule() throws {
    _ = try start(options(.leaveOneSiteOut) { $0.largestComponent = .ofAll })
    let file = output.appendingPathComponent("experiment.yaml")
    #expect(try String(contentsOf: file, encoding: .utf8).contains("\nlargest-component: true\n"))
    #expect(try start(options(.leaveOneSiteOut)).configuration.largestComponent == .ofAll)
    #expect(
      try refusal(options(.leaveOneSiteOut) { $0.largestComponent = .ofNone })
        .hasPrefix("\(output.path): its experiment has --largest-component true, not false; "))
  }

  /// Layer norm works for one size, and larger slices are seen in windows of it.
  @Test func layerNormTakesLargerTestCases() throws {
    for index in 0..<3 {
      let geometry = Geometry(size: [70, 60, 2])
      try noise(geometry, seed: 1).write(to: data.appendingPathComponent("Site-C/Case0\(index).nii.gz"))
      try volume(geometry) { x, _, _ in LabelValue(x < 9 ? 1 : 0) }.write(to: mask("Site-C/Case0\(index)"))
    }
    _ = try start(options(.leaveOneSiteOut, ["ln"]))
  }

  @Test func anotherExperimentInTheSameFolderIsRefused() throws {
    _ = try start(options(.leaveOneSiteOut))
    let end = "give the same options to go on, or another --output."
    for (change, found) in [
      ({ $0.training.width = 4 }, "--width 2, not 4"),
      ({ $0.training.iterations = [5, 5] }, "--iterations 4000,2000, not 5,5"),
      ({ $0.training.batchSize = 6 }, "--batch-size not given, not 6"),
      ({ $0.adaptation = .site }, "--adapt none, not site"),
      ({ $0.largestComponent = .ofNone }, "--largest-component model, not false"),
      ({ $0.training.seed = 7 }, "--seed 1, not 7"),
      ({ $0.sites = ["Site-A", "Site-B"] }, "--sites not given, not Site-A,Site-B"),
    ] as [((inout ExperimentConfiguration) -> Void, String)] {
      #expect(
        try refusal(options(.leaveOneSiteOut, ["bn"], change)) == "\(output.path): its experiment has \(found); \(end)")
    }
    #expect(
      try refusal(options(.crossValidate) { $0.folds = 3 })
        == "\(output.path): holds a leave-one-site-out experiment, not cross-validate; give another --output.")
  }

  @Test func dataThatChangedAreRefused() throws {
    _ = try start(options(.leaveOneSiteOut))
    let end = "restore the data, or begin a new experiment in another --output."
    let list = data.appendingPathComponent("Site-A/all_list.txt")
    try FileManager.default.removeItem(at: list)
    for (name, kind) in [("Case00", ""), ("Case00", "_segmentation")] {
      let here = data.appendingPathComponent("Site-A/\(name)\(kind).nii.gz")
      try FileManager.default.copyItem(at: here, to: data.appendingPathComponent("Site-A/New\(kind).nii.gz"))
    }
    let all = try options(.leaveOneSiteOut)
    #expect(refusal(all) == "\(data.path): Site-A/New was not there when the experiment began; \(end)")
    for kind in ["", "_segmentation"] {
      let new = data.appendingPathComponent("Site-A/New\(kind).nii.gz")
      try FileManager.default.removeItem(at: new)
      try FileManager.default.removeItem(at: data.appendingPathComponent("Site-A/Case00\(kind).nii.gz"))
    }
    #expect(refusal(all) == "\(data.path): Site-A/Case00 is no longer there, and the experiment counts on it; \(end)")
  }

  @Test func aSiteWithOtherLabelsIsFoundBeforeAnythingTrains() throws {
    try relabel("Site-B") { $0 == 2 ? 3 : $0 }
    #expect(
      try refusal(options(.leaveOneSiteOut))
        == "bn/Site-B: Site-B: its held-out masks hold label 3, which no mask to train on holds (those hold 1 and 2), so it "
        + "could not be learnt; merge labels with --merge-labels, correct the masks, or leave these cases out.")
    #expect(!FileManager.default.fileExists(atPath: output.path))
  }

  @Test func aClassThatAWholeSiteLacksCannotBeTrainedThereAlone() throws {
    try relabel("Site-B") { min($0, 1) }
    #expect(
      try refusal(options(.matrix) { $0.training.holdOut = 0.34 })
        == "bn/Site-B: Site-A: its held-out masks hold label 2, which no mask to train on holds (those hold 1), so it could "
        + "not be learnt; merge labels with --merge-labels, correct the masks, or leave these cases out.")
    // With merged labels the site trains, since its masks have one of the two.
    let merged = try start(options(.matrix) { ($0.training.holdOut, $0.training.mergeLabels) = (0.34, [[1, 2]]) })
    #expect(merged.cells.count == 16)
  }

  @Test func refusesDataAndOptionsThatMakeNoExperiment() throws {
    #expect(
      try refusal(options(.crossValidate) { $0.folds = 5 })
        == "Site-A has 3 patients, fewer than the 5 folds; give --folds 3 or fewer.")
    let single = try options(.leaveOneSiteOut) { $0.sites = ["Site-A"] }
    #expect(
      refusal(single)
        == "There is a single site, Site-A, and leaving it out leaves nothing to train on; give a data set of at least 2 "
        + "sites, or use cross-validate.")
    #expect(
      try refusal(options(.leaveOneSiteOut) { $0.sites = ["Site-A", "Sit-B"] })
        == "--sites: there is no site \"Sit-B\" in \(data.path); the nearest is \"Site-B\" of Site-A, Site-B and Site-C."
    )
    #expect(
      try refusal(options(.leaveOneSiteOut, ["bn", "gn"]))
        == "gn: Group norm works on 16 groups, so the width must be a multiple of it, not 2.")
    #expect(
      try refusal(options(.leaveOneSiteOut) { $0.training.holdOut = 0.2 })
        == "--hold-out has no say in leave-one-site-out, where every case is tested; leave it out.")
    #expect(
      try refusal(options(.matrix) { ($0.training.holdOut, $0.folds) = (0.2, 3) })
        == "--folds and --hold-out exclude each other; give one of them.")
    #expect(try refusal(options(.matrix) { $0.seeds = 0 }) == "--seeds is 0; give 1 to 1000.")
    #expect(!FileManager.default.fileExists(atPath: output.path))
  }

  @Test func refusesADamagedRecord() throws {
    _ = try start(options(.leaveOneSiteOut))
    try folder.write("experiment: [leave]\n", to: "output/experiment.yaml")
    #expect(
      sentence { try Experiment(contentsOf: output) }
        == "\(output.path)/experiment.yaml: is no record of an experiment (expected experiment, methods, seeds, sites, "
        + "folds, adapt and largest-component); restore the file, or begin in a new folder.")
    try FileManager.default.removeItem(at: output.appendingPathComponent("experiment.yaml"))
    #expect(
      sentence { try Experiment(contentsOf: output) }
        == "\(output.path): has no experiment.yaml, so no experiment was started there; check the folder.")
  }
}

/// Counts calls from any thread.
private final class Counter: @unchecked Sendable {
  private let lock = NSLock()
  private var calls = 0

  func add() { lock.withLock { calls += 1 } }

  var count: Int { lock.withLock { calls } }
}
