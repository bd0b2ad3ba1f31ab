import Basics
import Foundation
import Testing

@testable import Torch

@Suite struct MovingAverageTests {
  private func network(_ value: Double) -> (Parameters, Tensor) {
    let parameters = Parameters(seed: 1)
    let norm = BatchNorm(Scope(parameters), 2)
    norm.weight!.assign(Tensor(repeating: value, shape: [2]))
    return (parameters, norm.weight!)
  }

  @Test func itFollowsTheWeightsFasterAtFirst() throws {
    let (parameters, weight) = network(1)
    let average = MovingAverage(of: parameters, decay: 0.5)
    weight.assign(Tensor(repeating: 3, shape: [2]))
    average.update()  // decay 2/11
    let first = 1 + (1 - 2.0 / 11) * 2
    average.applied { #expect(abs(weight.values(Double.self)[0] - first) < 1e-6) }
    #expect(weight.values(Double.self) == [3, 3])
    for _ in 0..<20 { average.update() }
    average.applied { #expect(abs(weight.values(Double.self)[0] - 3) < 1e-3) }
  }

  @Test func itsStateComesBack() throws {
    let (parameters, weight) = network(1)
    let average = MovingAverage(of: parameters, decay: 0.9)
    weight.assign(Tensor(repeating: 5, shape: [2]))
    for _ in 0..<3 { average.update() }
    let copy = MovingAverage(of: parameters, decay: 0.9)
    try copy.load(average.stateDictionary, file: "here")
    #expect(copy.updates == 3)
    for tracker in [average, copy] { tracker.update() }
    let values = [average, copy].map { $0.applied { weight.values(Double.self) } }
    #expect(values[0] == values[1])
    #expect(throws: Refusal.self) { try copy.load([], file: "here") }
  }
}

@Suite struct AdamTests {
  /// The published update, one number at a time, for more values than one task takes.
  @Test(arguments: [true, false]) func isTheEquation(fuses: Bool) {
    let parameters = Parameters(seed: 1)
    let count = 70_000
    let start = (0..<count).map { Double($0 % 97) / 50 - 1 }
    let weight = Scope(parameters).parameter("weight", Tensor(start.map { Float($0) }, shape: [count]))
    let optimizer = Adam(parameters, learningRate: 0.01, fuses: fuses)
    var (values, first, second) = (start, start.map { _ in 0.0 }, start.map { _ in 0.0 })
    for step in 1...3 {
      let gradients = (0..<count).map { Double(($0 * step) % 13) / 10 - 0.5 }
      optimizer.clearGradients()
      (weight * Tensor(gradients.map { Float($0) }, shape: [count])).sum().backward()
      optimizer.step(clippingTo: 0.3)
      for i in 0..<count {
        let g = min(max(gradients[i], -0.3), 0.3)
        first[i] = 0.9 * first[i] + 0.1 * g
        second[i] = 0.999 * second[i] + 0.001 * g * g
        let corrected = (second[i] / (1 - pow(0.999, Double(step)))).squareRoot()
        values[i] -= 0.01 * first[i] / (1 - pow(0.9, Double(step))) / (corrected + 1e-8)
      }
    }
    #expect(zip(weight.values(Double.self), values).allSatisfy { abs($0 - $1) < 1e-6 })
    #expect(zip(values, start).contains { abs($0 - $1) > 0.02 })
  }

  @Test(arguments: [true, false]) func weightDecayShrinksWeightsButNoBiases(fuses: Bool) {
    let parameters = Parameters(seed: 1)
    let layer = Convolution(Scope(parameters), 1, 1, kernel: [1, 1])
    layer.weight.assign(Tensor([2.0 as Float], shape: [1, 1, 1, 1]))
    layer.bias.assign(Tensor([2.0 as Float], shape: [1]))
    let optimizer = Adam(parameters, learningRate: 0.1, weightDecay: 0.5, fuses: fuses)
    let loss = (layer(Tensor([0.0 as Float], shape: [1, 1, 1, 1])) * 0).sum() + (layer.weight * 0).sum()
    loss.backward()
    optimizer.step()
    #expect(abs(layer.weight.item - 2 * (1 - 0.1 * 0.5)) < 1e-6)
    #expect(layer.bias.item == 2)
  }

  /// Layer norm has one scale per pixel, [C, H, W].
  @Test func weightDecaySparesLayerNorm() {
    let parameters = Parameters(seed: 1)
    let scale = Scope(parameters).parameter("weight", Tensor(repeating: 2, shape: [1, 2, 2]))
    (scale * 0).sum().backward()
    Adam(parameters, learningRate: 0.1, weightDecay: 0.5).step()
    #expect(scale.values(Float.self) == [2, 2, 2, 2])
  }

  @Test func frozenParametersStay() {
    let parameters = Parameters(seed: 1)
    let layer = Convolution(Scope(parameters), 1, 1, kernel: [1, 1])
    let before = layer.weight.item
    layer.weight.requireGradient(false)
    let optimizer = Adam(parameters, learningRate: 0.1, weightDecay: 0.5)
    layer(Tensor([1.0 as Float], shape: [1, 1, 1, 1])).sum().backward()
    optimizer.step()
    #expect(layer.weight.item == before)
    #expect(layer.bias.gradient != nil)
  }
}
