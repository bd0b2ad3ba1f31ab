import Testing

@testable import Torch

/// Fused operations against separate ones, in double precision unless stated otherwise.
@Suite struct FusedTests: ComparesOperations {
  let generator = Generator(seed: 3)

  /// Channel counts: a full vector's, a narrower one's, and others.
  @Test(arguments: [16, 8, 5, 40], [false, true])
  func normReLUConvolution(channels: Int, withMap: Bool) {
    expectNormReLUConvolution(channels, withMap: withMap, size: [7, 9], kernel: [3, 3])
  }

  /// Compares with central differences, independent of autograd.
  @Test func gradientByTheImages() {
    let shape = [2, 3, 4, 4]
    let x = random(shape)
    let map = random([2, 6, 4, 4])
    let norm = norm(3, affine: false)
    let convolution = Convolution(weight: random([2, 3, 3, 3]), bias: random([2]))
    let weights = random([2, 2, 4, 4])
    let found = run([x, map], weights: weights) { norm.fused(x, map: map, into: convolution, .training) }
    func expectGradient(_ gradient: Tensor, of tensor: Tensor, _ body: (Tensor) -> Tensor) {
      let values = tensor.detached().values(Double.self)
      let step = 1e-6
      let numeric = withoutGradients {
        values.indices.map { index in
          let sides = [step, -step].map { change in
            var moved = values
            moved[index] += change
            return (body(Tensor(moved, shape: tensor.shape).channelsLast()) * weights).sum().item
          }
          return (sides[0] - sides[1]) / (2 * step)
        }
      }
      #expect(largest(gradient, Tensor(numeric, shape: tensor.shape)) < 1e-7)
      #expect(numeric.map(abs).max()! > 0.1)
    }
    expectGradient(found[1], of: x) { norm.fused($0, map: map, into: convolution, .training) }
    expectGradient(found[2], of: map) { norm.fused(x, map: $0, into: convolution, .training) }
  }

