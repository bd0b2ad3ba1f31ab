import Basics
import Foundation
import Testing

@testable import Torch

@Suite struct StateDictionaryTests {
  private func parameters(seed: UInt64 = 1) -> Parameters {
    let parameters = Parameters(seed: seed)
    _ = Convolution(Scope(parameters) / "conv", 2, 3, kernel: [3, 3])
    _ = BatchNorm(Scope(parameters) / "norm", 3)
    return parameters
  }

  @Test func namesAndOrderArePyTorchs() {
    #expect(
      parameters().entries.map(\.name) == [
        "conv.weight", "conv.bias", "norm.weight", "norm.bias", "norm.running_mean", "norm.running_var",
        "norm.num_batches_tracked",
      ])
    #expect(parameters().trainable.map(\.name) == ["conv.weight", "conv.bias", "norm.weight", "norm.bias"])
  }

  @Test func whatIsSavedIsLoaded() throws {
    let (source, target) = (parameters(seed: 1), parameters(seed: 2))
    #expect(source["conv.weight"]!.values(Float.self) != target["conv.weight"]!.values(Float.self))
    try target.load(source.stateDictionary, file: "weights")
    for (a, b) in zip(source.stateDictionary, target.stateDictionary) { #expect(a.tensor == b.tensor, "\(a.name)") }
  }

  @Test func everyNameThatDoesNotFitIsReportedAtOnceAndNothingIsLoaded() {
    let target = parameters()
    let before = target.stateDictionary.map(\.tensor)
    var state = parameters(seed: 2).stateDictionary.filter { $0.name != "norm.bias" }
    state[1].tensor = Tensor([Float(0)], shape: [1]).stored
    state.append((name: "extra", tensor: Tensor([Float(0)], shape: []).stored))
    #expect(
      throws: Refusal(
        .weights,
        sentence:
          "w.pth: does not fit the network: missing norm.bias; unexpected extra; of another shape conv.bias ([1], "
          + "expected [3]); use the weights of this configuration.")
    ) { try target.load(state, file: "w.pth") }
    #expect(target.stateDictionary.map(\.tensor) == before)
  }

  @Test func missingNamesMayBeAllowed() throws {
    let target = parameters()
    let state = parameters(seed: 2).stateDictionary.filter { !$0.name.hasPrefix("norm") }
    try target.load(state, file: "w") { $0.hasPrefix("norm") }
    #expect(target["conv.bias"]!.values(Float.self) == Tensor(state[1].tensor).values(Float.self))
  }

  @Test func adamsStateTravels() throws {
    func step(_ parameters: Parameters, _ optimizer: Adam) {
      optimizer.clearGradients()
      let weight = parameters["conv.weight"]!
      (weight * weight).sum().backward()
      optimizer.step()
    }
    let (one, two) = (parameters(), parameters())
    let (first, second) = (Adam(one, learningRate: 0.1), Adam(two, learningRate: 0.1))
    for _ in 0..<3 { step(one, first) }
    try two.load(one.stateDictionary, file: "w")
    try second.load(first.stateDictionary, file: "w")
    // Only parameters that had a gradient have a state.
    #expect(
      first.stateDictionary.map(\.name) == ["first/conv.weight", "second/conv.weight", "step/conv.weight"])
    step(one, first)
    step(two, second)
    #expect(one["conv.weight"]!.values(Float.self) == two["conv.weight"]!.values(Float.self))
  }
}
