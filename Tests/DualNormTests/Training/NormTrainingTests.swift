import Foundation
import MedicalImaging
import Testing
import Torch

@testable import Basics
@testable import Datasets
@testable import DualNorm
@testable import Scores

/// Every norm in training, stopping, saving and loading.
@Suite struct NormTrainingTests {
  private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("norms-\(UUID().uuidString)")

  private func prepared(_ number: Int, site: String) throws -> PreparedCase {
    let geometry = Geometry(size: [32, 32, 2])
    let square = volume(geometry) { x, y, _ in
      UInt8((4 + number..<16 + number).contains(x) && (8..<20).contains(y) ? 1 : 0)
    }
    var scan = noise(geometry, seed: UInt64(number))
    for (voxel, label) in square.voxels.enumerated() where label == 1 { scan.voxels[voxel] += 30 }
    let name = "Case\(number)"
    return PreparedCase(
      source: Case(name: name, site: site, images: [URL(fileURLWithPath: "/\(name).nii")], mask: nil),
      volume: try PreparedVolume(images: [scan], labels: square, plan: PreparationPlan(), names: [name]))
  }

  private func trainer(
    in name: String, _ norm: PlainNorm, dual: Bool = true, change: (inout TrainingConfiguration) -> Void = { _ in }
  ) throws -> (Trainer, RunFolder) {
    var configuration = TrainingConfiguration()
    configuration.norm = norm
    configuration.width = norm == .gn ? 16 : 2
    configuration.dualBlocks = dual ? [.inc, .down2] : []
    configuration.deepSupervision = dual
    configuration.iterations = [2, 2]
    configuration.batchSize = 4
    configuration.validateEvery = 2
    configuration.threads = 1
    change(&configuration)
    let run = RunFolder(folder.appendingPathComponent(name))
    try FileManager.default.createDirectory(at: run.url, withIntermediateDirectories: true)
    let labels = LabelScheme(groups: [[1]])
    let plan = try PreparationPlan(networkSize: Extent(height: 32, width: 32))
    let description = ModelDescription(
      network: try configuration.network(labels: labels, plan: plan, modalities: 1, sites: 2), preparation: plan,
      labels: labels, modalities: ["image"], sites: ["A", "B"], precision: configuration.precision ?? .float32)
    let trainer = try Trainer.prepare(
      in: run, configuration, description,
      training: [prepared(0, site: "B"), prepared(1, site: "A"), prepared(2, site: "A")],
      validation: [prepared(3, site: "A"), prepared(4, site: "C")])
    return (trainer, run)
  }

