import Testing

@testable import Torch

/// Winograd convolutions, in single precision and bfloat16, compared with direct ones in double precision.
///
/// Images are large enough for Winograd, and not a multiple of its tiles.
@Suite struct WinogradTests {
  enum Form: CaseIterable {
    case slices
    /// Volumes of more slices than a block, of two, and with kernels of one slice.
    case volumes, thinVolumes, volumesInPlane

    var size: [Int] {
      switch self {
      case .slices: [33, 42]
      case .volumes: [18, 15, 16]
      case .thinVolumes: [2, 31, 32]
      case .volumesInPlane: [3, 31, 32]
      }
    }

    var kernel: [Int] {
      switch self {
      case .slices: [3, 3]
      case .volumes, .thinVolumes: [3, 3, 3]
      case .volumesInPlane: [1, 3, 3]
      }
    }
  }

  private let generator = Generator(seed: 6)

  private func random(_ shape: [Int], _ low: Double = -1, _ high: Double = 1) -> Tensor {
    let tensor = Tensor(repeating: 0, shape: shape, type: .float32)
    tensor.fillUniform(low, high, generator)
    return shape.count >= 4 ? tensor.channelsLast() : tensor
  }

  private func images(_ form: Form, _ channels: Int, _ low: Double = -1, _ high: Double = 1) -> Tensor {
    random([2, channels] + form.size, low, high)
  }

  /// The largest difference, relative to the root mean square of `truth`.
  private func error(_ tensor: Tensor, _ truth: Tensor) -> Double {
    #expect(tensor.shape == truth.shape)
    let values = truth.values(Double.self)
    let scale = (values.map { $0 * $0 }.reduce(0, +) / Double(values.count)).squareRoot()
    return zip(tensor.values(Double.self), values).map { abs($0 - $1) }.max()! / scale
  }

  /// The root mean square of the difference, relative to that of `truth`.
  private func rootMeanSquareError(_ tensor: Tensor, _ truth: Tensor) -> Double {
    func squares(_ values: [Double]) -> Double { values.map { $0 * $0 }.reduce(0, +) }
    let values = truth.values(Double.self)
    return (squares(zip(tensor.values(Double.self), values).map { $0 - $1 }) / squares(values)).squareRoot()
  }

  /// Computes the result, and the gradients of Σ result · weights for the tensors, all of `type`.
  private func run(
    _ tensors: [Tensor], weights: Tensor, as type: ScalarType, _ body: ([Tensor]) -> Tensor
  ) -> [Tensor] {
    let tensors = tensors.map { $0.detached().converted(to: type) }
    for tensor in tensors { tensor.requireGradient() }
    let result = body(tensors)
    (result * weights.converted(to: result.type)).sum().backward()
    return [result.detached()] + tensors.map { $0.gradient! }
  }

  private func convolution(_ weight: Tensor, _ bias: Tensor) -> Convolution {
    Convolution(weight: weight, bias: bias)
  }

