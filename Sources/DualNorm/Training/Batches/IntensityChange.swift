import Basics
import Foundation

/// A randomly drawn change of a slice's intensities; labels do not change.
///
/// All channels (neighbouring slices and modalities) change alike, except that noise differs. Statistics of the slice
/// (mean, range) are those of all channels together, modalities too.
struct IntensityChange {
  /// The order of the changes: those of anatomy and scanner, then the scanner's noise.
  static let order: [Augmentation.Part] = [.biasField, .blur, .contrast, .gamma, .noise]

  private enum Kind {
    case biasField(coefficients: [Double])
    case blur(sigmaPixels: Double)
    case contrast(factor: Double, brightness: Double)
    case gamma(exponent: Double, onNegative: Bool)
    case noise(deviation: Double, SeededGenerator)
  }

  private let kind: Kind

  /// - Parameter part: one of `order`.
  init(_ part: Augmentation.Part, using generator: inout SeededGenerator) {
    switch part {
    case .biasField: kind = .biasField(coefficients: (0..<Self.terms).map { _ in generator.uniform(in: -0.3...0.3) })
    case .blur: kind = .blur(sigmaPixels: generator.uniform(in: 0.5...1))
    case .contrast: kind = .contrast(factor: generator.uniform(in: 0.75...1.25), brightness: generator.normal() * 0.1)
    case .gamma:
      let exponent = exp(generator.uniform(in: log(0.7)...log(1.5)))
      kind = .gamma(exponent: exponent, onNegative: generator.uniform() < 0.25)
    case .noise: kind = .noise(deviation: generator.uniform(in: 0...0.15), generator)
    case .rotation, .flip, .shift, .scale, .elastic: preconditionFailure("\(part) moves pixels")
    }
  }

  func apply(to slice: inout TrainingExample) {
    switch kind {
    case .biasField(let coefficients): slice.multiply(byFieldOf: coefficients)
    case .blur(let sigma): slice.blur(sigmaPixels: sigma)
    case .contrast(let factor, let brightness):
      let mean = slice.image.reduce(0, +) / Float(slice.image.count)
      let (scale, offset) = (Float(factor), mean * (1 - Float(factor)) + Float(brightness))
      for index in slice.image.indices { slice.image[index] = slice.image[index] * scale + offset }
    case .gamma(let exponent, let onNegative): slice.applyGamma(exponent, onNegative: onNegative)
    case .noise(let deviation, var generator):
      for index in slice.image.indices { slice.image[index] += Float(generator.normal() * deviation) }
    }
  }

  /// The number of terms of a polynomial of degree 3 in x and y, without its constant.
  static let terms = 9
}

extension TrainingExample {
  /// v ← min + range · ((v − min) / range)^exponent, over the whole slice; on the negative, mirrored.
  fileprivate mutating func applyGamma(_ exponent: Double, onNegative: Bool) {
    guard let low = image.min(), let high = image.max(), low < high else { return }
    let (range, exponent) = (high - low, Float(exponent))
    for index in image.indices {
      let unit = (image[index] - low) / range
      image[index] = low + range * (onNegative ? 1 - pow(1 - unit, exponent) : pow(unit, exponent))
    }
  }

  /// Multiplies intensities above the slice's minimum by exp(Σ c_ij x^i y^j), 1 ≤ i + j ≤ 3, x and y from −1 to 1.
  fileprivate mutating func multiply(byFieldOf c: [Double]) {
    guard let low = image.min() else { return }
    let (height, width) = (size.height, size.width)
    func place(_ index: Int, of count: Int) -> Double { 2 * Double(index) / Double(max(count - 1, 1)) - 1 }
    for row in 0..<height {
      let y = place(row, of: height)
      // The exponent is a cubic in x whose coefficients are polynomials in y.
      let a0 = y * (c[0] + y * (c[1] + y * c[2]))
      let a1 = c[3] + y * (c[4] + y * c[5])
      let a2 = c[6] + y * c[7]
      for column in 0..<width {
        let x = place(column, of: width)
        let factor = Float(exp(a0 + x * (a1 + x * (a2 + x * c[8]))))
        for plane in 0..<planes {
          let index = (plane * height + row) * width + column
          image[index] = low + (image[index] - low) * factor
        }
      }
    }
  }

  /// Separable Gaussian filter over 5 pixels; edge pixels are repeated.
  fileprivate mutating func blur(sigmaPixels: Double) {
    let raw = (-2...2).map { exp(-Double($0 * $0) / (2 * sigmaPixels * sigmaPixels)) }
    let weights = raw.map { Float($0 / raw.reduce(0, +)) }
    let (height, width) = (size.height, size.width)
    for stride in [(length: width, step: 1), (length: height, step: width)] {
      let source = image
      source.withUnsafeBufferPointer { source in
        image.withUnsafeMutableBufferPointer { target in
          for index in source.indices {
            let place = index / stride.step % stride.length
            var sum: Float = 0
            for (offset, weight) in zip(-2...2, weights) {
              let neighbour = min(max(place + offset, 0), stride.length - 1)
              sum += weight * source[index + (neighbour - place) * stride.step]
            }
            target[index] = sum
          }
        }
      }
    }
  }
}
