import Testing

@testable import Torch

/// Fused norms whose statistics are of some rows or of groups of channels, against separate operations.
@Suite struct FusedSetsTests: ComparesOperations {
  let generator = Generator(seed: 7)

  enum Kind: CaseIterable {
    case instance, group, layer, domain
  }

  /// A norm both ways, with its parameters.
  private struct Subject {
    let parameters: [Tensor]
    let plain: (Tensor, Mode) -> Tensor
    let fused: (Tensor, Convolution, Tensor?, Mode) -> Tensor?
    var branches: [BatchNorm] = []
  }

  private func subject(_ kind: Kind, channels: Int, size: [Int], type: ScalarType) -> Subject {
    switch kind {
    case .instance:
      let norm = InstanceNorm()
      return Subject(
        parameters: [], plain: { x, _ in norm(x) }, fused: { x, c, r, _ in norm.fused(x, into: c, adding: r) })
    case .group:
      let norm = GroupNorm(
        weight: random([channels], 0.5, 2, type: type), bias: random([channels], type: type), groups: channels / 4)
      return Subject(
        parameters: [norm.weight, norm.bias], plain: { x, _ in norm(x) },
        fused: { x, c, r, _ in norm.fused(x, into: c, adding: r) })
    case .layer:
      let shape = [channels] + size
      let norm = LayerNorm(
        weight: random([1] + shape, 0.5, 2, type: type).reshaped(shape),
        bias: random([1] + shape, type: type).reshaped(shape))
      return Subject(
        parameters: [norm.weight, norm.bias], plain: { x, _ in norm(x) },
        fused: { x, c, r, _ in norm.fused(x, into: c, adding: r) })
    case .domain:
      // One row, then two.
      let branches = [norm(channels, affine: true, type: type), norm(channels, affine: true, type: type)]
      return Subject(
        parameters: branches.flatMap { [$0.weight!, $0.bias!] },
        plain: { x, mode in
          let runs = [branches[0](x.narrowed(0, to: 0..<1), mode), branches[1](x.narrowed(0, to: 1..<3), mode)]
          return .concatenate(runs, dimension: 0)
        },
        fused: { x, c, r, mode in
          BatchNorm.fused(x, runs: [(branches[0], 1), (branches[1], 2)], into: c, adding: r, mode)
        }, branches: branches)
    }
  }

