import Torch

@testable import Basics

/// Normally distributed numbers; the same for the same seed.
func normal(_ shape: [Int], seed: UInt64) -> Tensor {
  var generator = SeededGenerator.stream(seed: seed, 0)
  return Tensor((0..<shape.reduce(1, *)).map { _ in generator.normal() }, shape: shape)
}

/// Like `normal`, in single precision and the network's layout.
func images(_ shape: [Int], seed: UInt64) -> Tensor { normal(shape, seed: seed).converted(to: .float32).channelsLast() }

/// Random int64 labels below `classes`.
func labels(_ shape: [Int], classes: Int, seed: UInt64) -> Tensor {
  var generator = SeededGenerator.stream(seed: seed, 1)
  return Tensor((0..<shape.reduce(1, *)).map { _ in generator.integer(below: classes) }, shape: shape)
}

func largestDifference(_ a: Tensor, _ b: Tensor) -> Double {
  precondition(a.shape == b.shape)
  return zip(a.values(Double.self), b.values(Double.self)).map { abs($0 - $1) }.max() ?? 0
}
