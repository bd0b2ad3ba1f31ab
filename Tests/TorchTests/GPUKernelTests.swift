import Testing

@testable import Torch

/// The GPU kernels and their launches, run on the CPU and compared with separate operations.
@Suite struct GPUKernelTests: ComparesOperations {
  let generator = Generator(seed: 4)

  /// Channel counts for wide reads, for single reads, for partly filled blocks, and for more than one block.
  @Test(arguments: [16, 8, 5, 40, 3, 1032], [(false, true), (true, true), (false, false), (true, false)])
  func normReLUConvolution(channels: Int, how: (withMap: Bool, training: Bool)) {
    let (withMap, mode) = (how.withMap, how.training ? Mode.training : .evaluation)
    for (type, tolerance) in [(ScalarType.float64, 1e-11), (.float32, 2e-3)] where channels < 1000 || type == .float32 {
      let size = channels < 1000 ? [7, 9] : [2, 3]
      let x = random([3, channels] + size, -1, 3, type: type)
      let map = withMap ? random([3, 2 * channels] + size, type: type) : nil
      let residual = random([3, 4] + size, type: type)
      let (mine, same) = (norm(channels, affine: !withMap, type: type), norm(channels, affine: !withMap, type: type))
      if let weight = mine.weight { same.weight!.assign(weight) }
      if let bias = mine.bias { same.bias!.assign(bias) }
      let convolution = Convolution(
        weight: random([4, channels, 3, 3], type: type), bias: random([4], type: type))
      let weights = random([3, 4] + size, type: type)
      func tensors(_ norm: BatchNorm) -> [Tensor] {
        [x, residual, convolution.weight, convolution.bias] + [map, norm.weight, norm.bias].compactMap { $0 }
      }
      let kernels = withEmulatedGPU {
        run(tensors(mine), weights: weights) {
          mine.fused(x, map: map, into: convolution, adding: residual, mode)
        }
      }
      let plain = run(tensors(same), weights: weights) {
        let y = same(x, mode)
        let scaled = map.map {
          y * (1 + $0.narrowed(1, to: 0..<channels)) + $0.narrowed(1, to: channels..<2 * channels)
        }
        return residual + convolution((scaled ?? y).relu())
      }
      for (index, (a, b)) in zip(kernels, plain).enumerated() { #expect(largest(a, b) < tolerance, "\(type) \(index)") }
      #expect(largest(mine.runningMean, same.runningMean) < tolerance)
      #expect(largest(mine.runningVariance, same.runningVariance) < tolerance)
    }
  }

  /// Values far from 0 with a small spread, which squares of the values would lose.
  @Test func statisticsOfDistantValues() {
    let x = (random([2, 8, 16, 16], type: .float32) * 0.01 + 1000).channelsLast()
    let norm = norm(8, affine: false, type: .float32)
    let identity = Convolution(
      weight: Tensor((0..<64).map { Float($0 % 9 == 0 ? 1 : 0) }, shape: [8, 8, 1, 1]),
      bias: Tensor(repeating: 0, shape: [8]))
    norm.runningVariance.assign(Tensor(repeating: 0, shape: [8]))
    _ = withEmulatedGPU { norm.fused(x, into: identity, .training) }
    // A tenth of the variance of ±0.01: 1e-4 / 3 / 10.
    for variance in norm.runningVariance.values(Double.self) { #expect(abs(variance / 3.33e-6 - 1) < 0.2) }
  }

  @Test func bfloat16RoundsOnce() {
    let x = random([2, 32, 16, 16], -1, 3, type: .float32).converted(to: .bfloat16)
    let map = random([2, 64, 16, 16], type: .float32).converted(to: .bfloat16)
    let norm = norm(32, affine: false, type: .float32)
    let identity = Tensor((0..<1024).map { Float($0 % 33 == 0 ? 1 : 0) }, shape: [32, 32, 1, 1])
    let convolution = Convolution(weight: identity, bias: Tensor(repeating: 0, shape: [32]))
    let weights = random([2, 32, 16, 16], type: .float32).converted(to: .bfloat16)
    let kernels = withEmulatedGPU {
      run([x, map], weights: weights) { norm.fused(x, map: map, into: convolution, .training) }
    }
    let loops = run([x, map], weights: weights) { norm.fused(x, map: map, into: convolution, .training) }
    // Sums in another order may round to a neighbouring value, 1/256 away.
    for (a, b) in zip(kernels, loops) {
      let size = b.values(Double.self).map(abs).max()!
      #expect(largest(a, b) <= size / 128)
      #expect(a.type == b.type)
    }
  }

  @Test(arguments: [[8, 10], [7, 9], [3, 2]], [16, 3]) func halving(_ size: [Int], channels: Int) {
    let values = (0..<2 * channels * size[0] * size[1]).map { Double($0 * 7 % 5) }
    let x = Tensor(values, shape: [2, channels] + size).channelsLast()
    let weights = random([2, channels, size[0] / 2, size[1] / 2])
    let kernels = withEmulatedGPU { run([x], weights: weights) { x.halvedByMaximum() } }
    let plain = run([x], weights: weights) { x.maxPooled([2, 2]) }
    for (a, b) in zip(kernels, plain) { #expect(largest(a, b) == 0) }
  }

  @Test func joinedConvolution() {
    let (a, b) = (random([2, 5, 6, 7]), random([2, 3, 6, 7]))
    let convolution = Convolution(weight: random([4, 8, 3, 3]), bias: random([4]))
    let weights = random([2, 4, 6, 7])
    let all = [a, b, convolution.weight, convolution.bias]
    let kernels = withEmulatedGPU { run(all, weights: weights) { convolution.fused(a, b) } }
    let plain = run(all, weights: weights) { convolution(.concatenate([a, b], dimension: 1)) }
    for (a, b) in zip(kernels, plain) { #expect(largest(a, b) < 1e-12) }
  }

  /// Includes probabilities of 0 and 1, and an image without the last class.
  @Test(arguments: [2, 4], [ScalarType.float64, .float32]) func classSums(classes: Int, type: ScalarType) {
    let logits = (random([3, classes, 11, 13], -9, 9, type: type) * 3).channelsLast()
    let labels = Tensor((0..<3 * 143).map { $0 < 143 ? 0 : $0 % classes }, shape: [3, 11, 13])
    let weights = random([3, classes, 8], type: type)
    let kernels = withEmulatedGPU {
      run([logits], weights: weights) { logits.classSums(labels, leastProbability: 0.005) }
    }
    let loops = run([logits], weights: weights) { logits.classSums(labels, leastProbability: 0.005) }
    for (a, b) in zip(kernels, loops) {
      let size = b.values(Double.self).map(abs).max()!
      #expect(largest(a, b) < (type == .float64 ? 1e-13 : 1e-6) * size)
    }
  }

  /// More tensors than fit in one launch; one has no gradient, and one has another layout than its gradient.
  @Test func adamOfAllAtOnce() {
    func make(together: Bool) -> (Parameters, Adam) {
      let parameters = Parameters(seed: 1)
      let scope = Scope(parameters)
      for index in 0..<90 {
        let shape = index % 3 == 0 ? [index % 7 + 1, 3, 3, 3] : [index + 1]
        let tensor = Tensor(repeating: 0, shape: shape)
        tensor.fillUniform(-1, 1, Generator(seed: UInt64(index)))
        _ = scope.parameter("p\(index)", shape.count == 4 ? tensor.channelsLast() : tensor)
      }
      return (parameters, Adam(parameters, learningRate: 0.1, weightDecay: 0.1, fuses: true, together: together))
    }
    let (one, own) = make(together: false)
    let (all, together) = make(together: true)
    for step in 1...3 {
      for (parameters, optimizer) in [(one, own), (all, together)] {
        optimizer.clearGradients()
        optimizer.learningRate = 0.1 / Double(step)
        var sum = Tensor(repeating: 0, shape: [])
        for (index, entry) in parameters.trainable.enumerated() where index != 5 || step == 2 {
          sum = sum + (entry.tensor * entry.tensor * Double(index + 1) * 0.01).sum()
        }
        sum.backward()
        withEmulatedGPU { optimizer.step(clippingTo: step == 3 ? 0.05 : .infinity) }
      }
    }
    #expect(together.steps == own.steps)
    #expect(own.steps[5] == 1 && own.steps[6] == 3)
    for (a, b) in zip(one.entries, all.entries) { #expect(largest(a.tensor, b.tensor) < 1e-6, "\(a.name)") }
    let saved = together.stateDictionary
    #expect(saved.map(\.name) == own.stateDictionary.map(\.name))
    let (_, fresh) = make(together: true)
    #expect(throws: Never.self) { try fresh.load(saved, file: "state") }
    #expect(fresh.steps == own.steps)
  }
}
