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

  /// Compares norm, ReLU and convolution as one operation with separate ones, in training, and their gradients.
  func expectNormReLUConvolution(_ channels: Int, withMap: Bool, size: [Int], kernel: [Int]) {
    let x = random([3, channels] + size, -1, 3)
    let map = withMap ? random([3, 2 * channels] + size) : nil
    let residual = random([3, 4] + size)
    let (mine, same) = (norm(channels, affine: !withMap), norm(channels, affine: !withMap))
    if let weight = mine.weight { same.weight!.assign(weight) }
    if let bias = mine.bias { same.bias!.assign(bias) }
    let convolution = Convolution(weight: random([4, channels] + kernel), bias: random([4]))
    let weights = random([3, 4] + size)
    func tensors(_ norm: BatchNorm) -> [Tensor] {
      [x, residual, convolution.weight, convolution.bias] + [map, norm.weight, norm.bias].compactMap { $0 }
    }
    let fused = run(tensors(mine), weights: weights) {
      mine.fused(x, map: map, into: convolution, adding: residual, .training)
    }
    let plain = run(tensors(same), weights: weights) {
      let y = same(x, .training)
      let scaled = map.map {
        y * (1 + $0.narrowed(1, to: 0..<channels)) + $0.narrowed(1, to: channels..<2 * channels)
      }
      return residual + convolution((scaled ?? y).relu())
    }
    for (a, b) in zip(fused, plain) { #expect(largest(a, b) < 1e-11) }
    #expect(largest(mine.runningMean, same.runningMean) < 1e-14)
    #expect(largest(mine.runningVariance, same.runningVariance) < 1e-14)
    #expect(mine.batchesTracked.item == 1)
  }
}
