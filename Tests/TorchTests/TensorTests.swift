import Testing

@testable import Torch

@Suite struct TensorTests {
  @Test func valuesComeBackInRowMajorOrderWhateverTheLayout() {
    let values = (0..<24).map(Float.init)
    let tensor = Tensor(values, shape: [1, 2, 3, 4])
    #expect(tensor.values() == values)
    #expect(tensor.channelsLast().values() == values)
    #expect(tensor.permuted(0, 2, 3, 1).shape == [1, 3, 4, 2])
    #expect(tensor.permuted(0, 2, 3, 1).values(Float.self).prefix(4) == [0, 12, 1, 13])
  }

  @Test func everyTypeTravelsThroughAFile() {
    for type in ScalarType.allCases {
      let tensor = Tensor(repeating: 1, shape: [2, 3], type: type)
      #expect(tensor.type == type)
      #expect(tensor.stored.data.count == 6 * type.byteCount)
      #expect(Tensor(tensor.stored).values(Float.self) == Array(repeating: 1, count: 6))
    }
    #expect(Tensor([Float](), shape: [0, 3]).stored.data.isEmpty)
    #expect(Tensor([7], shape: []).item == 7)
  }

  @Test func partsAndProductsOfMatrices() {
    let x = Tensor((0..<12).map(Float.init), shape: [2, 2, 3])
    #expect(x.narrowed(2, to: 1..<3).values(Float.self) == [1, 2, 4, 5, 7, 8, 10, 11])
    let product = x.matrixProduct(Tensor([Float(1), 0, 2], shape: [3, 1]))
    #expect(product.shape == [2, 2, 1] && product.values(Float.self) == [4, 13, 22, 31])
    #expect((2 / Tensor([Double(4), 8], shape: [2])).values(Double.self) == [0.5, 0.25])
  }

  @Test func gradientsAddUpUntilTheyAreCleared() {
    let x = Tensor([Float(3)], shape: [1])
    x.requireGradient()
    (x * x).sum().backward()
    (x * x).sum().backward()
    #expect(x.gradient?.item == 12)
    x.clearGradient()
    #expect(x.gradient == nil)
    withoutGradients { #expect((x * x).item == 9) }
  }

  @Test func resizingAlignsCorners() {
    let x = Tensor([Float(0), 2], shape: [1, 1, 1, 2])
    func size(_ sizes: Int...) -> Tensor { Tensor(repeating: 0, shape: [1, 1] + sizes) }
    #expect(x.resizedLinearly(like: size(1, 3)).values(Float.self) == [0, 1, 2])
    #expect(x.resizedNearest(like: size(1, 4)).values(Float.self) == [0, 0, 2, 2])
  }

  @Test func aGeneratorGivesPyTorchsNumbers() {
    // torch.manual_seed(7); torch.empty(4).uniform_(-1, 1)
    let x = Tensor(repeating: 0, shape: [4])
    x.fillUniform(-1, 1, Generator(seed: 7))
    #expect(x.values(Float.self) == [0.069845080, -0.60239363, 0.31842339, 0.31378055])
  }
}
