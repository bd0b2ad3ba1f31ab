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
