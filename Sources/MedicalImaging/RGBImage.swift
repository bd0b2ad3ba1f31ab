import Basics
public import Foundation

/// A colour picture of 8 bits a channel, rows from the top.
public struct RGBImage: Equatable, Sendable {
  public let width: Int
  public let height: Int
  /// Red, green and blue of each pixel, row by row: `3 · width · height` values.
  public var pixels: [UInt8]

  /// A picture of one colour, black by default.
  public init(width: Int, height: Int, fill: SIMD3<UInt8> = .zero) {
    precondition(width > 0 && height > 0, "a picture of \(width)×\(height) pixels")
    self.width = width
    self.height = height
    let isGrey = fill.x == fill.y && fill.y == fill.z
    pixels = [UInt8](repeating: fill.x, count: 3 * width * height)
    guard !isGrey else { return }
    pixels.withUnsafeMutableBufferPointer { pixels in
      for place in stride(from: 0, to: pixels.count, by: 3) {
        (pixels[place + 1], pixels[place + 2]) = (fill.y, fill.z)
      }
    }
  }

  /// The colour of the pixel in column `x` of row `y`.
  public subscript(x: Int, y: Int) -> SIMD3<UInt8> {
    get {
      let i = 3 * offset(x, y)
      return SIMD3(pixels[i], pixels[i + 1], pixels[i + 2])
    }
    set {
      let i = 3 * offset(x, y)
      for channel in 0..<3 { pixels[i + channel] = newValue[channel] }
    }
  }

  private func offset(_ x: Int, _ y: Int) -> Int {
    precondition(x >= 0 && x < width && y >= 0 && y < height, "pixel (\(x), \(y)) of \(width)×\(height)")
    return y * width + x
  }

  /// Writes a PNG.
  ///
  /// - Throws: `Refusal` for another extension, or for a full disk or a folder that cannot be written.
  public func write(to url: URL) throws {
    guard url.pathExtension.lowercased() == "png" else {
      throw Refusal(.image, url.path, "pictures are written as PNG", remedy: "name the output .png")
    }
    try writePNG(pixels, width: width, height: height, components: 3, to: url)
  }
}
