import Testing

@testable import Torch

/// Tests that compare operations with another implementation, on random tensors.
protocol ComparesOperations {
  var generator: Generator { get }
}

extension ComparesOperations {
  func random(_ shape: [Int], _ low: Double = -1, _ high: Double = 1, type: ScalarType = .float64) -> Tensor {
    let tensor = Tensor(repeating: 0, shape: shape, type: type)
    tensor.fillUniform(low, high, generator)
    return shape.count >= 4 ? tensor.channelsLast() : tensor
  }

  func largest(_ a: Tensor, _ b: Tensor) -> Double {
    #expect(a.shape == b.shape)
    return zip(a.values(Double.self), b.values(Double.self)).map { abs($0 - $1) }.max() ?? 0
  }

  func norm(_ channels: Int, affine: Bool, type: ScalarType = .float64) -> BatchNorm {
    BatchNorm(
      weight: affine ? random([channels], 0.5, 2, type: type) : nil,
      bias: affine ? random([channels], type: type) : nil,
      runningMean: Tensor(repeating: 0.1, shape: [channels], type: type),
      runningVariance: Tensor(repeating: 2, shape: [channels], type: type))
  }

  /// Computes the result, and the gradients of Σ result · weights for each tensor.
  func run(_ tensors: [Tensor], weights: Tensor, _ body: () -> Tensor) -> [Tensor] {
    for tensor in tensors {
      tensor.clearGradient()
      tensor.requireGradient()
    }
    let result = body()
    (result * weights).sum().backward()
    return [result.detached()] + tensors.map { $0.gradient! }
  }
}
