import Testing
import Torch

@testable import DualNorm

@Suite struct RegionNormalizationTests {
  private let shape = [2, 3, 4, 5]
  private var x: Tensor { normal(shape, seed: 1) * 2 + 0.5 }
  private var mask: Tensor { normal([2, 4, 4, 5], seed: 2).softmax(1) }

  /// Evaluates the written equation, one number at a time.
  private func plainLoop(_ x: Tensor, _ mask: Tensor) -> [Double] {
    let (n, c, k, p) = (x.size(0), x.size(1), mask.size(1), x.size(2) * x.size(3))
    let (xs, ms) = (x.values(Double.self), mask.values(Double.self))
    var result = [Double](repeating: 0, count: xs.count)
    for image in 0..<n {
      for channel in 0..<c {
        let values = xs[(image * c + channel) * p..<(image * c + channel + 1) * p].map { $0 }
        for region in 0..<k {
          let weights = ms[(image * k + region) * p..<(image * k + region + 1) * p].map { $0 }
          let total = weights.reduce(0, +) + 16
          let mean = zip(weights, values).reduce(0) { $0 + $1.0 * $1.1 } / total
          let squares = zip(weights, values).reduce(0) { $0 + $1.0 * ($1.1 - mean) * ($1.1 - mean) }
          let deviation = ((squares + 16) / total + 1e-5).squareRoot()
          for pixel in 0..<p {
            result[(image * c + channel) * p + pixel] += weights[pixel] * (values[pixel] - mean) / deviation
          }
        }
      }
    }
    return result
  }

  @Test func isTheEquation() {
    let expected = Tensor(plainLoop(x, mask), shape: shape)
    #expect(largestDifference(x.normalized(inRegionsOf: mask), expected) < 1e-12)
    let single = x.converted(to: .float32).channelsLast()
      .normalized(inRegionsOf: mask.converted(to: .float32).channelsLast())
    #expect(largestDifference(single, expected) < 1e-5)
    #expect(largestDifference(x, expected) > 0.1)
  }

  /// Compares with central differences, for each element of both arguments.
  @Test func gradients() {
    let weights = normal(shape, seed: 3)
    let (x, mask) = (self.x, self.mask)
    func loss(_ x: Tensor, _ mask: Tensor) -> Tensor { (x.normalized(inRegionsOf: mask) * weights).sum() }
    for tensor in [x, mask] { tensor.requireGradient() }
    loss(x, mask).backward()
    func expectGradient(_ tensor: Tensor, _ loss: (Tensor) -> Tensor) throws {
      let values = tensor.values(Double.self)
      let step = 1e-5
      let numeric = withoutGradients {
        values.indices.map { index in
          let sides = [step, -step].map { change in
            var moved = values
            moved[index] += change
            return loss(Tensor(moved, shape: tensor.shape)).item
          }
          return (sides[0] - sides[1]) / (2 * step)
        }
      }
      let found = try #require(tensor.gradient)
      #expect(largestDifference(found, Tensor(numeric, shape: tensor.shape)) < 1e-8)
      #expect(numeric.map(abs).max()! > 0.1)
    }
    #expect(throws: Never.self) {
      try expectGradient(x) { loss($0, mask) }
      try expectGradient(mask) { loss(x, $0) }
    }
  }

  /// n0 of the P pixels are pseudo-pixels, so the difference falls as 1 / P.
  @Test(arguments: [32, 128]) func oneRegionOfEverythingIsInstanceNormUpToThePseudoPixels(side: Int) {
    let x = normal([2, 3, side, side], seed: 4) * 1.5 + 0.3
    let everything = Tensor(repeating: 1, shape: [2, 1, side, side], type: .float64)
    let difference = largestDifference(x.normalized(inRegionsOf: everything), InstanceNorm()(x))
    #expect(difference > 0 && difference < 60 / Double(side * side))
  }

  @Test func absentAndTinyRegionsLeaveThingsAsTheyAre() {
    let count = 4 * 5
    // Region 0 is one pixel, region 2 empty, region 1 the rest.
    var values = [Double](repeating: 0, count: 3 * count)
    for pixel in 0..<count { values[pixel == 7 ? pixel : count + pixel] = 1 }
    let mask = Tensor(values, shape: [1, 3, 4, 5])
    let x = normal([1, 3, 4, 5], seed: 5)
    let found = x.normalized(inRegionsOf: mask).values(Double.self)
    let without = x.normalized(inRegionsOf: mask.narrowed(1, to: 0..<2)).values(Double.self)
    #expect(found == without)
    for channel in 0..<3 {
      let (before, after) = (x.values(Double.self)[channel * count + 7], found[channel * count + 7])
      #expect(abs(after - before) < 0.15 * abs(before))
    }
  }

  /// Sums are never rounded to 8 bits, whatever the convolutions' precision.
  @Test func convolutionsInBfloat16LeaveItPrecise() {
    let (single, mask) = (x.converted(to: .float32), self.mask.converted(to: .float32))
    let expected = single.normalized(inRegionsOf: mask).values(Float.self)
    #expect(withPrecision(.bfloat16) { single.normalized(inRegionsOf: mask).values(Float.self) } == expected)
    let rounded = single.converted(to: .bfloat16)
    let found = withPrecision(.bfloat16) { rounded.normalized(inRegionsOf: mask) }
    #expect(found.type == .float32)
    #expect(
      found.values(Float.self) == rounded.converted(to: .float32).normalized(inRegionsOf: mask).values(Float.self))
  }

  /// In a flat region far from 0, the variance is a difference of large numbers.
  @Test func roundingMakesNoVarianceNegative() {
    let flat = Tensor(repeating: 3000, shape: [1, 1, 64, 64])
    let everything = Tensor(repeating: 1, shape: [1, 1, 64, 64])
    #expect(flat.normalized(inRegionsOf: everything).values(Float.self).allSatisfy { $0.isFinite })
  }
}
