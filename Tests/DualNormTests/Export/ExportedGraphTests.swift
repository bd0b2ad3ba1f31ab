import Foundation
import MedicalImaging
import ONNX
import TestSupport
import Testing
import Torch

@testable import Basics
@testable import DualNorm

@Suite struct ExportedGraphTests {
  private static let published = ExportedGraph("published", ExportedGraph.plan())

  /// The largest difference of each runtime, by the names of the graphs.
  private func differences(of graphs: [ExportedGraph]) throws -> [String: [String: Double]] {
    struct Inputs: Encodable {
      let image: [Int]
      let outputs: [String: [Int]]
    }
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("graphs-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    var list: [String: [Inputs]] = [:]
    for graph in graphs {
      let model = try graph.model()
      let site = graph.site.map { model.description.sites[$0] }
      try model.onnx(graph.output, site: site).data!.write(to: folder.appendingPathComponent("\(graph).onnx"))
      for (place, size) in graph.sizes.enumerated() {
        let images = normal([size[0], 2] + size.dropFirst(), seed: UInt64(place)).converted(to: .float32)
        let outputs = graph.expected(images, model.network)
        for (name, tensor) in outputs.merging(["image": images], uniquingKeysWith: { $1 }) {
          try tensor.stored.data.write(to: folder.appendingPathComponent("\(graph).\(place).\(name)"))
        }
        list["\(graph)", default: []].append(Inputs(image: images.shape, outputs: outputs.mapValues(\.shape)))
      }
    }
    try JSONEncoder().encode(list).write(to: folder.appendingPathComponent("graphs.json"))
    let text = try TestEnvironment.output(of: [TestEnvironment.tool("run_onnx.py"), folder.path])
    return try JSONDecoder().decode([String: [String: Double]].self, from: Data(text.utf8))
  }

  /// ONNX's own checker accepts each graph, too.
  @Test(.enabled(if: TestEnvironment.isThere, "needs ONNX Runtime and OpenVINO; make test-env gets them"))
  func otherRuntimesGiveTheSame() throws {
    let found = try differences(of: ExportedGraph.all)
    #expect(found.count == ExportedGraph.all.count)
    for graph in ExportedGraph.all {
      for (runtime, difference) in found["\(graph)"] ?? [:] {
        // Ties may go to either class in a mask. Each instance norm amplifies rounding, and nnU-Net has more than 20.
        // OpenVINO's kernels depend on the processor.
        let limit = graph.output == .mask ? 1e-3 : graph.plan.stages != nil ? 1e-4 : runtime == "openvino" ? 2e-5 : 1e-5
        #expect(difference <= limit, "\(graph) by \(runtime)")
      }
    }
  }

  /// The difference between passes is far above the tolerance of the comparison.
  @Test func thePassesDiffer() throws {
    let network = try Self.published.network()
    let found = Self.published.expected(normal([1, 2, 32, 48], seed: 1).converted(to: .float32), network)
    let (first, final) = (found["first_probabilities"]!, found["probabilities"]!)
    #expect((first - final).values(Float.self).map(abs).max()! > 0.05)
  }

  @Test func thePaperNetworkTakesTwelveOperators() throws {
    let operators = try Self.published.model().onnx(.probabilities).operators
    #expect(
      operators.keys.sorted() == [
        "Add", "BatchNormalization", "Concat", "Conv", "ConvTranspose", "Identity", "MaxPool", "Mul", "Relu", "Resize",
        "Shape", "Softmax",
      ])
    #expect(operators["Softmax"] == 2 && operators["ConvTranspose"] == 8)
  }

  @Test func theSameModelGivesTheSameBytes() throws {
    let files = try (0..<2).map { _ in try Self.published.model().onnx(.probabilities).data! }
    #expect(files[0] == files[1])
    #expect(try files[0] != Self.published.model().onnx(.mask).data!)
  }

  /// The words in the file are of the graph's outputs and of the model's preparation.
  @Test func theInstructionsAreThoseOfTheModel() throws {
    var model = try Self.published.model()
    func change(_ plan: PreparationPlan) throws -> [String] {
      var description = model.description
      description.preparation = plan
      model = TrainedModel(description: description, weights: model.weights, network: model.network)
      return model.instructions(.probabilities).split(separator: "\n").map(String.init)
    }
    let size = Extent(height: 32, width: 48)
    let whole = try change(
      PreparationPlan(
        window: IntensityWindow(-5, 7.5), resampling: .spacingMM(x: 0.5, y: 0.75), networkSize: size, contextSlices: 3,
        orientation: Orientation(code: "LPS")))
    let expected = [
      "towards L, P, S.", "-5.0…7.5", "the mean of all voxels", "0.5×0.75 mm", "windows of 32×48", "are 3 slices",
      "average the logarithms", "Interpolate the probabilities", "connected component", "turn the mask back",
    ]
    #expect(whole.count == expected.count)
    for (place, (step, words)) in zip(whole, expected).enumerated() {
      #expect(step.hasPrefix("\(place + 1). ") && step.contains(words))
    }
    let masks = model.instructions(.mask)
    #expect(masks.contains("nearest neighbour") && !masks.contains("logarithms"))
    let plain = try change(PreparationPlan(networkSize: size, contextSlices: 1))
    #expect(plain.count == 8 && plain[0].contains("as stored") && plain[5].contains("Choose the most probable class"))
  }

  @Test func aMaskOfTheTrueLabelsIsRefused() throws {
    let plan = ExportedGraph.plan { $0.maskSource = .reference }
    let error = #expect(throws: Refusal.self) {
      try ExportedGraph("reference", plan).model().onnx(.probabilities)
    }
    #expect(error?.description.contains("takes the true labels as its mask") == true)
  }
}
