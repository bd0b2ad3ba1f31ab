import Testing

@testable import Torch

/// Operations on volumes [N, C, D, H, W].
@Suite struct VolumeTests: ComparesOperations {
  let generator = Generator(seed: 4)

  @Test(arguments: [false, true], [[1, 3, 3], [3, 3, 3], [1, 1, 1]]) func normReLUConvolution(
    withMap: Bool, kernel: [Int]
  ) {
    expectNormReLUConvolution(8, withMap: withMap, size: [3, 5, 4], kernel: kernel)
  }

  @Test func resizingAlongThreeAxes() {
    let x = Tensor([0, 1, 2, 3] as [Double], shape: [1, 1, 2, 1, 2])
    func size(_ sizes: Int...) -> Tensor { Tensor(repeating: 0, shape: [1, 1] + sizes) }
    #expect(
      x.resizedLinearly(like: size(3, 1, 3)).values(Double.self) == [0, 0.5, 1, 1, 1.5, 2, 2, 2.5, 3])
    #expect(x.resizedNearest(like: size(4, 1, 2)).values(Double.self) == [0, 1, 0, 1, 2, 3, 2, 3])
  }

  @Test func theLargestChannelOfVolumes() {
    let x = random([2, 3, 2, 4, 5])
    let expected = x.argmax(1).values(Int.self)
    #expect(x.largestChannel().shape == [2, 2, 4, 5] && x.largestChannel().values(Int.self) == expected)
  }

  /// Weights of convolutions decay, whatever their rank, and norms' scales do not.
  @Test func weightsOfConvolutionsDecay() {
    let parameters = Parameters(seed: 1)
    let scope = Scope(parameters)
    _ = Convolution(scope / "conv", 2, 3, kernel: [3, 3, 3])
    _ = TransposedConvolution(scope / "up", 2, 3, strides: [1, 2, 2])
    _ = LayerNorm(scope / "norm", shape: [3, 2, 2, 2])
    let decaying = Adam(parameters, learningRate: 1e-3).moments.filter(\.isWeight).map(\.name)
    #expect(decaying == ["conv.weight", "up.weight"])
  }
}

/// Convolutions of bfloat16 of a few voxels, which oneDNN computes of memory that nobody wrote.
@Suite struct SmallConvolutionTests: ComparesOperations {
  let generator = Generator(seed: 11)

  /// Plain and fused, against float32 of the same numbers.
  @Test(arguments: [[1, 9, 8], [2, 16, 16], [2, 1, 1], [16, 2, 2]], [[3, 3, 3], [1, 3, 3], [3, 3, 1]])
  func thinVolumes(size: [Int], kernel: [Int]) {
    for (inputs, outputs) in [(8, 8), (1, 8), (32, 16)] {
      let x = rounded([2, inputs] + size)
      let (weight, bias) = (rounded([outputs, inputs] + kernel), rounded([outputs]))
      let weights = rounded([2, outputs] + size)
      func results(_ type: ScalarType, fused: Bool) -> [Tensor] {
        let (x, weight) = (x.converted(to: type).detached(), weight.converted(to: type).detached())
        let convolution = Convolution(weight: weight, bias: bias.converted(to: type))
        return run([x, weight], weights: weights.converted(to: type)) { fused ? convolution.fused(x) : convolution(x) }
      }
      let expected = results(.float32, fused: false).map { $0.values(Float.self) }
      for fused in [false, true] {
        for (found, expected) in zip(results(.bfloat16, fused: fused), expected) {
          let (found, scale) = (found.converted(to: .float32).values(Float.self), expected.map(abs).max()!)
          #expect(zip(found, expected).allSatisfy { abs($0 - $1) <= 0.02 * scale }, "\(inputs) to \(outputs)")
        }
      }
    }
  }

  /// Random numbers that bfloat16 holds.
  private func rounded(_ shape: [Int]) -> Tensor {
    random(shape, type: .float32).converted(to: .bfloat16).converted(to: .float32)
  }
}