  /// Channel counts of one vector, several vectors, narrower vectors, and partly filled blocks.
  @Test(arguments: Form.allCases, [(16, 32), (32, 16), (24, 8), (48, 80), (64, 64)])
  func convolutionAndItsGradients(form: Form, channels: (Int, Int)) {
    let (inputs, outputs) = channels
    let tensors = [images(form, inputs), random([outputs, inputs] + form.kernel), random([outputs])]
    let weights = images(form, outputs)
    let own = run(tensors, weights: weights, as: .float32) { convolution($0[1], $0[2]).fused($0[0]) }
    let truth = run(tensors, weights: weights, as: .float64) { convolution($0[1], $0[2])($0[0]) }
    for (a, b) in zip(own, truth) { #expect(error(a, b) < 3e-5) }
  }

  /// In the last two, only both inputs together fill vectors; the last does not even fill narrow ones.
  @Test(arguments: [Form.slices, .volumes], [(32, 16), (24, 24), (20, 28)])
  func joinedChannels(form: Form, channels: (Int, Int)) {
    let tensors = [
      images(form, channels.0), images(form, channels.1), random([32, 48] + form.kernel), random([32]),
    ]
    let weights = images(form, 32)
    let own = run(tensors, weights: weights, as: .float32) { convolution($0[2], $0[3]).fused($0[0], $0[1]) }
    let truth = run(tensors, weights: weights, as: .float64) {
      convolution($0[2], $0[3])(.concatenate([$0[0], $0[1]], dimension: 1))
    }
    for (a, b) in zip(own, truth) { #expect(error(a, b) < 3e-5) }
  }

  /// Norm and ReLU are applied while reading pixels; beyond the edge the value is 0, not ReLU(norm(0)).
  @Test(arguments: Form.allCases, [false, true]) func normReLUAndResidual(form: Form, withMap: Bool) {
    let channels = 32
    let norms = withMap ? [images(form, 2 * channels)] : [random([channels], 0.5, 2), random([channels])]
    let tensors =
      [images(form, channels, -1, 3), random([16, channels] + form.kernel), random([16]), images(form, 16)] + norms
    let weights = images(form, 16)
    func norm(_ t: [Tensor]) -> BatchNorm {
      BatchNorm(
        weight: withMap ? nil : t[4], bias: withMap ? nil : t[5],
        runningMean: Tensor(repeating: 0, shape: [channels], type: t[0].type),
        runningVariance: Tensor(repeating: 1, shape: [channels], type: t[0].type))
    }
    let own = run(tensors, weights: weights, as: .float32) {
      norm($0).fused(
        $0[0], map: withMap ? $0[4] : nil, into: convolution($0[1], $0[2]), adding: $0[3], .training)
    }
    let truth = run(tensors, weights: weights, as: .float64) {
      var y = norm($0)($0[0], .training)
      if withMap {
        y = y * (1 + $0[4].narrowed(1, to: 0..<channels)) + $0[4].narrowed(1, to: channels..<2 * channels)
      }
      return $0[3] + convolution($0[1], $0[2])(y.relu())
    }
    for (a, b) in zip(own, truth) { #expect(error(a, b) < 5e-5) }
  }

  /// With a gradient, only stored values are rounded to 8 bits.
  @Test(arguments: [Form.slices, .volumes]) func bfloat16(form: Form) {
    let (inputs, outputs) = (32, 64)
    func rounded(_ tensor: Tensor) -> Tensor { tensor.converted(to: .bfloat16).converted(to: .float32) }
    let x = rounded(images(form, inputs)).converted(to: .bfloat16)
    let tensors = [random([outputs, inputs] + form.kernel), random([outputs])]
    let weights = rounded(images(form, outputs))
    let own = run(tensors, weights: weights, as: .float32) { convolution($0[0], $0[1]).fused(x) }
    let truth = run(tensors, weights: weights, as: .float64) {
      convolution($0[0], $0[1])(x.converted(to: .float64))
    }
    #expect(own[0].type == .bfloat16)
    #expect(error(own[0], truth[0]) < 0.02)
    for (a, b) in zip(own, truth).dropFirst() { #expect(error(a, b) < 3e-5) }
  }

  /// Without a gradient, factors are rounded to 8 bits too, on processors that multiply pairs of them.
  @Test(arguments: [Form.slices, .volumes], [(16, 32), (48, 80), (24, 8)])
  func bfloat16WithoutGradients(form: Form, channels: (Int, Int)) {
    let (inputs, outputs) = channels
    func rounded(_ tensor: Tensor) -> Tensor { tensor.converted(to: .bfloat16).converted(to: .float64) }
    let (x, x2) = (rounded(images(form, inputs)), rounded(images(form, 16)))
    let tensors = [random([outputs, inputs + 16] + form.kernel), random([outputs])].map { $0.converted(to: .float64) }
    let truth = convolution(tensors[0], tensors[1])(.concatenate([x, x2], dimension: 1))
    let floats = tensors.map { $0.converted(to: .float32) }
    let own = withoutGradients {
      convolution(floats[0], floats[1]).fused(x.converted(to: .bfloat16), x2.converted(to: .bfloat16))
    }
    #expect(own.type == .bfloat16)
    #expect(error(own, truth) < 0.12)
    #expect(rootMeanSquareError(own, truth) < 0.02)
  }

  @Test(arguments: [Form.slices, .volumes]) func resultsDoNotDependOnTheThreads(form: Form) {
    let tensors = [images(form, 32), random([64, 32] + form.kernel), random([64])]
    let weights = images(form, 64)
    let results = [1, 2].map { threads in
      LibTorch.configure(threads: threads)
      return run(tensors, weights: weights, as: .float32) { convolution($0[1], $0[2]).fused($0[0]) }
        .map { $0.values(Float.self) }
    }
    #expect(results[0] == results[1])
  }
}