  @Test(arguments: PlainNorm.allCases, [false, true]) func trainsSavesAndLoads(norm: PlainNorm, dual: Bool) throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let (trainer, run) = try trainer(in: "run", norm, dual: dual)
    var losses: [Double] = []
    #expect(try trainer.train(shouldStop: { false }, progress: { losses += $0.losses.map(\.value) }))
    #expect(losses.count == (dual ? 2 + 4 : 2) && losses.allSatisfy { $0.isFinite })
    let model = try SegmentationModel(contentsOf: run)
    #expect(model.description.network.norm == norm)
    #expect(model.network.passes == (dual ? [.first, .final] : [.first]))
    let file = try Safetensors.read(run.model)
    #expect(
      try NetworkPlan(inferredFrom: file.tensors, maskKind: .soft, file: "") == model.description.network)
    let probabilities = model.network.probabilities(of: try prepared(3, site: "A").volume, site: 0)[.final]!
    for (a, b) in zip(probabilities[0], probabilities[1]) { #expect(abs(a + b - 1) < 1e-5) }
  }

  /// Stops in both stages. Domain-specific batch norm sorts batches by site.
  @Test(arguments: [PlainNorm.dsbn, .gn]) func aStoppedRunEndsWithTheSameBytes(norm: PlainNorm) throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let (whole, wholeRun) = try trainer(in: "whole", norm)
    _ = try whole.train(shouldStop: { false }, progress: { _ in })
    for stop in [1, 2, .max] {
      let (trainer, _) = try trainer(in: "stopped", norm)
      var done = 0
      _ = try trainer.train(shouldStop: { done >= stop }, progress: { _ in done += 1 })
    }
    let stopped = RunFolder(folder.appendingPathComponent("stopped"))
    #expect(try Data(contentsOf: stopped.model) == Data(contentsOf: wholeRun.model))
    #expect(try Data(contentsOf: stopped.log) == Data(contentsOf: wholeRun.log))
  }

  @Test(arguments: MaskSource.allCases, LocalStatistics.allCases) func masksAndStatisticsReachTheModel(
    source: MaskSource, statistics: LocalStatistics
  ) throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let (trainer, run) = try trainer(in: "run", .bn) { configuration in
      configuration.maskSource = source
      configuration.localStatistics = statistics
    }
    var last: [StepLoss] = []
    #expect(try trainer.train(shouldStop: { false }, progress: { last = $0.losses }))
    #expect(last.map(\.pass) == [.first, .final] && last.allSatisfy { $0.value.isFinite })
    let network = try run.readDescription().network
    #expect(network.dual?.maskSource == source && network.dual?.localStatistics == statistics)
    #expect(try SegmentationModel(contentsOf: run).description.needsReference == (source == .reference))
    #expect(try SegmentationModel(contentsOf: run, maskSource: .uniform).network.plan.dual?.maskSource == .uniform)
  }

  /// Norms with convolutions that round to bfloat16.
  @Test(arguments: [PlainNorm.dsbn, .in]) func trainsInBfloat16(norm: PlainNorm) throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let (trainer, run) = try trainer(in: "run", norm) { configuration in
      configuration.precision = .bfloat16
      configuration.localStatistics = .measured
    }
    var losses: [Double] = []
    #expect(try trainer.train(shouldStop: { false }, progress: { losses += $0.losses.map(\.value) }))
    #expect(losses.count == 6 && losses.allSatisfy { $0.isFinite })
    // The model segments with the training's precision unless told otherwise.
    #expect(try SegmentationModel(contentsOf: run).network.precision == .bfloat16)
    #expect(try SegmentationModel(contentsOf: run, precision: .float32).network.precision == .float32)
  }

  @Test func twoClassesHaveNoCrossEntropyToWeight() throws {
    var configuration = TrainingConfiguration(.published)
    configuration.weightedCrossEntropy = true
    let plan = try PreparationPlan()
    #expect(
      throws: Refusal(
        .input,
        sentence:
          "--weighted-cross-entropy weights the classes of the cross entropy, which the published loss of two classes "
          + "(background and label 1) does not have; leave it out.")
    ) { try configuration.network(labels: LabelScheme(groups: [[1]]), plan: plan, modalities: 1) }
    #expect(
      try configuration.network(labels: LabelScheme(groups: [[1], [2]]), plan: plan, modalities: 1).classes == 3)
  }

  /// The slots alternate between sites, so 3 slices of 2 sites leave one site a single slice.
  @Test(arguments: [(PlainNorm.dsbn, 3), (.dsbn, 4), (.bn, 2), (.in, 1)]) func aSiteNeedsSeveralValues(
    norm: PlainNorm, slices: Int
  ) throws {
    var configuration = TrainingConfiguration()
    (configuration.norm, configuration.batchSize, configuration.dualBlocks) = (norm, slices, [.inc])
    let plan = try PreparationPlan(networkSize: Extent(height: 16, width: 16))
    func network() throws -> NetworkPlan {
      try configuration.network(labels: LabelScheme(groups: [[1]]), plan: plan, modalities: 1, sites: 2)
    }
    guard slices == 3 else {
      #expect(try network().sites == (norm == .dsbn ? 2 : 1))
      return
    }
    #expect(
      throws: Refusal(
        .input,
        sentence:
          "A batch has 3 slices of 16×16 from 2 sites, so domain-specific batch normalization has a single value a channel "
          + "of a site at the deepest level; give --batch-size 4 or more.")
    ) { try network() }
  }
}
