import Foundation
import Testing
import Torch

@testable import DualNorm

@Suite struct TransferTests {
  @Test func whatFitsByNameAndShapeIsTakenAndTheRestReported() throws {
    let source = try DualNormNetwork(NetworkPlan(classes: 3, width: 2, dual: [.inc]), seed: 1)
    let target = try DualNormNetwork(NetworkPlan(classes: 2, width: 2, dual: [.up4]), seed: 2)
    let kept = target.parameters["outc.conv.2.weight"]!.values(Float.self)
    let report = target.parameters.transfer(from: source.parameters.stateDictionary)
    #expect(report.otherShape == ["outc.conv.2.weight", "outc.conv.2.bias"])
    #expect(report.missing.allSatisfy { $0.hasPrefix("up4.block.norm_") && $0.contains("_aux.") })
    #expect(report.unused.allSatisfy { $0.hasPrefix("inc.block.norm_") && $0.contains("_aux.") })
    #expect(report.missing.count == report.unused.count && report.missing.count == 18)
    #expect(report.matched.count + 2 + 18 == target.parameters.entries.count)
    #expect(target.parameters["outc.conv.2.weight"]!.values(Float.self) == kept)
    let name = "mid.block.conv_0.weight"
    #expect(target.parameters[name]!.values(Float.self) == source.parameters[name]!.values(Float.self))
  }
}