  @Test(arguments: [false, true]) func normReLUDoubling(training: Bool) {
    let x = random([2, 16, 5, 6])
    let (mine, same) = (norm(16, affine: true), norm(16, affine: true))
    same.weight!.assign(mine.weight!)
    same.bias!.assign(mine.bias!)
    let doubling = TransposedConvolution(weight: random([16, 3, 3, 3]), bias: random([3]))
    let weights = random([2, 3, 10, 12])
    let mode: Mode = training ? .training : .evaluation
    let fused = run([x, doubling.weight, doubling.bias, mine.weight!], weights: weights) {
      mine.fused(x, into: doubling, mode)
    }
    let plain = run([x, doubling.weight, doubling.bias, same.weight!], weights: weights) {
      doubling(same(x, mode).relu())
    }
    for (a, b) in zip(fused, plain) { #expect(largest(a, b) < 1e-11) }
  }

  /// bfloat16 rounds to 8 bits: once in the fused operation, four times in the separate steps.
  @Test func bfloat16IsCloserToTheTruthThanOneByOne() {
    let x = random([2, 32, 16, 16], -1, 3, type: .float32).converted(to: .bfloat16)
    let norm = norm(32, affine: true, type: .float32)
    let identity = Tensor((0..<1024).map { Float($0 % 33 == 0 ? 1 : 0) }, shape: [32, 32, 1, 1])
    let convolution = Convolution(weight: identity, bias: Tensor(repeating: 0, shape: [32]))
    let truth = norm(x.converted(to: .float32), .training).relu()
    let fused = norm.fused(x, into: convolution, .training)
    #expect(fused.type == .bfloat16)
    let oneByOne = withPrecision(.bfloat16) { convolution(norm(x, .training).relu()) }
    #expect(largest(fused, truth) <= largest(oneByOne, truth))
    #expect(largest(fused, truth) < 0.02)
  }

  @Test func resultsDoNotDependOnTheThreads() {
    let x = random([4, 32, 64, 64], type: .float32)
    let convolution = Convolution(
      weight: random([8, 32, 3, 3], type: .float32), bias: random([8], type: .float32))
    let norm = norm(32, affine: true, type: .float32)
    let statistics = [1, 2].map { threads in
      LibTorch.configure(threads: threads)
      norm.runningMean.assign(Tensor(repeating: 0, shape: [32]))
      _ = norm.fused(x, into: convolution, .training)
      return norm.runningMean.values(Float.self)
    }
    #expect(statistics[0] == statistics[1])
  }

  @Test func measuredStatisticsAreNoted() {
    let x = random([2, 16, 4, 4], type: .float32)
    let norm = norm(16, affine: true, type: .float32)
    let convolution = Convolution(
      weight: random([2, 16, 3, 3], type: .float32), bias: random([2], type: .float32))
    let (fused, plain) = (BatchStatistics(), BatchStatistics())
    _ = norm.fused(x, into: convolution, .measurement(fused))
    _ = norm(x, .measurement(plain))
    let means = [fused, plain].map { $0.applied { norm.runningMean.values(Double.self) } }
    #expect(zip(means[0], means[1]).allSatisfy { abs($0 - $1) < 1e-6 })
    #expect(norm.runningMean.values(Float.self) == [Float](repeating: 0.1, count: 16))
  }

  /// An odd size loses its last row and column. Whole numbers give many squares without a unique maximum.
  @Test(arguments: [[8, 10], [7, 9], [3, 2]]) func halving(_ size: [Int]) {
    let values = (0..<2 * 16 * size[0] * size[1]).map { Double($0 * 7 % 5) }
    let x = Tensor(values, shape: [2, 16] + size).channelsLast()
    let weights = random([2, 16, size[0] / 2, size[1] / 2])
    let fused = run([x], weights: weights) { x.halvedByMaximum() }
    let plain = run([x], weights: weights) { x.maxPooled([2, 2]) }
    for (a, b) in zip(fused, plain) { #expect(largest(a, b) == 0) }
  }

  /// The first of equal values wins; nothing is larger than NaN, and NaN is not larger than NaN.
  @Test func largestChannel() {
    let x = Tensor([1, 3, 2, 0, 3, 3, 5, 2, .nan, 2, .nan, -1] as [Float], shape: [1, 3, 2, 2]).channelsLast()
    #expect(x.largestChannel().values(UInt8.self) == [1, 0, 1, 1])
    #expect(x.largestChannel().shape == [1, 2, 2])
    let many = random([3, 7, 33, 65])
    #expect(many.largestChannel().values(Int.self) == many.argmax(1).values(Int.self))
  }

  @Test func joinedConvolution() {
    let (a, b) = (random([2, 5, 6, 7]), random([2, 3, 6, 7]))
    let convolution = Convolution(weight: random([4, 8, 3, 3]), bias: random([4]))
    let weights = random([2, 4, 6, 7])
    let all = [a, b, convolution.weight, convolution.bias]
    let fused = run(all, weights: weights) { convolution.fused(a, b) }
    let plain = run(all, weights: weights) { convolution(.concatenate([a, b], dimension: 1)) }
    for (a, b) in zip(fused, plain) { #expect(largest(a, b) < 1e-12) }
  }

  /// In bfloat16 and at a size with its own loops, compared with the same sums in single precision.
  @Test func weightGradientOfTheDoubling() {
    LibTorch.configure(threads: 2)
    let size = 129  // odd, so that a pair extends beyond the row
    let x = random([1, 8, size, size], -1, 3, type: .float32).converted(to: .bfloat16)
    let weights = random([1, 32, 2 * size, 2 * size], type: .float32).converted(to: .bfloat16)
    let weight = random([8, 32, 3, 3], type: .float32)
    let bias = random([32], type: .float32)
    let norm = norm(8, affine: true, type: .float32)
    let own = run([weight, bias], weights: weights) {
      norm.fused(x, into: TransposedConvolution(weight: weight, bias: bias), .training)
    }
    // The convolution's input, rounded in the same place.
    let seen = norm(x.converted(to: .float32), .training).relu().converted(to: .bfloat16).converted(to: .float32)
    let truth = run([weight, bias], weights: weights.converted(to: .float32)) {
      TransposedConvolution(weight: weight, bias: bias)(seen)
    }
    let largestValue = truth[1].values(Double.self).map(abs).max()!
    // On processors without bfloat16 products, the library's own gradient is rounded to 8 bits.
    #expect(largest(own[1], truth[1]) < 4e-3 * largestValue)
    #expect(largest(own[2], truth[2]) < 1e-3 * largestValue)
  }

  @Test func tensorsAreFilledFromKeptMemory() {
    LibTorch.configure(threads: 1)
    // Blocks of more than a mebibyte are reused; their old contents must not show.
    for value in 1...20 {
      let tensor = Tensor(repeating: Double(value), shape: [1 << 18, value % 3 + 1])
      #expect(tensor.mean().item == Double(value))
    }
  }
}
