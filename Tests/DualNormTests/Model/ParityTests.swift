import Foundation
import Testing
import Torch

@testable import DualNorm

/// Results of PyTorch and the reference network for one configuration, from Tools/fixtures.py.
struct ParityFixture: CustomTestStringConvertible, Sendable {
  static let folder = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Fixtures/parity")

  static let all: [ParityFixture] = [
    "bn-plain", "bn-soft", "bn-soft-3-classes", "bn-hard", "bn-hard-3-classes", "bn-odd-size", "bn-other-blocks",
    "in-soft", "in-odd-size", "gn-soft", "gn-hard-3-classes", "ln-soft", "ln-hard-3-classes", "nested-plain",
    "nested-soft", "volume-bn-plain", "volume-bn-soft-3-classes", "volume-bn-hard", "volume-anisotropic",
    "volume-in-soft", "volume-gn-soft", "volume-ln-soft", "volume-odd-size", "volume-one-slice", "volume-capped",
    "unet-plain", "unet-soft", "attention-soft", "vnet-plain", "vnet-soft", "transunet-soft",
    "volume-unet-anisotropic", "volume-attention", "volume-vnet", "volume-transunet",
  ].map(ParityFixture.init)

  let name: String

  var testDescription: String { name }

  func load() throws -> (file: Safetensors, configuration: NetworkPlan) {
    let file = try Safetensors.read(Self.folder.appendingPathComponent("\(name).safetensors"))
    let json = Data(file.metadata["configuration"]!.utf8)
    return (file, try JSONDecoder().decode(NetworkPlan.self, from: json))
  }
}

@Suite("Parity with PyTorch") struct ParityTests {
  // Sums in another order round differently, and ten iterations amplify that.
  init() { LibTorch.configure(threads: 1) }

  @Test(arguments: ParityFixture.all) func stateDictionary(_ fixture: ParityFixture) throws {
    let (file, configuration) = try fixture.load()
    let network = try DualNormNetwork(configuration, seed: 7)
    let ours = network.parameters.entries.map { "\($0.name) \($0.tensor.shape)" }
    let json = try JSONSerialization.jsonObject(with: Data(file.metadata["state"]!.utf8)) as! [[Any]]
    #expect(ours == json.map { "\($0[0]) \($0[1] as! [Int])" })
    let trainable = try JSONDecoder().decode([String].self, from: Data(file.metadata["parameters"]!.utf8))
    #expect(Set(network.parameters.trainable.map(\.name)) == Set(trainable))
  }

  @Test(arguments: ParityFixture.all) func initialWeightsAreEqualToTheBit(_ fixture: ParityFixture) throws {
    let (file, configuration) = try fixture.load()
    for entry in try DualNormNetwork(configuration, seed: 7).parameters.entries {
      let expected = try #require(file["initial/" + entry.name]).floats
      #expect(sample(entry.tensor).dropLast() == expected.dropLast(), "\(entry.name)")
    }
  }

  @Test(arguments: ParityFixture.all, [true, false])
  func logitsLossesGradientsAndPredictions(_ fixture: ParityFixture, fuses: Bool) throws {
    let (file, configuration) = try fixture.load()
    let network = try DualNormNetwork(configuration, seed: 7)
    network.fusesOperations = fuses
    let (images, labels) = batch(of: file)
    try network.forEachPass(over: images, .training) { pass, logits in
      let prefix = "training/\(pass.rawValue)/"
      let expected = try #require(file[prefix + "logits"])
      #expect(logits.full.shape == expected.shape)
      // Single precision has fewer decimals for logits above 1; a transformer has many more sums.
      let scale = max(1, expected.floats.map(abs).max()!) * (fixture.name.contains("transunet") ? 2 : 1)
      #expect(largestDifference(logits.full.values(), expected.floats) < 1e-5 * scale)

      let loss = SegmentationLoss(logits: logits.full, labels: labels, weighted: pass == .final, fused: fuses)
      let losses = try #require(file[prefix + "loss"]).floats
      #expect(abs(loss.value.item - Double(losses[0])) < 1e-5)
      #expect(abs(loss.hardDice.item - Double(losses[1])) < 1e-5)

      for entry in network.parameters.trainable { entry.tensor.clearGradient() }
      loss.value.backward()
      try expectGradients(of: network, file, prefix + "gradient/")
    }
    // The running statistics that these passes produced.
    try withoutGradients {
      try network.forEachPass(over: images, .evaluation) { pass, logits in
        let expected = try #require(file["prediction/\(pass.rawValue)"]).floats
        #expect(largestDifference(logits.full.softmax(1).values(), expected) < 1e-4)
      }
    }
  }