  /// Compares results and gradients by images, residual, convolution and norm.
  private func expectAgreement(
    _ kind: Kind, channels: Int, size: [Int], kernel: [Int], type: ScalarType, within tolerance: Double,
    _ mode: Mode = .training
  ) throws {
    let x = random([3, channels] + size, -1, 3, type: type)
    let (residual, weights) = (random([3, 16] + size, type: type), random([3, 16] + size, type: type))
    let convolution = Convolution(
      weight: random([16, channels] + kernel, type: type), bias: random([16], type: type))
    let subject = subject(kind, channels: channels, size: size, type: type)
    let tensors = [x, residual, convolution.weight, convolution.bias] + subject.parameters
    let statistics = subject.branches.flatMap { [$0.runningMean, $0.runningVariance] }
    let before = statistics.map { $0.copy() }
    let fused = run(tensors, weights: weights) { subject.fused(x, convolution, residual, mode)! }
    let after = statistics.map { $0.copy() }
    for (tensor, value) in zip(statistics, before) { tensor.assign(value) }
    let plain = run(tensors, weights: weights) { residual + convolution(subject.plain(x, mode).relu()) }
    for (index, (a, b)) in zip(fused, plain).enumerated() {
      let scale = max(1, b.values(Double.self).map(abs).max()!)
      #expect(largest(a, b) < tolerance * scale, "\(kind), tensor \(index)")
    }
    for (a, b) in zip(after, statistics) { #expect(largest(a, b) < tolerance) }
  }

  @Test(arguments: Kind.allCases, [8, 20]) func slices(kind: Kind, channels: Int) throws {
    try expectAgreement(kind, channels: channels, size: [7, 9], kernel: [3, 3], type: .float64, within: 1e-11)
  }

  /// Images of more pixels than a task takes, and Winograd's loops, which normalize what they read.
  @Test(arguments: Kind.allCases) func manyPixels(kind: Kind) throws {
    try expectAgreement(kind, channels: 32, size: [53, 50], kernel: [3, 3], type: .float32, within: 2e-4)
    try expectAgreement(kind, channels: 32, size: [53, 50], kernel: [3, 3], type: .float64, within: 1e-11)
  }

  @Test(arguments: Kind.allCases, [[3, 3, 3], [1, 3, 3]]) func volumes(kind: Kind, kernel: [Int]) throws {
    try expectAgreement(kind, channels: 8, size: [3, 5, 4], kernel: kernel, type: .float64, within: 1e-11)
  }

  @Test func runningStatisticsOfTwoRuns() throws {
    try expectAgreement(
      .domain, channels: 8, size: [7, 9], kernel: [3, 3], type: .float64, within: 1e-11, .evaluation)
  }

  @Test func measuredStatisticsOfTwoRunsAreNoted() {
    let x = random([3, 16, 4, 5], type: .float32)
    let subject = subject(.domain, channels: 16, size: [4, 5], type: .float32)
    let convolution = Convolution(weight: random([16, 16, 3, 3], type: .float32), bias: random([16], type: .float32))
    let measured = [BatchStatistics(), BatchStatistics()]
    _ = subject.fused(x, convolution, nil, .measurement(measured[0]))
    _ = subject.plain(x, .measurement(measured[1]))
    for branch in subject.branches {
      let values = measured.map { $0.applied { [branch.runningMean, branch.runningVariance].map { $0.copy() } } }
      for (a, b) in zip(values[0], values[1]) { #expect(largest(a, b) < 1e-5) }
      #expect(branch.runningMean.values(Float.self) == [Float](repeating: 0.1, count: 16))
      #expect(branch.batchesTracked.item == 0)
    }
  }

  @Test func trainingCountsTheBatchesOfEachRun() {
    let subject = subject(.domain, channels: 16, size: [4, 5], type: .float32)
    let convolution = Convolution(weight: random([16, 16, 3, 3], type: .float32), bias: random([16], type: .float32))
    for _ in 0..<2 { _ = subject.fused(random([3, 16, 4, 5], type: .float32), convolution, nil, .training) }
    #expect(subject.branches.map { $0.batchesTracked.item } == [2, 2])
  }

  /// A map for pixels that are normalized already.
  @Test(arguments: [[7, 9], [3, 5, 4]]) func scaledByAMap(size: [Int]) {
    let (x, map) = (random([2, 8] + size, -1, 3), random([2, 16] + size))
    let kernel = size.map { _ in 3 }
    let convolution = Convolution(weight: random([4, 8] + kernel), bias: random([4]))
    let weights = random([2, 4] + size)
    let fused = run([x, map], weights: weights) {
      norm(8, affine: false).fused(normalized: x, map: map, into: convolution)
    }
    let plain = run([x, map], weights: weights) {
      convolution((x * (1 + map.narrowed(1, to: 0..<8)) + map.narrowed(1, to: 8..<16)).relu())
    }
    for (a, b) in zip(fused, plain) { #expect(largest(a, b) < 1e-11) }
  }

  /// GPU kernels normalize whole batches only, so these norms then run one operation after the other.
  @Test func aGPUHasNoSuchOperation() {
    let x = random([2, 8, 4, 4], type: .float32)
    let convolution = Convolution(weight: random([4, 8, 3, 3], type: .float32), bias: random([4], type: .float32))
    withEmulatedGPU {
      #expect(InstanceNorm().fused(x, into: convolution) == nil)
      let branch = norm(8, affine: true, type: .float32)
      #expect(BatchNorm.fused(x, runs: [(branch, 1), (branch, 1)], into: convolution, .training) == nil)
    }
  }
}
