import Foundation
import Testing

@testable import Torch

// The layer of docs/adding-a-norm.md, word for word; `thePageShowsThis` compares the two.

// layer {
/// Root mean square normalization (Zhang & Sennrich, NeurIPS 2019) of each image of [N, C, H, W], with a weight for each
/// channel: y = weight · x / √(mean(x²) + ε), the mean over C, H and W.
public struct RMSNorm {
  /// [1, C, 1, 1]
  public let weight: Tensor

  public init(_ scope: Scope, _ channels: Int) {
    weight = scope.parameter("weight", Tensor(repeating: 1, shape: [1, channels, 1, 1]))
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    let meanSquare = (x * x).sum([1, 2, 3]) / Double(x.count / x.size(0))
    return x / (meanSquare + 1e-5).squareRoot().reshaped(x.size(0), 1, 1, 1) * weight
  }
}
// } layer

// tests {
@Suite struct RMSNormTests {
  private let shape = [2, 3, 4, 5]

  @Test func isTheFormula() {
    let x = normal(shape, seed: 1) * 2 + 0.5
    let found = RMSNorm(Scope(Parameters(seed: 0)), 3)(x).values(Double.self)
    let values = x.values(Double.self)
    for image in 0..<2 {
      let pixels = values[image * 60..<(image + 1) * 60]
      let deviation = (pixels.reduce(0) { $0 + $1 * $1 } / 60 + 1e-5).squareRoot()
      for index in pixels.indices { #expect(abs(found[index] - values[index] / deviation) < 1e-6) }
    }
  }

  /// Against central differences: a norm that forgets a term of its gradient still seems to learn.
  @Test func gradient() throws {
    let norm = RMSNorm(Scope(Parameters(seed: 0)), 3)
    let (x, weights) = (normal(shape, seed: 2), normal(shape, seed: 3))
    func loss(_ x: Tensor) -> Tensor { (norm(x) * weights).sum() }
    x.requireGradient()
    loss(x).backward()
    let (values, step) = (x.values(Double.self), 1e-5)
    let numeric = withoutGradients {
      values.indices.map { index in
        let sides = [step, -step].map { change in
          var moved = values
          moved[index] += change
          return loss(Tensor(moved, shape: shape)).item
        }
        return (sides[0] - sides[1]) / (2 * step)
      }
    }
    let found = try #require(x.gradient)
    #expect(largestDifference(found, Tensor(numeric, shape: shape)) < 1e-8)
  }
}
// } tests

@Suite struct AddingANormTests {
  @Test(arguments: ["layer", "tests"]) func thePageShowsThis(part: String) throws {
    let here = URL(fileURLWithPath: #filePath)
    let source = try String(contentsOf: here, encoding: .utf8)
    let page = try String(
      contentsOf: here.deletingLastPathComponent().appendingPathComponent("../../../docs/adding-a-norm.md"),
      encoding: .utf8)
    let start = try #require(source.range(of: "// \(part) {\n"))
    let end = try #require(source.range(of: "// } \(part)\n"))
    #expect(page.contains("```swift\n" + source[start.upperBound..<end.lowerBound] + "```"))
  }
}
