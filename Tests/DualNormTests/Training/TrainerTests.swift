import Foundation
import MedicalImaging
import Testing
import Torch

@testable import Basics
@testable import Datasets
@testable import DualNorm
@testable import Scores

@Suite struct TrainerTests {
  /// A separate run folder for each test.
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("trainer-\(UUID().uuidString)")

  /// A bright square of the class in noise, at a different place in each case.
  func prepared(_ number: Int, site: String) throws -> PreparedCase {
    let geometry = Geometry(size: [32, 32, 4])
    var generator = SeededGenerator.stream(seed: 5, number)
    var image = Image(repeating: 0, geometry: geometry)
    var labels = ClassMap(repeating: 0, geometry: geometry)
    let corner = (x: 4 + generator.integer(below: 10), y: 4 + generator.integer(below: 10))
    for z in 0..<4 {
      for y in 0..<32 {
        for x in 0..<32 {
          let inside = (corner.x..<corner.x + 12).contains(x) && (corner.y..<corner.y + 12).contains(y)
          image[x, y, z] = Float(generator.normal() * 0.3) + (inside ? 2 : 0)
          if inside { labels[x, y, z] = 1 }
        }
      }
    }
    let name = "Case\(number)"
    return PreparedCase(
      source: Case(name: name, site: site, images: [URL(fileURLWithPath: "/\(name).nii")], mask: nil),
      volume: try PreparedVolume(images: [image], labels: labels, plan: PreparationPlan(), names: [name]))
  }

  func configuration(iterations: StageIterations = [6, 6]) -> TrainingConfiguration {
    var configuration = TrainingConfiguration()
    configuration.width = 2
    configuration.iterations = iterations
    configuration.batchSize = 2
    configuration.validateEvery = 4
    configuration.threads = 1
    return configuration
  }

  /// - Parameter inFiles: whether to keep the training volumes in files of the run folder.
  func trainer(
    in name: String, _ configuration: TrainingConfiguration, inFiles: Bool = false
  ) throws -> (Trainer, RunFolder) {
    let run = RunFolder(folder.appendingPathComponent(name))
    try FileManager.default.createDirectory(at: run.url, withIntermediateDirectories: true)
    let labels = LabelScheme(groups: [[1]])
    let plan = try PreparationPlan()
    let description = ModelDescription(
      network: try configuration.network(labels: labels, plan: plan, modalities: 1), preparation: plan, labels: labels,
      modalities: ["image"])
    let trainer = try Trainer.prepare(
      in: run, configuration, description,
      training: [prepared(0, site: "A"), prepared(1, site: "A"), prepared(2, site: "B")].map { item in
        try inFiles ? PreparedCase(source: item.source, volume: item.volume.inFiles(in: run.url)) : item
      },
      validation: [prepared(3, site: "A"), prepared(4, site: "B")])
    return (trainer, run)
  }

