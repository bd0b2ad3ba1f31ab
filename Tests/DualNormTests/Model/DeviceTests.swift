import Testing
import Torch

@testable import DualNorm

@Suite struct DeviceTests {
  private static let configurations = [
    UNetConfiguration(classes: 2, width: 4, dualBlocks: [.inc, .mid], deepSupervision: true),
    UNetConfiguration(classes: 3, width: 4, dualBlocks: [.inc], maskKind: .hard, localStatistics: .measured),
    UNetConfiguration(classes: 2, width: 4, norm: .dsbn, dualBlocks: [.up4], sites: 2, maskSource: .reference),
    UNetConfiguration(classes: 2, width: 4, norm: .in, dualBlocks: [.inc], maskSource: .uniform),
    UNetConfiguration(classes: 2, width: 16, norm: .gn),
    UNetConfiguration(classes: 2, width: 4, norm: .ln, size: ImageSize(height: 32, width: 48)),
  ]

  /// A tensor that is made on the CPU and forgotten there fails where it meets the others.
  @Test(arguments: configurations, LossKind.allCases)
  func everythingOfATrainingIsOnTheDevice(_ configuration: UNetConfiguration, loss: LossKind) throws {
    let network = try DualNormUNet(configuration, seed: 1, device: .meta)
    let images = images([4, 3, 32, 48], seed: 2).moved(to: .meta)
    let labels = labels([4, 32, 48], classes: configuration.classes, seed: 3).moved(to: .meta)
    let optimizer = Adam(network.parameters, learningRate: 1e-3, weightDecay: 0.01)
    let average = MovingAverage(of: network.parameters, decay: 0.9)
    let sites = SiteRows([0, 0, 1, 1])
    network.forEachPass(over: images, sites: sites, reference: labels, .training) { pass, logits in
      let value = SegmentationLoss(logits, labels: labels, kind: loss, weighted: false, fused: network.fuses).value
      #expect(value.device == .meta && value.shape == [], "\(pass)")
      optimizer.clearGradients()
      value.backward()
      optimizer.step(clippingTo: 0.1)
    }
    average.update()
    average.applied {}
    withoutGradients {
      network.forEachPass(over: images, sites: sites, reference: labels, .evaluation) { pass, logits in
        let classes = logits.full.largestChannel()
        #expect(classes.device == .meta && classes.shape == [4, 32, 48] && classes.type == .uint8, "\(pass)")
      }
    }
    #expect(network.parameters.entries.allSatisfy { $0.tensor.device == .meta })
  }

  @Test func choicesAreWrittenAsTheyAreRead() {
    for text in ["cpu", "auto", "cuda:0", "cuda:3"] { #expect(DeviceChoice(rawValue: text)?.rawValue == text) }
    #expect(DeviceChoice(rawValue: "cuda") == .cuda(0))
    for text in ["", "gpu", "cuda:", "cuda:x", "cuda:-1", "cuda:99999999999999999999", "CPU", "cuda:1024"] {
      #expect(DeviceChoice(rawValue: text) == nil, "\(text)")
    }
  }

  @Test func theCPUIsAlwaysThere() throws {
    #expect(try DeviceChoice.cpu.resolved() == .cpu)
    let auto = try DeviceChoice.auto.resolved()
    #expect(auto == (LibTorch.gpuCount > 0 ? .cuda(0) : .cpu))
  }

  @Test(.enabled(if: (try? DeviceChoice.auto.resolved()) == .cpu, "this machine has a GPU"))
  func withoutAGPUThereIsAReason() {
    #expect {
      try DeviceChoice.cuda(0).resolved()
    } throws: { error in
      let sentence = "\(error)"
      return sentence.hasPrefix("--device is cuda:0, and LibTorch") && sentence.hasSuffix("give --device cpu.")
    }
  }
}
