import Testing

@testable import Torch

/// Convolutions of few pixels and many channels, which are products of matrices in single precision.
@Suite struct ColumnTests: ComparesOperations {
  let generator = Generator(seed: 7)

  @Test(arguments: [([3, 4], [3, 3]), ([2, 3, 4], [3, 3, 3]), ([2, 3, 4], [1, 3, 3]), ([1, 1, 2], [3, 3, 3])])
  func convolutionAndItsGradients(size: [Int], kernel: [Int]) {
    let (a, b) = (random([2, 96] + size), random([2, 160] + size))
    let (weight, bias) = (random([256, 256] + kernel, -0.1, 0.1), random([256]))
    let weights = random([2, 256] + size)
    let doubles = [a, b, weight, bias]
    let truth = run(doubles, weights: weights) {
      Convolution(weight: weight, bias: bias)(.concatenate([a, b], dimension: 1))
    }
    let floats = doubles.map { $0.detached().converted(to: .float32) }
    let own = run(floats, weights: weights.converted(to: .float32)) {
      Convolution(weight: floats[2], bias: floats[3]).fused(floats[0], floats[1])
    }
    #expect(own[0].type == .float32)
    for (a, b) in zip(own, truth) { #expect(largest(a, b) < 1e-5 * (1 + b.values(Double.self).map(abs).max()!)) }
  }
}