  @Test func aRunEndsWithAModelOfTheDualStage() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let (trainer, run) = try trainer(in: "whole", configuration())
    var reports: [TrainingProgress] = []
    #expect(try trainer.train(shouldStop: never) { reports.append($0) })
    #expect(reports.map(\.stage) == Array(repeating: .plain, count: 6) + Array(repeating: .dual, count: 6))
    #expect(reports.last?.losses.map(\.pass) == [.first, .final])
    #expect(reports.filter { $0.validation != nil }.map(\.iteration) == [4, 6, 4, 6])
    #expect(Set(try #require(reports.last?.validation).diceBySite.keys) == ["A", "B"])
    let model = try SegmentationModel(contentsOf: run)
    #expect(model.network.passes == [.first, .final])
    let rows = try String(contentsOf: run.log, encoding: .utf8).split(separator: "\n")
    #expect(rows.count == 13)
  }

  /// A class that the network never predicts is named.
  @Test func classesThatAreFoundInNoCase() throws {
    let network = try DualNormNetwork(NetworkPlan(classes: 2, width: 2), seed: 1)
    let description = ModelDescription(
      network: network.plan, preparation: try PreparationPlan(), labels: LabelScheme(groups: [[1]]),
      modalities: ["image"])
    for (bias, unfound) in [([100, -100], ["label 1"]), ([-100, 100], [])] as [([Float], [String])] {
      try #require(network.parameters["outc.conv.2.bias"]).assign(Tensor(bias, shape: [2]))
      #expect(
        ValidationScore(of: network, description, on: [try prepared(0, site: "A")]).unfoundClasses == unfound)
    }
  }

  @Test func itLearns() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    var configuration = configuration(iterations: [80, 20])
    configuration.width = 4
    configuration.batchSize = 4
    configuration.learningRate = 1e-2
    configuration.validateEvery = 20
    let (trainer, _) = try trainer(in: "learns", configuration)
    var best = 0.0
    _ = try trainer.train(shouldStop: never) { best = max(best, $0.validation?.dice ?? 0) }
    #expect(best > 0.9)
  }

  @Test func sameSeedSameBytesOtherSeedOtherBytes() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    var other = configuration()
    other.seed = 2
    let models = try [("one", configuration()), ("two", configuration()), ("three", other)].map { name, configuration in
      let (trainer, run) = try trainer(in: name, configuration)
      _ = try trainer.train(shouldStop: never) { _ in }
      return try Data(contentsOf: run.model)
    }
    #expect(models[0] == models[1])
    #expect(models[0] != models[2])
  }

  /// The dual stage's first pass has plain norms, and all its parameters are frozen.
  @Test func aPassWithNothingToTrainTakesNoStep() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    var configuration = configuration(iterations: [0, 3])
    configuration.freezeExcept = ["_aux"]
    let (trainer, run) = try trainer(in: "frozen", configuration)
    var losses: [[StepLoss]] = []
    #expect(try trainer.train(shouldStop: never) { losses.append($0.losses) })
    #expect(losses.count == 3 && losses.allSatisfy { $0.map(\.pass) == [.first, .final] })
    let trained = try SegmentationModel(contentsOf: run).network
    let start = try DualNormNetwork(trained.plan, seed: configuration.seed)
    func isMoved(_ name: String) -> Bool {
      trained.parameters[name]!.values(Float.self) != start.parameters[name]!.values(Float.self)
    }
    #expect(!isMoved("inc.block.conv_0.weight") && !isMoved("outc.conv.2.weight"))
    #expect(isMoved("inc.block.norm_0_aux.mlp_gamma.weight"))
  }

  /// The checkpoint has all weights, so the file of `--init` may be gone.
  @Test func resumingDoesNotReadTheInitialWeightsAgain() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    var configuration = configuration(iterations: [3, 0])
    configuration.initial = folder.appendingPathComponent("initial.safetensors").path
    let network = try DualNormNetwork(NetworkPlan(classes: 2, width: 2), seed: 9)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let file = URL(fileURLWithPath: try #require(configuration.initial))
    try Safetensors(tensors: network.parameters.stateDictionary).write(to: file)
    #expect(try !trainer(in: "run", configuration).0.train(shouldStop: { true }, progress: { _ in }))
    try FileManager.default.removeItem(at: file)
    #expect(try trainer(in: "run", configuration).0.train(shouldStop: never) { _ in })
  }

  /// Stops in the plain stage, between the stages, in the dual stage, and twice.
  @Test(arguments: [[1], [5], [6], [7], [11], [3, 2], [2, 1, 6]]) func aStoppedRunEndsWithTheSameBytes(
    stops: [Int]
  ) throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let whole = try Self.whole.get()
    var run = RunFolder(folder)
    for stop in stops + [.max] {
      let (trainer, stopped) = try trainer(in: "stopped", configuration())
      run = stopped
      var done = 0
      let isFinished = try trainer.train(shouldStop: { done >= stop }, progress: { _ in done += 1 })
      #expect(isFinished == (stop == .max))
      #expect(stop == .max || done == stop)
    }
    #expect(try Data(contentsOf: run.model) == whole.model)
    #expect(try Data(contentsOf: run.log) == whole.log)
  }

  /// What a run of `configuration()` without a stop leaves, made once for all tests.
  static let whole = Result {
    let tests = TrainerTests()
    defer { try? FileManager.default.removeItem(at: tests.folder) }
    let (trainer, run) = try tests.trainer(in: "whole", tests.configuration())
    _ = try trainer.train(shouldStop: never) { _ in }
    return (model: try Data(contentsOf: run.model), log: try Data(contentsOf: run.log))
  }
}

func never() -> Bool { false }