  /// Compares sampled elements and the norm of all, each within 1e-4 of the norm.
  private func expectGradients(of network: DualNormNetwork, _ file: Safetensors, _ prefix: String) throws {
    let norms = network.parameters.trainable.compactMap { file[prefix + $0.name]?.floats.last }
    // A bias before batch norm has gradient 0 up to rounding.
    let floor = 1e-2 * norms.reduce(0) { $0 + $1 * $1 }.squareRoot()
    for entry in network.parameters.trainable {
      guard let expected = file[prefix + entry.name]?.floats else {
        #expect(entry.tensor.gradient == nil, "\(entry.name) has no gradient in PyTorch")
        continue
      }
      let ours = sample(try #require(entry.tensor.gradient, "\(entry.name) has no gradient"))
      let difference = zip(ours, expected).dropLast().map { $0 - $1 }
      #expect(norm(difference) < 1e-4 * max(norm(expected.dropLast()), floor), "\(entry.name)")
      #expect(abs(ours.last! - expected.last!) < 1e-4 * max(expected.last!, floor), "\(entry.name)")
    }
  }

  /// Ten steps amplify rounding, and fused operations round in other places than PyTorch.
  ///
  /// Noise of 1e-7 on the images alone moved losses of separate operations by up to 2.2e-4.
  @Test(arguments: ParityFixture.all, [(fuses: false, tolerance: 1e-4 as Float), (true, 5e-4)])
  func tenIterations(_ fixture: ParityFixture, way: (fuses: Bool, tolerance: Float)) throws {
    let (file, configuration) = try fixture.load()
    let network = try DualNormNetwork(configuration, seed: 7)
    network.fusesOperations = way.fuses
    let optimizer = Adam(network.parameters, learningRate: 1e-3)
    let (images, labels) = batch(of: file)
    let losses = (0..<10).flatMap { _ in
      network.trainingStep(images: images, labels: labels, optimizer: optimizer).map { Float($0.value) }
    }
    let difference = largestDifference(losses, try #require(file["losses"]).floats)
    #expect(difference < way.tolerance)
  }

  private func batch(of file: Safetensors) -> (images: Tensor, labels: Tensor) {
    (Tensor(file["images"]!).channelsLast(), Tensor(file["labels"]!).converted(to: .int64))
  }
}

/// Samples at most 64 evenly spread elements, then the L2 norm, as in Tools/fixtures.py.
private func sample(_ tensor: Tensor) -> [Float] {
  let values = tensor.values(Float.self)
  let step = max(1, values.count / 64)
  let norm = values.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
  return stride(from: 0, to: values.count, by: step).prefix(64).map { values[$0] } + [Float(norm)]
}

private func norm(_ values: some Sequence<Float>) -> Float { values.reduce(0) { $0 + $1 * $1 }.squareRoot() }

private func largestDifference(_ a: some Collection<Float>, _ b: some Collection<Float>) -> Float {
  precondition(a.count == b.count)
  return zip(a, b).map { abs($0 - $1) }.max() ?? 0
}

extension StoredTensor {
  var floats: [Float] { Tensor(self).values() }
}
