import Foundation

/// SplitMix64 (Steele, Lea and Flood, 2014), a random number generator whose whole state is one saved integer.
///
/// A seed gives the same numbers on every machine and Swift version. Use its own methods rather than the standard
/// library's `shuffled(using:)` or `random(in:using:)`, whose algorithms may change between versions.
package struct SeededGenerator: RandomNumberGenerator, Codable, Equatable, Sendable {
  private var state: UInt64

  package init(seed: UInt64) { state = SeededGenerator.mix(seed) }

  /// A generator for one purpose, independent of those with another seed or other indices.
  ///
  /// A case, epoch or worker draws numbers that do not depend on earlier draws.
  package static func stream(seed: UInt64, _ indices: Int...) -> SeededGenerator {
    var state = mix(seed)
    for index in indices { state = mix((state &+ increment) ^ mix(UInt64(bitPattern: Int64(index)) &+ increment)) }
    return SeededGenerator(seed: state)
  }

  package mutating func next() -> UInt64 {
    state &+= SeededGenerator.increment
    return SeededGenerator.mix(state)
  }

  /// Uniform in [0, 1), with 53 random bits.
  package mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// Uniform in [range.lowerBound, range.upperBound).
  package mutating func uniform(in range: ClosedRange<Double>) -> Double {
    range.lowerBound + (range.upperBound - range.lowerBound) * uniform()
  }

  /// Normal with mean 0 and standard deviation 1 (Box and Muller, 1958; the second number is not kept).
  package mutating func normal() -> Double {
    let radius = (-2 * log(1 - uniform())).squareRoot()
    return radius * cos(2 * .pi * uniform())
  }

  /// Uniform in 0 ..< `bound`, which is at least 1 (the bias is below bound / 2⁶⁴).
  package mutating func integer(below bound: Int) -> Int {
    precondition(bound > 0, "a bound of \(bound) leaves nothing to draw")
    return Int(next().multipliedFullWidth(by: UInt64(bound)).high)
  }

  /// A random order of `elements` (Fisher and Yates).
  package mutating func shuffled<Element>(_ elements: [Element]) -> [Element] {
    var result = elements
    for last in stride(from: result.count - 1, to: 0, by: -1) { result.swapAt(last, integer(below: last + 1)) }
    return result
  }

  private static let increment: UInt64 = 0x9E37_79B9_7F4A_7C15

  private static func mix(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
